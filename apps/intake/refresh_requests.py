"""Hints that the tower gives itself: a record that it has just written to, or that has to be looked at again."""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection as database
from django.db import transaction

from apps.core.identity import uuid7
from apps.core.wake import wake
from apps.intake import tally
from apps.intake.models import Delivery

# In the place of a foreign key, which would check every row.
HOLD = "SELECT id FROM odoo_connection WHERE id = %s FOR KEY SHARE"


def add(
    *,
    connection_id: int,
    model: str,
    odoo_ids: Iterable[int],
    source: str,
    now: datetime,
    not_before: datetime | None = None,
) -> None:
    """Have the records read again, from ``not_before`` on (at once, if none is given).

    A connection that was deleted meanwhile has nothing to be read.
    """
    ids = list(odoo_ids)
    with transaction.atomic():
        with database.cursor() as cursor:
            cursor.execute(HOLD, [connection_id])
            if cursor.fetchone() is None:
                return
        Delivery.objects.bulk_create(
            [
                Delivery(
                    source=source,
                    connection_id=connection_id,
                    key=uuid7().hex,
                    model=model,
                    odoo_id=odoo_id,
                    received_at=now,
                    not_before=not_before or now,
                )
                for odoo_id in ids
            ]
        )
        tally.add([tally.Counted(connection_id=connection_id, source=source, what="received", count=len(ids))], now=now)
        wake("pipeline.refresh")

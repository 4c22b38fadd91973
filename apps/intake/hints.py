"""Hints that the tower gives itself: a record that it has just written to, or that has to be looked at again."""

from collections.abc import Iterable
from datetime import datetime

from apps.core.identity import uuid7
from apps.core.wake import wake
from apps.intake.models import Delivery


def add(
    *, connection_id: int, model: str, odoo_ids: Iterable[int], source: str, now: datetime,
    not_before: datetime | None = None,
) -> None:  # fmt: skip
    """Have the records read again, from ``not_before`` on (at once, if none is given)."""
    Delivery.objects.bulk_create(
        [
            Delivery(source=source, connection_id=connection_id, key=uuid7().hex, model=model, odoo_id=odoo_id,
                     received_at=now, not_before=not_before or now)
            for odoo_id in odoo_ids
        ]
    )  # fmt: skip
    wake("pipeline.refresh")

"""The story of a change in one function: from what a webhook hinted at to what people see.

    deliveries → read Odoo → mirror → stages → exceptions → approvals → commands → live update

Start here. Each step is one line that names the room where it happens.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.db import transaction

from apps.intake import claim
from apps.mirror import registry
from apps.mirror.sync import refresh
from apps.odoo import client as wire
from apps.odoo import errors
from apps.odoo.models import Connection
from apps.pipeline import absorb

logger = logging.getLogger(__name__)

# Many hints, one read: what arrived meanwhile is read together.
DELIVERIES = 2_000


def process(*, clock: Callable[[], datetime]) -> bool:
    """Take one batch of deliveries all the way, in one transaction; whether there may be more.

    1. Claim the deliveries that wait, as records to be read: many hints of one record are one read.
    2. Read those records from Odoo. This is the only step that waits for Odoo, and it is outside the transaction.
    3. Write them to the mirror; what really changed goes on.
    4. Draw the consequences: stages, exceptions, approvals, commands (:mod:`apps.pipeline.absorb`).
    5. Settle the deliveries. Steps 3 to 5 commit together or not at all.
    """
    batch = claim.take(limit=DELIVERIES, now=clock())
    if batch is None:
        return False
    for part in batch.by_connection():
        try:
            client = wire.connect(Connection.objects.get(pk=part.connection_id))
            reads = [
                read
                for model, ids in part.records.items()
                for read in refresh.read(client, registry.models()[model], sorted(ids), now=clock())
            ]
            now = clock()
            with transaction.atomic():
                refresh.write(
                    reads, connection_id=part.connection_id, on_changes=partial(absorb.absorb, now=now), now=now
                )
                claim.settle(part, now=clock())
        except errors.OdooError as error:
            claim.fail(part, error=str(error), now=clock())
        except Exception as error:
            # One poisonous delivery must not stop the others: attempts are counted, then it is a dead letter.
            logger.exception("A batch of deliveries of connection %s failed", part.connection_id)
            claim.fail(part, error=f"{type(error).__name__}: {error}", now=clock())
    return True

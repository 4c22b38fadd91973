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
from apps.odoo import circuit, errors
from apps.odoo import client as wire
from apps.odoo.models import Connection
from apps.pipeline import change_processing, external_events, webhook_coverage

logger = logging.getLogger(__name__)

# Many hints, one read: what arrived meanwhile is read together.
DELIVERIES = 2_000


def process(*, clock: Callable[[], datetime]) -> bool:
    """Take one batch of deliveries all the way, in one transaction; whether there may be more.

    1. Claim the deliveries that wait, as records to be read: many hints of one record are one read.
    2. Read those records from Odoo. This is the only step that waits for Odoo, and it is outside the transaction.
    3. Write them to the mirror; what really changed goes on.
    4. Draw the consequences: stages, exceptions, approvals, commands (:mod:`apps.pipeline.change_processing`).
    5. Settle the deliveries. Steps 3 to 5 commit together or not at all.

    Deliveries that tell of events outside of Odoo go a way of their own (:mod:`apps.pipeline.external_events`).
    """
    unreachable = circuit.open_connections(Connection.objects.filter(is_active=True))
    parts = claim.take(limit=DELIVERIES, now=clock(), unreachable=unreachable)
    for part in parts:
        if part.is_of_events:
            external_events.take_through(part, clock=clock)
        else:
            _take_through(part, clock)
    return bool(parts)


def _take_through(part: claim.ClaimedBatch, clock: Callable[[], datetime]) -> None:
    known = registry.models()
    if unknown := sorted(set(part.records) - set(known)):
        for single in part.singly():
            if not set(single.records) <= set(known):
                claim.dead_letter(single, problem=f"{', '.join(unknown)} is not mirrored.", now=clock())
            else:
                _take_through(single, clock)
        return
    connection = Connection.objects.get(pk=part.connection_id)
    try:
        client = wire.connect(connection)
        reads = [
            read for model, ids in part.records.items() for read in refresh.read(client, known[model], sorted(ids), now=clock())
        ]
        now = clock()
        with transaction.atomic():
            changes = refresh.write(
                reads, connection_id=part.connection_id, on_changes=partial(change_processing.apply_changes, now=now), now=now
            )
            change_processing.evaluate_again(part.connection_id, part.to_evaluate, now=now)
            webhook_coverage.by_hint(part, changes, now=now)
            claim.complete(part, now=clock())
    except errors.OdooError as error:
        if len(part.records) > 1 and not isinstance(error, errors.OF_THE_CONNECTION):
            # What Odoo does not give of one model must not keep the others waiting.
            for single in part.by_model():
                _take_through(single, clock)
            return
        logger.warning("Deliveries wait: %s", error)
        claim.reschedule(part, problem=str(error), now=clock())
    except Exception as error:
        # One poisonous record must not stop the others: they are tried one by one, and its attempts are counted.
        logger.exception("A batch of deliveries of connection %s failed", connection.name)
        if len(part.deliveries) > 1:
            for single in part.singly():
                _take_through(single, clock)
        else:
            claim.fail(part, problem=f"{type(error).__name__}: {error}", now=clock())

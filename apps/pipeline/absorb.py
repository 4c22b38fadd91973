"""From changed rows to what people see: the middle of the story, inside the transaction that wrote the rows."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection as database
from django.db import transaction

from apps.approvals import asking
from apps.core import live
from apps.events import absorbing
from apps.exceptions import raising
from apps.mirror.upsert import Changes
from apps.workflows import engine, registry
from apps.workflows.models import Position

logger = logging.getLogger(__name__)

# Beyond this many records of one batch, their open pages are left to catch up at their next change.
ANNOUNCED_RECORDS = 500
# Records that time has made due, taken together in one transaction.
LOOKED_AGAIN = 1_000


def absorb(changes: Sequence[Changes], *, now: datetime) -> None:
    """Draw all the consequences of a batch of changed rows, in the transaction that changed them.

    1. Find the workflows' records that the changes may move, through declared dependencies, and those that an event outside
       of Odoo turns out to be about.
    2. Place them in their stages, with their transitions.
    3. Open, update and close exceptions.
    4. Ask for approvals, or withdraw the asking; what Odoo is to be told goes into the outbox.
    5. Announce what open pages show differently now.
    """
    by_connection: dict[int, dict[str, dict[int, datetime]]] = {}
    for change in changes:
        rows = by_connection.setdefault(change.connection_id, {}).setdefault(change.model, {})
        rows.update({odoo_id: change.written_at.get(odoo_id, now) for odoo_id in change.ids})
    for connection_id, changed in by_connection.items():
        one_at_a_time(connection_id)
        follow(connection_id, changed, now=now)


def draw(workflow_name: str, connection_id: int, records: Mapping[int, datetime | None], *, now: datetime) -> None:
    """Evaluate one workflow over ``records`` and draw the consequences (steps 2 to 5), in the caller's transaction."""
    workflow = registry.workflows()[workflow_name]
    for batch in engine.batches(records):
        evaluation = engine.evaluate(workflow, connection_id=connection_id, records=batch, now=now)
        raising.reconcile(evaluation, now=now)
        asking.reconcile(evaluation, now=now)
        if evaluation.moves or evaluation.vanished or evaluation.left:
            live.announce([f"board:{workflow.name}"])
        live.announce(f"record:{connection_id}:{workflow.odoo_model}:{odoo_id}" for odoo_id in list(batch)[:ANNOUNCED_RECORDS])


def look_again(*, now: datetime) -> int:
    """Look again at the records whose declared moment has come, a batch of one connection and workflow; how many.

    That the moment came is a change of the record like any other, at that moment: what depends on the record is looked at
    too, and a transition that follows carries the moment, however late this is called. Call it again at once while it
    returns :data:`LOOKED_AGAIN`. A batch that fails is logged and tried again with the next call; the others go on.
    """
    done = 0
    due = Position.objects.filter(look_again_at__lte=now)
    for connection_id, workflow_name in due.order_by().values_list("connection_id", "workflow").distinct():
        workflow = registry.workflows().get(workflow_name)
        try:
            with transaction.atomic():
                one_at_a_time(connection_id)
                batch = due.filter(connection_id=connection_id, workflow=workflow_name).order_by("look_again_at", "odoo_id")
                if workflow is None:
                    batch.update(look_again_at=None)  # its file was removed: nothing is left to look at
                    continue
                found = batch.values_list("odoo_id", "look_again_at")[:LOOKED_AGAIN]
                records = {odoo_id: moment for odoo_id, moment in found if moment}
                follow(connection_id, {workflow.odoo_model: records}, now=now)
        except Exception:
            logger.exception("Records of %s of connection %s could not be looked at again", workflow_name, connection_id)
            continue
        done = max(done, len(records))
    return done


def follow(connection_id: int, changed: Mapping[str, Mapping[int, datetime]], *, now: datetime) -> None:
    """Evaluate what depends on the ``changed`` records and on events that were matched, under :func:`one_at_a_time`."""
    changed = absorbing.take_matched(connection_id, changed)
    for workflow in registry.workflows().values():
        records = engine.affected(workflow, connection_id=connection_id, changed=changed, now=now)
        draw(workflow.name, connection_id, records, now=now)


def one_at_a_time(connection_id: int) -> None:
    """Two batches of one connection must not draw consequences side by side: each would miss what the other wrote."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7001, %s)", [connection_id])

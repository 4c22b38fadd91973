"""From changed rows to what people see: the middle of the story, inside the transaction that wrote the rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection as database

from apps.approvals import asking
from apps.core import live
from apps.exceptions import raising
from apps.mirror.upsert import Changes
from apps.workflows import engine, registry

# Beyond this many records of one batch, their open pages are left to catch up at their next change.
ANNOUNCED_RECORDS = 500


def absorb(changes: Sequence[Changes], *, now: datetime) -> None:
    """Draw all the consequences of a batch of changed rows, in the transaction that changed them.

    1. Find the workflows' records that the changes may move, through declared dependencies.
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
        _one_at_a_time(connection_id)
        for workflow in registry.workflows().values():
            records = engine.affected(workflow, connection_id=connection_id, changed=changed)
            draw(workflow.name, connection_id, records, now=now)


def draw(workflow_name: str, connection_id: int, records: Mapping[int, datetime | None], *, now: datetime) -> None:
    """Evaluate one workflow over ``records`` and draw the consequences (steps 2 to 5), in the caller's transaction."""
    workflow = registry.workflows()[workflow_name]
    for batch in engine.batches(records):
        evaluation = engine.evaluate(workflow, connection_id=connection_id, records=batch, now=now)
        raising.reconcile(evaluation, now=now)
        asking.reconcile(evaluation, now=now)
        if evaluation.moves or evaluation.vanished:
            live.announce([f"board:{workflow.name}"])
        live.announce(f"record:{connection_id}:{workflow.odoo_model}:{odoo_id}" for odoo_id in list(batch)[:ANNOUNCED_RECORDS])


def _one_at_a_time(connection_id: int) -> None:
    """Two batches of one connection must not draw consequences side by side: each would miss what the other wrote."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7001, %s)", [connection_id])

"""Answering asks in Odoo that nobody has to decide any more: the record moved on, is deleted, or was never saved.

An open ask whose condition holds opens a request (:mod:`apps.approvals.requests.opening`), and the request answers it. What is
left are asks without a request: of an order that was cancelled before the tower looked, of a quotation that was confirmed in
another way, or of a record whose creation the refusal undid. They are answered as withdrawn, and no incident tells of them
for ever.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection as database
from django.db import transaction

from apps.approvals import reasons
from apps.core import actor
from apps.mirror import registry as mirror
from apps.odoo.models import Connection
from apps.outbox import enqueue
from apps.workflows import engine, guard_requests, registry

MACHINE = actor.system("pipeline")
# The record behind an ask may be read a little later than the ask.
SETTLED_AFTER = timedelta(seconds=30)
MOST_ASKS, MOST_LOOKED_UP = 200, 20
# Open, with no request that waits and no answer on its way. A request of another kind counts too: a price is decided about after
# the credit that it would be given on. Indexes asks_open, commands_by_lane.
FIND = """
SELECT a.odoo_id, a.x_res_model, a.x_res_id, a.x_kind
  FROM mirror_x_ct_request a
 WHERE a.connection_id = %(connection)s AND a.x_state = 'open' AND a.deleted_at IS NULL AND a.x_requested_at < %(before)s
   AND a.write_date < %(before)s AND a.x_res_id > 0
   AND NOT EXISTS (
     SELECT 1 FROM approvals_request q
      WHERE q.connection_id = a.connection_id AND q.model = a.x_res_model AND q.odoo_id = a.x_res_id AND q.status = 'pending')
   AND NOT EXISTS (
     SELECT 1 FROM outbox_command c
      WHERE c.lane = concat(a.connection_id, ':', a.x_res_model, ':', a.x_res_id)
        AND (c.status IN ('queued', 'unknown')
             -- The answer to another ask of the record is none, nor is one that was not carried out since what went before
             -- it was refused.
             OR c.model = 'x_ct_request' AND c.odoo_id = a.odoo_id AND c.created_at >= a.write_date AND c.status <> 'cancelled'))
 ORDER BY a.x_requested_at
 LIMIT %(limit)s
"""


@dataclass(frozen=True)
class _Ask:
    """An open ask in Odoo: its id, what it is about, and the kind of approval."""

    odoo_id: int
    model: str
    record: int
    kind: str


def answer(connection: Connection, *, is_in_odoo: Callable[[str, int], bool], now: datetime) -> int:
    """Answer the asks that nobody has to decide any more as withdrawn; how many.

    Args:
        is_in_odoo: asks Odoo whether it has a record, hidden from the tower's login or not. Asked only for records that are
            not mirrored, and before anything is written.
    """
    ended = [(ask, why) for ask in _open(connection, now) if (why := _why_ended(connection, ask, now, is_in_odoo))]
    if not ended:
        return 0
    with transaction.atomic():
        enqueue.many(
            [
                enqueue.Order(
                    calls=[guard_requests.answer("withdrawn")],
                    connection=connection,
                    model=ask.model,
                    odoo_id=ask.record,
                    context={"ask_id": ask.odoo_id, "reason": why},
                    decision=f"ask:{ask.odoo_id}",
                )
                for ask, why in ended
            ],
            by=MACHINE,
            now=now,
        )
    return len(ended)


def _open(connection: Connection, now: datetime) -> list[_Ask]:
    with database.cursor() as cursor:
        cursor.execute(FIND, {"connection": connection.pk, "before": now - SETTLED_AFTER, "limit": MOST_ASKS})
        found = [_Ask(*row) for row in cursor.fetchall()]
    looked_up = 0
    kept = []
    for ask in found:
        looked_up += not _mirrored(connection, ask)
        if looked_up <= MOST_LOOKED_UP:
            kept.append(ask)
    return kept


def _mirrored(connection: Connection, ask: _Ask) -> bool:
    model = mirror.models().get(ask.model)
    return model is None or model.objects.filter(connection=connection, odoo_id=ask.record).exists()


def _why_ended(connection: Connection, ask: _Ask, now: datetime, is_in_odoo: Callable[[str, int], bool]) -> str:
    """Return why nobody has to decide; empty where somebody has, or where a person has to look first."""
    model = mirror.models().get(ask.model)
    declared = [(workflow, kind) for workflow, kind in registry.declarations_of(ask.kind) if workflow.odoo_model == ask.model]
    if model is None or not declared:
        return ""
    row = model.objects.filter(connection=connection, odoo_id=ask.record).values("deleted_at").first()
    if row is None:
        return "" if is_in_odoo(ask.model, ask.record) else reasons.NEVER_SAVED
    if row["deleted_at"]:
        return reasons.DELETED
    workflow, kind = declared[0]
    found = engine.look(workflow, connection_id=connection.pk, odoo_ids=[ask.record], now=now, condition=kind.when)
    return "" if found else reasons.ASK_ENDED

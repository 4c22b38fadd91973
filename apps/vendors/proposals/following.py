"""Proposals follow what happens: a vendor says something, the order changes in Odoo, Odoo does or refuses what was accepted."""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext_noop

from apps.core import isolation, live, sentences
from apps.core.actor import Actor, system
from apps.events.models import OutsideEvent
from apps.mirror.models.purchase_order import PurchaseOrder
from apps.mirror.models.purchase_order_line import PurchaseOrderLine
from apps.mirror.models.res_partner import Partner
from apps.outbox import enqueue
from apps.outbox.models import Command
from apps.outbox.models import Status as CommandStatus
from apps.vendors.answers.receiving import SOURCE
from apps.vendors.models import Answer, Proposal, Status
from apps.vendors.orders import open_lines
from apps.vendors.orders.open_lines import OpenLine
from apps.vendors.proposals import calls, events, lines, rules, trail
from apps.vendors.proposals.lines import ProposedLine
from apps.vendors.transitions import PROPOSALS

logger = logging.getLogger(__name__)

ORDER, LINE = "purchase.order", "purchase.order.line"
LINE_CHANGED = "order_line_changed"
KINDS = ("order_acknowledged", "eta_changed", "order_cancelled", LINE_CHANGED)
MACHINE = system("vendors")
BY_RULE = system("vendor rules")
WRITTEN = ["status", "lines", "version", "decided_at", "decided_by", "problem", "round", "rule"]

RECEIVED = gettext_noop("Everything on the order was received before it was decided")
CANCELLED = gettext_noop("The order was cancelled before it was decided")
NOT_ORDERED = gettext_noop("The order was not ordered when the vendor answered")
THERE = gettext_noop("Odoo already has what the vendor says")


def follow(connection_id: int, changed: Mapping[str, Collection[int]], event_ids: Collection[int], *, now: datetime) -> None:
    """Propose what vendors said in ``event_ids`` and compare open proposals with ``changed`` orders, in the caller's transaction.

    1. Of each order the events are taken in the order in which they happened; one that is older than what is proposed never wins.
    2. A newer answer supersedes what is not decided. What it says nothing of is carried over.
    3. A proposal whose order was received or cancelled lapses; one that Odoo shows already is applied.
    """
    if event_ids:
        _propose(connection_id, event_ids, now)
    orders = set(changed.get(ORDER, ()))
    if of_lines := changed.get(LINE):
        found = PurchaseOrderLine.objects.filter(connection_id=connection_id, odoo_id__in=list(of_lines))
        orders |= set(found.values_list("order_id", flat=True))
    if orders:
        review(connection_id, orders, now=now)


def review(connection_id: int, order_ids: Collection[int | None], *, now: datetime) -> None:
    """Compare the open proposals of the orders with the orders as they stand now, in the caller's transaction."""
    waiting = Proposal.objects.filter(
        connection_id=connection_id, order_id__in=[one for one in order_ids if one], status=Status.OPEN
    )
    found = list(waiting.select_for_update(of=("self",)).select_related("connection").order_by("id"))
    if not found:
        return
    ids = [proposal.order_id for proposal in found]
    standing = open_lines.lines_of(connection_id, ids)
    states = dict(
        PurchaseOrder.objects.filter(connection_id=connection_id, odoo_id__in=ids, deleted_at=None).values_list("odoo_id", "state")
    )
    for proposal in found:
        here = {line.line_id: line for line in standing.get(proposal.order_id, [])}
        before = lines.read(proposal.lines)
        left = [lines.again(one, here[one.line_id]) for one in before if one.line_id in here]
        left = [one for one in left if not lines.is_there(one)]
        if not here:
            why = RECEIVED if states.get(proposal.order_id) in open_lines.ORDERED else CANCELLED
            _end(proposal, "lapse", why, now)
        elif not left:
            _end(proposal, "apply", THERE, now)
        elif left != before:
            proposal.lines, proposal.version = [one.as_json() for one in left], proposal.version + 1
            proposal.save(update_fields=WRITTEN)
            live.announce(trail.topics(proposal))


def settle(*, now: datetime) -> int:
    """See what became of accepted proposals in Odoo; how many are settled.

    What Odoo refused is to be decided again, with Odoo's own words; where the vendor has answered anew meanwhile, that counts.
    """
    waiting = list(Proposal.objects.filter(status=Status.ACCEPTED).order_by("id").values_list("id", flat=True)[:1_000])

    def take(some: Sequence[int]) -> None:
        locked = Proposal.objects.select_for_update(of=("self",), skip_locked=True).select_related("connection")
        for proposal in locked.filter(id__in=some, status=Status.ACCEPTED).order_by("id"):
            _settle(proposal, now)

    def refuse(proposal_id: int, error: Exception) -> None:
        logger.error("What became of proposal %s in Odoo cannot be told", proposal_id, exc_info=error)

    isolation.taken(waiting, take, refuse)
    return len(waiting)


def _settle(proposal: Proposal, now: datetime) -> None:
    commands = list(Command.objects.filter(decision=proposal.decision).order_by("sequence"))
    stopped = [one for one in commands if one.status in (CommandStatus.REFUSED, CommandStatus.DEAD)]
    if stopped:
        newer = Proposal.objects.filter(connection_id=proposal.connection_id, order_id=proposal.order_id, status=Status.OPEN)
        move, told = ("supersede", "proposal.superseded") if newer.exists() else ("fail", "proposal.refused")
        PROPOSALS.make(move, proposal)
        proposal.problem, proposal.version = stopped[0].problem, proposal.version + 1
        proposal.save(update_fields=WRITTEN)
        trail.tell(proposal, told, MACHINE, now, problem=stopped[0].problem)
        review(proposal.connection_id, [proposal.order_id], now=now)
    elif all(one.status in (CommandStatus.DONE, CommandStatus.CANCELLED) for one in commands):
        PROPOSALS.make("apply", proposal)
        proposal.version += 1
        proposal.save(update_fields=WRITTEN)
        trail.tell(proposal, "proposal.applied", MACHINE, now)


def accept(proposal: Proposal, order: PurchaseOrder, standing: Sequence[OpenLine], *, by: Actor, now: datetime) -> None:
    """Have Odoo told what a locked proposal says, in the caller's transaction; its lines are those of ``standing``."""
    here = {line.line_id: line for line in standing}
    PROPOSALS.make("accept", proposal)
    proposal.round, proposal.version = proposal.round + 1, proposal.version + 1
    proposal.decided_at, proposal.decided_by, proposal.problem = now, by.name[:200], None
    pairs = [(one, here[one.line_id]) for one in lines.read(proposal.lines)]
    made = enqueue.many(calls.orders_of(proposal, pairs, order, decided_by=by.name), by=by, now=now)
    if not made:
        PROPOSALS.make("apply", proposal)
    proposal.save(update_fields=WRITTEN)
    trail.tell(proposal, "proposal.accepted", by, now, lines=proposal.lines)


def _propose(connection_id: int, event_ids: Collection[int], now: datetime) -> None:
    told = list(
        OutsideEvent.objects.filter(id__in=event_ids, connection_id=connection_id, model=ORDER, kind__in=KINDS, proposal=None)
        .select_related("connection")
        .order_by("occurred_at", "id")
    )
    ids = {event.odoo_id for event in told if event.odoo_id}
    if not ids:
        return
    orders = {one.odoo_id: one for one in PurchaseOrder.objects.filter(connection_id=connection_id, odoo_id__in=ids)}
    standing = open_lines.lines_of(connection_id, ids)
    answers = {one.pk.hex: one for one in Answer.objects.filter(pk__in=[e.message for e in told if e.source == SOURCE])}
    newest: dict[int, datetime] = dict(
        Proposal.objects.filter(connection_id=connection_id, order_id__in=ids)
        .order_by("order_id", "-said_at")
        .distinct("order_id")
        .values_list("order_id", "said_at")
    )
    for event in told:
        order = orders.get(event.odoo_id or 0)
        if order is None or event.occurred_at < newest.get(order.odoo_id, event.occurred_at):
            continue
        newest[order.odoo_id] = event.occurred_at
        _make(event, order, standing.get(order.odoo_id, []), answers.get(event.message), now)


def _make(event: OutsideEvent, order: PurchaseOrder, standing: Sequence[OpenLine], answer: Answer | None, now: datetime) -> None:
    said = _of_answer(answer, standing) if answer else events.said_by(event, standing)
    if said is None:
        return
    earlier = (
        Proposal.objects.select_for_update(of=("self",))
        .select_related("connection")
        .filter(connection_id=event.connection_id, order_id=order.odoo_id, status=Status.OPEN)
        .first()
    )
    here = {line.line_id: line for line in standing}
    carried = [lines.again(one, here[one.line_id]) for one in lines.read(earlier.lines) if one.line_id in here] if earlier else []
    spoken_of = _spoken_of(event, answer, said, standing)
    changes = [one for one in [*said, *(one for one in carried if one.line_id not in spoken_of)] if not lines.is_there(one)]
    if event.kind == LINE_CHANGED and not changes and earlier is None and standing:
        # What the order says already is no news, and no acknowledgement of all of it.
        return
    partner = Partner.objects.filter(connection_id=event.connection_id, odoo_id=order.partner_id).first()
    if earlier is not None:
        _end(earlier, "supersede", None, now)
    proposal = Proposal.objects.create(
        connection=event.connection,
        company_id=order.company_id,
        order_id=order.odoo_id,
        order_name=order.name or "",
        partner_id=order.partner_id,
        partner_name=(answer.link.partner_name if answer else partner.name if partner else None) or "",
        event=event,
        answer=answer,
        source=event.source,
        note=event.text,
        lines=[one.as_json() for one in sorted(changes, key=lambda one: one.line_id)],
        said_at=event.occurred_at,
        created_at=now,
    )
    trail.tell(proposal, "proposal.made", MACHINE, now, lines=proposal.lines, source=event.source)
    if not standing:
        ended = RECEIVED if order.state in open_lines.ORDERED else CANCELLED if order.state == "cancel" else NOT_ORDERED
        _end(proposal, "lapse", ended, now)
    elif not changes:
        # Nothing changes: that the vendor has the order is all there is to say.
        accept(proposal, order, standing, by=MACHINE, now=now)
    elif rule := rules.accepting(proposal, changes, now=now):
        proposal.rule = rule
        accept(proposal, order, standing, by=BY_RULE, now=now)


def _of_answer(answer: Answer, standing: Sequence[OpenLine]) -> list[ProposedLine]:
    here = {line.line_id: line for line in standing}
    return [
        lines.said_of(here[one["line"]], one["parts"], one["reason"])
        for one in answer.content["lines"]
        if one["line"] in here and one["says"] != "as_ordered"
    ]


def _spoken_of(event: OutsideEvent, answer: Answer | None, said: Sequence[ProposedLine], standing: Sequence[OpenLine]) -> set[int]:
    """The lines that the vendor says something of; without a page of ours, and where no line is named, that is the whole order."""
    if event.kind == LINE_CHANGED:
        return {one.line_id for one in said}
    return {one["line"] for one in answer.content["lines"]} if answer else {line.line_id for line in standing}


def _end(proposal: Proposal, move: str, why: str | None, now: datetime) -> None:
    PROPOSALS.make(move, proposal)
    proposal.version += 1
    proposal.problem = sentences.compose(why, {}) if why else proposal.problem
    proposal.save(update_fields=WRITTEN)
    trail.tell(proposal, f"proposal.{proposal.status}", MACHINE, now, **({"because": why} if why else {}))

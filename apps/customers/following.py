"""New dates follow what happens: a decision moves a promise, a vendor's accepted date makes orders late, an order ends.

What is told is always the state as it is now: a draft whose reason is gone is withdrawn, one whose date moves again is renewed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext_noop

from apps.audit import trail
from apps.core import live, sentences
from apps.core.actor import system
from apps.customers.models import NewDate, Status
from apps.customers.orders import SalesOrder, Waiting, orders_of, waiting_for
from apps.customers.transitions import NEW_DATES
from apps.mirror.models.purchase_order_line import PurchaseOrderLine
from apps.mirror.models.sale_order import SaleOrder
from apps.odoo.models import Connection
from apps.outbox.enqueue import PROMISE
from apps.outbox.models import Command
from apps.outbox.models import Status as CommandStatus
from apps.vendors.models import Proposal
from apps.vendors.models import Status as ProposalStatus
from apps.workflows import days, subjects

ORDER, PURCHASE, PURCHASE_LINE = "sale.order", "purchase.order", "purchase.order.line"
MACHINE = system("customers")
# What Odoo was told, or will be, and has not refused.
UNDER_WAY = (CommandStatus.QUEUED, CommandStatus.UNKNOWN, CommandStatus.DONE)
ACCEPTED = (ProposalStatus.ACCEPTED, ProposalStatus.APPLIED)
# What somebody changed in Odoo itself follows from nothing here.
BY_HAND = "odoo"
# A purchase that moves long after its vendor's date was accepted moves for another reason.
FOLLOWED_FOR = timedelta(days=30)

DELIVERED = gettext_noop("The order was delivered before the customer was told")
CANCELLED = gettext_noop("The order was cancelled before the customer was told")
AS_KNOWN = gettext_noop("The order comes on the day that the customer knows")
NO_DATE = gettext_noop("The order has no delivery date any more")


@dataclass(kw_only=True)
class Reason:
    """Why the customer of an order may have to be told.

    Attributes:
        known_at: what the customer knows, where it was told nothing from here.
    """

    known_at: datetime | None
    decision: str
    decided_by: str
    command_id: Any = None
    purchase_ids: set[int] = field(default_factory=set)


@dataclass(kw_only=True)
class Ended:
    """What was decided of an order's new dates: ``last`` was sent or dismissed, ``sent`` is what the customer was told last."""

    last: NewDate | None = None
    sent: NewDate | None = None


def follow(connection_id: int, changed: Mapping[str, Collection[int]], *, now: datetime) -> None:
    """Draft, renew and withdraw new dates of the ``changed`` orders, in the caller's transaction.

    1. Orders whose promise a command of the tower has changed, once Odoo shows it.
    2. Orders that wait for a purchase whose vendor's date was accepted, and are late by that.
    3. What is drafted of these, and of all that changed, is compared with what is so now.
    """
    orders, purchases = set(changed.get(ORDER, ())), set(changed.get(PURCHASE, ()))
    if of_lines := changed.get(PURCHASE_LINE):
        lines = PurchaseOrderLine.objects.filter(connection_id=connection_id, odoo_id__in=list(of_lines))
        purchases |= set(lines.values_list("order_id", flat=True))
    if not orders and not purchases:
        return
    accepted = _accepted(connection_id, purchases, now)
    drafted = NewDate.objects.filter(connection_id=connection_id, status=Status.OPEN)
    if purchases:
        # Who waited for them until now is looked at, too.
        rest_on = drafted.exclude(purchase_ids=[]).values_list("order_id", "purchase_ids")
        orders |= {order_id for order_id, on in rest_on if purchases & set(on)}
    opened = {one.order_id: one for one in drafted.filter(order_id__in=orders).select_for_update(of=("self",)).order_by("id")}
    of_drafts = {purchase for one in opened.values() for purchase in one.purchase_ids}
    waiting = waiting_for(connection_id, of_drafts | accepted.keys(), now=now)
    reasons = _of_commands(connection_id, orders)
    if accepted:
        late = {order_id for order_id, one in waiting.items() if one.is_late}
        opened |= {
            one.order_id: one
            for one in drafted.filter(order_id__in=late - opened.keys()).select_for_update(of=("self",)).order_by("id")
        }
        reasons |= _of_vendors(waiting, accepted, late, reasons)
    concerned = opened.keys() | reasons.keys()
    if not concerned:
        return
    here = orders_of(connection_id, concerned)
    connection = Connection.objects.get(pk=connection_id)
    ended = _ended(connection_id, reasons.keys() - opened.keys())
    for order_id in sorted(concerned):
        order, reason = here.get(order_id), reasons.get(order_id)
        draft = opened.get(order_id)
        if draft is not None:
            _review(draft, order, reason, waiting.get(order_id), connection, now)
        elif order is not None and reason is not None:
            _draft(order, reason, waiting.get(order_id), ended.get(order_id, Ended()), connection, now)


def _of_commands(connection_id: int, orders: Collection[int]) -> dict[int, Reason]:
    """The orders whose delivery date a command of the tower has changed, the newest command of each."""
    found = Command.objects.filter(
        connection_id=connection_id, odoo_id__in=list(orders), model=ORDER, replaced__isnull=False, status__in=UNDER_WAY
    )
    commands = list(found.order_by("odoo_id", "sequence"))
    waiting = [one.odoo_id for one in commands if one.status == CommandStatus.QUEUED and one.sent_at is None]
    promised = dict(SaleOrder.objects.filter(connection_id=connection_id, odoo_id__in=waiting).values_list("odoo_id", PROMISE))
    reasons: dict[int, Reason] = {}
    made: dict[int, datetime | None] = {}
    for one in commands:
        # What is not begun has changed nothing; where Odoo shows it all the same, somebody else did it.
        if one.status == CommandStatus.QUEUED and one.sent_at is None and promised.get(one.odoo_id) != _promise_of(one):
            continue
        known, before = _moment((one.replaced or {}).get(PROMISE)), reasons.get(one.odoo_id)
        # What a command before it made of the promise nobody has told the customer: it knows what was so before that.
        if before is not None and known == made[one.odoo_id]:
            known = before.known_at
        reasons[one.odoo_id] = Reason(known_at=known, decision=one.decision, decided_by=one.created_by, command_id=one.pk)
        made[one.odoo_id] = _promise_of(one)
    return reasons


def _promise_of(command: Command) -> datetime | None:
    """What the command makes of the delivery date."""
    text = command.arguments["vals"][PROMISE]
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def _moment(text: str | None) -> datetime | None:
    """The moment; None for a date that only stands for none."""
    return datetime.fromisoformat(text) if text and days.FIRST_DAY <= text[:10] < days.LAST_DAY else None


def _accepted(connection_id: int, purchases: Collection[int], now: datetime) -> dict[int, Proposal]:
    """The newest proposal of each of the purchase orders of which one was accepted that changes something."""
    if not purchases:
        return {}
    found = Proposal.objects.filter(
        connection_id=connection_id, order_id__in=purchases, status__in=ACCEPTED, decided_at__gt=now - FOLLOWED_FOR
    ).exclude(lines=[])
    return {one.order_id: one for one in found.order_by("order_id", "decided_at", "id")}


def _of_vendors(
    waiting: Mapping[int, Waiting], accepted: Mapping[int, Proposal], late: Collection[int], decided: Mapping[int, Reason]
) -> dict[int, Reason]:
    """The orders that accepted dates of vendors make late; one whose promise was decided, too, is of both."""
    newest = max(accepted.values(), key=lambda one: (one.decided_at, one.pk))
    return {
        order_id: Reason(
            known_at=decided[order_id].known_at if order_id in decided else waiting[order_id].promised_at,
            decision=newest.decision,
            decided_by=newest.decided_by,
            command_id=decided[order_id].command_id if order_id in decided else None,
            purchase_ids=set(accepted),
        )
        for order_id in late
        if waiting[order_id].promised_at is not None
    }


def _ended(connection_id: int, orders: Collection[int]) -> dict[int, Ended]:
    """What was told and dismissed of each order."""
    rows = NewDate.objects.filter(
        connection_id=connection_id, order_id__in=orders, status__in=[Status.SENT, Status.DISMISSED]
    ).order_by("id")
    found: dict[int, Ended] = {}
    for one in rows:
        found.setdefault(one.order_id, Ended()).last = one
        if one.status == Status.SENT:
            found[one.order_id].sent = one
    return found


def _expected(order: SalesOrder, waiting: Waiting | None) -> tuple[datetime | None, str]:
    """When the order comes, and which products of it where the others come as promised."""
    if waiting is None or not waiting.is_late or waiting.expected_at is None:
        return order.promised_at, ""
    return waiting.expected_at, waiting.products if waiting.quantity < order.to_come else ""


def _draft(order: SalesOrder, reason: Reason, waiting: Waiting | None, ended: Ended, connection: Connection, now: datetime) -> None:
    """Draft what the customer does not know yet."""
    expected, parts = _expected(order, waiting)
    if expected is None or order.company_id is None or order.partner_id is None or not order.is_confirmed or order.is_delivered:
        return
    # Somebody has decided about what the command did: it is no news any more.
    is_over = ended.last is not None and reason.command_id is not None and ended.last.command_id == reason.command_id
    is_by_hand = is_over and not reason.purchase_ids
    # Who was told a promise is told what somebody makes of it in Odoo; who was told none, is not told by the tower.
    if is_by_hand and (ended.sent is None or ended.sent is not ended.last or ended.sent.purchase_ids):
        return
    last = ended.sent or (ended.last if is_over else None)
    known = last.expected_at if last else reason.known_at
    if order.day_of(expected) == order.day_of(known) or (known and expected < known and ended.sent is None):
        return
    if ended.last and ended.last.status == Status.DISMISSED and order.day_of(ended.last.expected_at) == order.day_of(expected):
        return
    date = NewDate.objects.create(
        connection=connection,
        company_id=order.company_id,
        order_id=order.order_id,
        order_name=order.name or "",
        known_at=known,
        expected_at=expected,
        parts=parts,
        decision=BY_HAND if is_by_hand else reason.decision,
        decided_by="Odoo" if is_by_hand else reason.decided_by,
        command_id=reason.command_id,
        purchase_ids=sorted(reason.purchase_ids),
        changed_at=now,
    )
    _tell(date, "customer.to_be_told", connection, now)


def _review(
    draft: NewDate,
    order: SalesOrder | None,
    reason: Reason | None,
    waiting: Waiting | None,
    connection: Connection,
    now: datetime,
) -> None:
    """Withdraw a draft whose reason is gone; renew one that says another day."""
    if order is None or not order.is_confirmed or order.company_id is None:
        return _withdraw(draft, CANCELLED, connection, now)
    if order.is_delivered:
        return _withdraw(draft, DELIVERED, connection, now)
    expected, parts = _expected(order, waiting)
    if expected is None:
        # Without a delivery date, an order that is late no more comes as it was planned.
        return _withdraw(draft, AS_KNOWN if draft.purchase_ids else NO_DATE, connection, now)
    if order.day_of(expected) == order.day_of(draft.known_at):
        return _withdraw(draft, AS_KNOWN, connection, now)
    before = (draft.expected_at, draft.parts, draft.company_id, draft.order_name)
    draft.expected_at, draft.parts, draft.company_id, draft.order_name = expected, parts, order.company_id, order.name or ""
    is_another = (expected, parts, order.company_id, order.name or "") != before
    if reason is not None:
        purchases = sorted(set(draft.purchase_ids) | reason.purchase_ids)
        is_another = is_another or purchases != draft.purchase_ids or (reason.command_id or draft.command_id) != draft.command_id
        draft.decision, draft.decided_by, draft.purchase_ids = reason.decision, reason.decided_by, purchases
        draft.command_id = reason.command_id or draft.command_id
    if is_another:
        draft.changed_at = now
        draft.save()
        live.announce(["messages", topic(draft)])
    return None


def _withdraw(draft: NewDate, why: str, connection: Connection, now: datetime) -> None:
    NEW_DATES.make("withdraw", draft)
    draft.because, draft.ended_at, draft.ended_by = sentences.compose(why, {}), now, MACHINE.name
    draft.save(update_fields=["status", "because", "ended_at", "ended_by"])
    _tell(draft, "customer.withdrawn", connection, now, because=why)


def topic(date: NewDate) -> str:
    """Return what open pages call the order."""
    return subjects.topic(date.connection_id, ORDER, date.order_id)


def _tell(date: NewDate, action: str, connection: Connection, now: datetime, **data: str) -> None:
    event = trail.Event(
        action=action,
        actor=MACHINE,
        subject=subjects.audit_subject(connection.name, ORDER, date.order_id),
        data={"order": date.order_name, "expected_at": date.expected_at.isoformat(), "decision": date.decision, **data},
        about=(date.connection_id, date.company_id),
    )
    trail.record(event, now=now)
    live.announce(["messages", topic(date)])

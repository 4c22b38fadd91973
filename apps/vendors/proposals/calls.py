"""What Odoo is told when a proposal is accepted: the calls that a buyer would make there by hand.

Quantity and date of a line are written together: Odoo 19 works the date out anew from the vendor's lead time where the quantity is
written alone. Its receipt's deadline follows the line's date and the receipt's own date does not, so that is written as well. A
line that is split keeps its first delivery and has a further line for each of the others, copied by Odoo itself, in one
call: either all of it happens or nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext_noop

from apps.mirror.models.purchase_order import PurchaseOrder
from apps.mirror.models.stock_move import StockMove
from apps.outbox.enqueue import Order
from apps.vendors.models import Attachment, Proposal
from apps.vendors.orders.open_lines import OpenLine
from apps.vendors.proposals.lines import ProposedLine, plain
from apps.workflows.declare import OdooCall
from apps.workflows.placeholders import COPIED, IDS, KEPT

ORDER, LINE, MOVE, FILE = "purchase.order", "purchase.order.line", "stock.move", "ir.attachment"
ENDED = ["done", "cancel"]

CHANGE = gettext_noop("Set {product}: {quantity:quantity} to come on {day:day}")
CANCEL = gettext_noop("Cancel what is still to come of {product}")
SPLIT = gettext_noop("Split {product} into {count} deliveries")
PLAN = gettext_noop("Plan the receipt of {product} for {day:day}")
ACKNOWLEDGE = gettext_noop("Acknowledge {record_name}")
NOTE = gettext_noop("Note what the vendor said")
ATTACH = gettext_noop("Attach {file}")
SAID = "{vendor}: {said} Accepted by {decided_by} in Control Tower."


def orders_of(
    proposal: Proposal, lines: Sequence[tuple[ProposedLine, OpenLine]], order: PurchaseOrder, *, decided_by: str
) -> list[Order]:
    """Return what is to be enqueued, in order: the lines, their receipts, the acknowledgement, the files, and a note of it all."""
    told: list[Order] = []
    for proposed, line in lines:
        told += _of_line(proposal, proposed, line)
    files = list(Attachment.objects.filter(answer=proposal.answer_id).order_by("id").values_list("pk", "name"))
    context = {
        "record_name": proposal.order_name,
        "vendor": proposal.partner_name,
        "said": in_words([proposed for proposed, _ in lines], proposal.note),
        "decided_by": decided_by,
    }
    calls = []
    if order.acknowledged is False and not proposal.connection.lacks(ORDER, "acknowledged"):
        calls.append(OdooCall(title=ACKNOWLEDGE, method="action_acknowledge", expect=[["acknowledged", "=", True]]))
    if lines or files:
        attached = {"attachment_ids": {IDS: [FILE, _of_order(proposal, [pk for pk, _ in files])]}} if files else {}
        calls.append(OdooCall(title=NOTE, method="message_post", arguments={"body": SAID, **attached}))
    attach = [_order(proposal, [_attach(proposal, pk)], {"file": name}) for pk, name in files]
    return [*told, *attach, _order(proposal, calls, context)] if calls else told


def _attach(proposal: Proposal, file_id: UUID) -> OdooCall:
    """Attach a vendor's file to the order, as a buyer would. It is known there by its id, so that it is attached once."""
    values = {
        "name": "{file}",
        "datas": {KEPT: ["vendors.Attachment", "content", str(file_id)]},
        "res_model": ORDER,
        "res_id": proposal.order_id,
        "description": _mark(file_id),
    }
    expect = _of_order(proposal, [file_id])
    return OdooCall(title=ATTACH, method="create", model=FILE, arguments={"vals_list": [values]}, expect=expect)


def _of_order(proposal: Proposal, files: Sequence[UUID]) -> list[Any]:
    marks = [_mark(pk) for pk in files]
    return [["res_model", "=", ORDER], ["res_id", "=", proposal.order_id], ["description", "in", marks]]


def _mark(file_id: UUID) -> str:
    return f"From the vendor, by Control Tower ({file_id})"


def _of_line(proposal: Proposal, proposed: ProposedLine, line: OpenLine) -> list[Order]:
    context = {"product": proposed.product, "line_id": line.line_id, "count": len(proposed.parts)}
    if not proposed.parts:
        kept = {"date_planned": _odoo_time(line.planned_at)} if line.planned_at else {}
        return [_order(proposal, [_write(CANCEL, line, {"product_qty": float(line.received)} | kept)], context)]
    first, *others = proposed.parts
    context |= {"quantity": plain(first.quantity), "day": first.day.isoformat()}
    at = _odoo_time(line.moment_of(first.day))
    values = {"product_qty": float(line.received + first.quantity), "date_planned": at}
    if not others:
        call = _write(CHANGE, line, {"date_planned": at} if first.quantity == line.to_come else values)
    else:
        parts = [{"product_qty": float(part.quantity), "date_planned": _odoo_time(line.moment_of(part.day))} for part in others]
        call = _split(line, values, parts)
    receipts = StockMove.objects.filter(connection_id=proposal.connection_id, purchase_line_id=line.line_id, deleted_at=None)
    moves = receipts.exclude(state__in=ENDED).order_by("odoo_id").values_list("odoo_id", flat=True)
    plan = [_order(proposal, [_plan(at)], context | {"move_id": move}) for move in moves if first.day != line.planned_day]
    return [_order(proposal, [call], context), *plan]


def _write(title: str, line: OpenLine, values: dict[str, Any]) -> OdooCall:
    return OdooCall(
        title=title,
        method="write",
        model=LINE,
        record="line_id",
        arguments={"vals": values},
        require=_as_seen(line),
        expect=[[name, "=", value] for name, value in values.items()],
    )


def _split(line: OpenLine, values: dict[str, Any], parts: list[dict[str, Any]]) -> OdooCall:
    copies = [[0, 0, {COPIED: [LINE, line.line_id], **part}] for part in parts]
    lines = [[["id", "=", line.line_id], *([name, "=", value] for name, value in values.items())]]
    lines += [[["product_id", "=", line.product_id], *([name, "=", value] for name, value in part.items())] for part in parts]
    return OdooCall(
        title=SPLIT,
        method="write",
        arguments={"vals": {"order_line": [[1, line.line_id, values], *copies]}},
        require=[["order_line", "any", [["id", "=", line.line_id], *_as_seen(line)]]],
        expect=[["order_line", "any", terms] for terms in lines],
    )


def _as_seen(line: OpenLine) -> list[Any]:
    """The line stands as whoever accepts it has seen it."""
    planned = [["date_planned", "=", _odoo_time(line.planned_at)]] if line.planned_at else []
    return [
        ["product_qty", "=", float(line.ordered)],
        # What has come meanwhile would be ordered again, and what was cancelled be ordered anew.
        ["qty_received", "=", float(line.received)],
        ["state", "!=", "cancel"],
        *planned,
    ]


def _plan(at: str) -> OdooCall:
    return OdooCall(
        title=PLAN,
        method="write",
        model=MOVE,
        record="move_id",
        arguments={"vals": {"date": at}},
        require=[["state", "not in", ENDED]],
        expect=[["date", "=", at]],
    )


def _order(proposal: Proposal, calls: Sequence[OdooCall], context: dict[str, Any]) -> Order:
    return Order(
        calls=calls,
        connection=proposal.connection,
        model=ORDER,
        odoo_id=proposal.order_id,
        context=context,
        decision=proposal.decision,
    )


@translation.override("en")
def in_words(lines: Sequence[ProposedLine], note: str) -> str:
    """Return what the vendor said, in English, as the order's chatter has it."""
    told = []
    for line in lines:
        parts = ", ".join(f"{plain(part.quantity)} on {part.day.isoformat()}" for part in line.parts) or "cannot be delivered"
        told.append(f"{line.name}: {parts}{f' ({line.reason})' if line.reason else ''}.")
    return " ".join([*(told or ["Everything comes as ordered."]), f"“{note}”" if note else ""]).strip()


def _odoo_time(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")


def can_be_split(version: int, lines: Sequence[ProposedLine]) -> bool:
    """Return False where a line is split and Odoo is too old to say of one line what stands in it (before 17)."""
    return version >= 17 or not any(line.is_split for line in lines)

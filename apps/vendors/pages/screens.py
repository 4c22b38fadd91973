"""What a vendor is shown: its open orders, and of one order the lines with what was answered last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext

from apps.mirror.models.purchase_order import PurchaseOrder
from apps.mirror.models.res_company import Company
from apps.vendors.models import Answer, Proposal, Status, VendorLink
from apps.vendors.orders import open_lines
from apps.vendors.orders.open_lines import OpenLine
from apps.vendors.pages.reading import DELIVERIES, is_past

ORDERS_A_PAGE, LINES_A_PAGE = 50, 50


@dataclass(frozen=True, kw_only=True)
class Pages:
    """Where one is in a list that is longer than a page; numbers from 1."""

    number: int
    last: int

    @property
    def previous(self) -> int:
        """The page before, 0 where there is none."""
        return self.number - 1

    @property
    def next(self) -> int:
        """The page after, 0 where there is none."""
        return self.number + 1 if self.number < self.last else 0


@dataclass(frozen=True, kw_only=True)
class OrderRow:
    """One order in the list."""

    order: PurchaseOrder
    lines_count: int
    first_day: date | None
    answered_at: datetime | None
    standing: str
    is_to_answer: bool


@dataclass(frozen=True, kw_only=True)
class LineRow:
    """One line of a form: what is ordered, what was entered, and what is wrong with it.

    Attributes:
        is_past: whether it cannot come as ordered any more.
    """

    line: OpenLine
    is_past: bool
    says: str
    parts: Sequence[tuple[int, str, str]]
    reason: str
    error: str


def company_name(link: VendorLink) -> str:
    """Return the name of the company that orders."""
    found = Company.objects.filter(connection_id=link.connection_id, odoo_id=link.company_id).values_list("name", flat=True)
    return found.first() or ""


def orders(link: VendorLink, number: int) -> tuple[list[OrderRow], Pages]:
    """Return a page of the orders of which something is to come, and where it stands among the pages."""
    known = open_lines.with_open_lines(open_lines.orders_of(link.connection_id, link.company_id, link.partner_id))
    pages = _pages(number, known.count(), ORDERS_A_PAGE)
    shown = list(known[(pages.number - 1) * ORDERS_A_PAGE : pages.number * ORDERS_A_PAGE])
    ids = [order.odoo_id for order in shown]
    lines = open_lines.lines_of(link.connection_id, ids)
    shown = [order for order in shown if order.odoo_id in lines]
    answers = answered(link, ids)
    proposals = latest_proposals(link, ids)
    return [_row(order, lines[order.odoo_id], answers.get(order.odoo_id), proposals.get(order.odoo_id)) for order in shown], pages


def answered(link: VendorLink, order_ids: Sequence[int]) -> dict[int, datetime]:
    """Return when the vendor last answered each order, by this link or another."""
    same = Answer.objects.filter(
        link__connection_id=link.connection_id,
        link__company_id=link.company_id,
        link__partner_id=link.partner_id,
        order_id__in=order_ids,
    )
    return dict(same.order_by("order_id", "-said_at").distinct("order_id").values_list("order_id", "said_at"))


def latest_proposals(link: VendorLink, order_ids: Sequence[int]) -> dict[int, Proposal]:
    """Return the newest proposal of each order."""
    found = Proposal.objects.filter(connection_id=link.connection_id, order_id__in=order_ids)
    return {one.order_id: one for one in found.order_by("order_id", "-said_at", "-id").distinct("order_id")}


def _row(order: PurchaseOrder, lines: Sequence[OpenLine], said_at: datetime | None, proposal: Proposal | None) -> OrderRow:
    return OrderRow(
        order=order,
        lines_count=len(lines),
        first_day=min((line.planned_day for line in lines if line.planned_day), default=None),
        answered_at=said_at,
        standing=standing(proposal, said_at),
        is_to_answer=said_at is None or (proposal is not None and proposal.status == Status.PUSHED_BACK),
    )


def standing(proposal: Proposal | None, said_at: datetime | None) -> str:
    """Say to the vendor what became of its last answer."""
    if said_at is None:
        return gettext("Not answered yet")
    if proposal is None or proposal.said_at < said_at or proposal.status in (Status.OPEN, Status.SUPERSEDED):
        return gettext("Received")
    if proposal.status == Status.PUSHED_BACK:
        return gettext("Please answer again")
    if proposal.status in (Status.ACCEPTED, Status.APPLIED):
        return gettext("Accepted")
    return gettext("Closed by the buyer")


def page_of(lines: Sequence[OpenLine], number: int) -> tuple[list[OpenLine], Pages]:
    """Return the lines that one page of an order's form is about."""
    pages = _pages(number, len(lines), LINES_A_PAGE)
    return list(lines[(pages.number - 1) * LINES_A_PAGE : pages.number * LINES_A_PAGE]), pages


def line_rows(lines: Sequence[OpenLine], sent: Mapping[str, Any], errors: Mapping[int, str], *, now: datetime) -> list[LineRow]:
    """Return the rows of a form, with what was ``sent`` before it was found to be wrong."""
    return [
        LineRow(
            line=line,
            is_past=is_past(line, now),
            says=sent.get(f"says-{line.line_id}", ""),
            parts=[(n, sent.get(f"quantity{n}-{line.line_id}", ""), sent.get(f"day{n}-{line.line_id}", "")) for n in DELIVERIES],
            reason=sent.get(f"reason-{line.line_id}", ""),
            error=errors.get(line.line_id, ""),
        )
        for line in lines
    ]


def _pages(number: int, count: int, size: int) -> Pages:
    last = max((count + size - 1) // size, 1)
    return Pages(number=min(max(number, 1), last), last=last)

"""What is ordered with a vendor and not received, as the mirror has it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection as database
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from apps.core import sentences, statements
from apps.mirror.models.purchase_order import PurchaseOrder
from apps.mirror.models.purchase_order_line import PurchaseOrderLine
from apps.mirror.models.res_partner import Partner
from apps.workflows import days, units
from apps.workflows.sql_message import company_day

ORDERED = ("purchase", "done")
# Of the day, where a line says none.
NOON = time(12)

OPEN_LINES = statements.load(
    __file__,
    "open_lines",
    product=units.product_in("l.name", "l"),
    unit=units.name_of("l.product_uom_id"),
    planned=days.real("l.date_planned"),
    day=company_day(days.real("l.date_planned"), "o.company_id"),
)


@dataclass(frozen=True, kw_only=True)
class OpenLine:
    """A line of which something is still to come.

    Attributes:
        product: its name, as a sentence.
        unit: the line's own, in which all its quantities are.
        planned_day: as the company counts days, in ``zone``.
    """

    line_id: int
    order_id: int
    product_id: int
    product: Any
    unit: str
    ordered: Decimal
    received: Decimal
    planned_at: datetime | None
    planned_day: date | None
    zone: str

    @property
    def to_come(self) -> Decimal:
        """What is not received."""
        return self.ordered - self.received

    @property
    def name(self) -> str:
        """The product's name in the active language."""
        return sentences.said(self.product)

    @property
    def company_zone(self) -> ZoneInfo:
        """The time zone in which the company counts days."""
        return ZoneInfo(self.zone)

    def moment_of(self, day: date) -> datetime:
        """The moment on ``day`` that Odoo is told: at the time of day for which the line was planned."""
        at = self.planned_at.astimezone(self.company_zone).time() if self.planned_at else NOON
        return datetime.combine(day, at, self.company_zone).astimezone(UTC)


def lines_of(connection_id: int, order_ids: Collection[int]) -> dict[int, list[OpenLine]]:
    """Return the open lines of those of the orders that are ordered, by order; one without an open line is left out."""
    with database.cursor() as cursor:
        cursor.execute(OPEN_LINES, {"connection": connection_id, "orders": list(order_ids)})
        rows = sentences.rows_of(cursor)
    found: dict[int, list[OpenLine]] = {}
    for row in rows:
        found.setdefault(row["order_id"], []).append(OpenLine(**row))
    return found


def partners_of(connection_id: int, commercial_id: int) -> QuerySet[Any, Any]:
    """Return the ids of a vendor under any of its addresses and contacts."""
    partners = Partner.objects.filter(
        Q(commercial_partner_id=commercial_id) | Q(odoo_id=commercial_id), connection_id=connection_id
    )
    return partners.values("odoo_id")


def orders_of(connection_id: int, company_id: int, commercial_id: int) -> QuerySet[PurchaseOrder]:
    """Return the orders that one company has placed with one vendor, received or not, the oldest first."""
    return PurchaseOrder.objects.filter(
        connection_id=connection_id,
        company_id=company_id,
        partner_id__in=partners_of(connection_id, commercial_id),
        state__in=ORDERED,
        deleted_at=None,
    ).order_by("date_order", "odoo_id")


def with_open_lines(orders: QuerySet[PurchaseOrder]) -> QuerySet[PurchaseOrder]:
    """Return those of the orders of which something is to come."""
    lines = PurchaseOrderLine.objects.filter(
        connection_id=OuterRef("connection_id"), order_id=OuterRef("odoo_id"), deleted_at=None, product_id__isnull=False
    )
    return orders.filter(Exists(lines.filter(product_qty__gt=Coalesce("qty_received", Decimal(0)))))


def commercial_of(connection_id: int, partner_id: int) -> Partner | None:
    """Return the vendor that a partner belongs to; None where it is not mirrored."""
    partners = Partner.objects.filter(connection_id=connection_id)
    partner: Partner | None = partners.filter(odoo_id=partner_id).first()
    if partner is None or partner.commercial_partner_id in (None, partner_id):
        return partner
    commercial: Partner | None = partners.filter(odoo_id=partner.commercial_partner_id).first()
    return commercial or partner

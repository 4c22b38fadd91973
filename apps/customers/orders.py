"""Sales orders as their customers are told of them, and what of them waits for purchases. Read from the mirror, in sets."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection as database
from psycopg.rows import class_row

from apps.core import statements
from apps.workflows import days, supply_allocation, units

ORDERS = statements.load(
    __file__,
    "sales_orders",
    promise=days.real("o.commitment_date"),
    zone=days.zone("o"),
    to_come=units.own("l.product_uom_qty - COALESCE(l.qty_delivered, 0)", "l"),
)

WAITING = f"""
SELECT w.odoo_id AS order_id, {days.real("w.promised_at")} AS promised_at, {days.real("w.expected_at")} AS expected_at,
       w.quantity, w.is_at_risk AND w.late_days > 0 AS is_late,
       (SELECT COALESCE(string_agg(DISTINCT t.name, ', ' ORDER BY t.name), '')
          FROM mirror_product_product pr
          JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
         WHERE pr.connection_id = %(connection)s AND pr.odoo_id = ANY(w.product_ids)) AS products
  FROM ({supply_allocation.waiting_for_purchases("SELECT unnest(%(purchases)s::bigint[])")}) AS w
"""


@dataclass(frozen=True, kw_only=True)
class SalesOrder:
    """One order.

    Attributes:
        promised_at: the delivery date in Odoo; None where it has none.
        zone: the time zone in which its company counts days.
        to_come: what is not delivered, in the products' own units.
    """

    order_id: int
    name: str
    company_id: int | None
    partner_id: int | None
    user_id: int | None
    reference: str
    promised_at: datetime | None
    zone: str
    is_confirmed: bool
    is_delivered: bool
    to_come: Decimal

    def day_of(self, moment: datetime | None) -> date | None:
        """The day of a moment, as the order's company counts days."""
        return moment.astimezone(ZoneInfo(self.zone)).date() if moment else None


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What of one order waits for purchases.

    Attributes:
        is_late: it comes on a later day than promised.
        quantity: what waits, in the products' own units.
    """

    order_id: int
    promised_at: datetime | None
    expected_at: datetime | None
    quantity: Decimal
    is_late: bool
    products: str


def orders_of(connection_id: int, order_ids: Collection[int]) -> dict[int, SalesOrder]:
    """Return those of the orders that the mirror has, by their ids in Odoo."""
    if not order_ids:
        return {}
    with database.cursor() as cursor, cursor.connection.cursor(row_factory=class_row(SalesOrder)) as raw:
        found = raw.execute(ORDERS, {"connection": connection_id, "orders": list(order_ids)}).fetchall()
    return {order.order_id: order for order in found}


def waiting_for(connection_id: int, purchase_ids: Collection[int], *, now: datetime) -> dict[int, Waiting]:
    """Return the sales orders that wait for what is still to come on those purchase orders, by their ids in Odoo."""
    if not purchase_ids:
        return {}
    values = {"connection": connection_id, "purchases": list(purchase_ids), "now": now}
    with database.cursor() as cursor, cursor.connection.cursor(row_factory=class_row(Waiting)) as raw:
        found = raw.execute(WAITING, values).fetchall()
    return {one.order_id: one for one in found}

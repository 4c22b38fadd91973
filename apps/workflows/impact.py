"""Downstream impact: the sales orders, customers and revenue that a purchase order, a transfer or a supplier puts at risk."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection as database
from psycopg.rows import class_row

from apps.accounts.access import EVERYTHING, AccessScope
from apps.workflows import supply_allocation

# So many orders are named; the totals count all.
NAMED = 100


@dataclass(frozen=True, kw_only=True)
class WaitingOrder:
    """A sales order that waits for what is late, or may become so.

    Attributes:
        promised_at: the date promised to the customer; where none was, when Odoo means to deliver.
        expected_at: when what it waits for is expected; today at the earliest.
        is_at_risk: it is expected later than it was promised.
        revenue: the untaxed value of the quantity that waits, in the company's currency.
        is_linked: Odoo itself links the two; otherwise they share product, company and warehouse, and this supply is the
            one that reaches the order when the earliest promise is served first.
    """

    odoo_id: int
    name: str
    customer_id: int
    customer: str
    promised_at: datetime | None
    expected_at: datetime | None
    late_days: int
    is_at_risk: bool
    quantity: Decimal
    products: str
    revenue: Decimal
    currency: str
    is_linked: bool


@dataclass(frozen=True, kw_only=True)
class Impact:
    """What waits for a purchase order, a transfer or a supplier.

    Attributes:
        orders: the orders that wait, those at risk first, by what they are worth; at most :data:`NAMED`.
        orders_count, customers_count: those at risk, all of them.
        revenue: what is at risk, by currency.
        waiting_count: all orders that wait, at risk or not.
    """

    orders: Sequence[WaitingOrder]
    orders_count: int
    customers_count: int
    revenue: dict[str, Decimal]
    waiting_count: int


NOTHING = Impact(orders=[], orders_count=0, customers_count=0, revenue={}, waiting_count=0)

KNOWN = """
SELECT f.odoo_id, f.name, COALESCE(v.name, '') AS customer, f.promised_at, f.expected_at, f.late_days, f.is_at_risk,
       f.quantity, COALESCE(f.revenue, 0) AS revenue, COALESCE(cu.name, '') AS currency, f.is_linked,
       COALESCE(v.commercial_partner_id, f.partner_id) AS customer_id,
       (SELECT COALESCE(string_agg(DISTINCT t.name, ', ' ORDER BY t.name), '')
          FROM mirror_product_product pr
          JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
         WHERE pr.connection_id = %(connection)s AND pr.odoo_id = ANY(f.product_ids)) AS products
  FROM ({waiting}) AS f
  LEFT JOIN mirror_res_partner v ON v.connection_id = %(connection)s AND v.odoo_id = f.partner_id
  LEFT JOIN mirror_res_company co ON co.connection_id = %(connection)s AND co.odoo_id = f.company_id
  LEFT JOIN mirror_res_currency cu ON cu.connection_id = %(connection)s AND cu.odoo_id = co.currency_id
 WHERE {{sales_seen}}
 ORDER BY f.is_at_risk DESC, f.revenue DESC NULLS LAST, f.odoo_id
"""

# Of every name that the vendor trades under. A position is open until the order is received and billed.
ORDERS_OF_SUPPLIER = """
  SELECT p.odoo_id
    FROM workflows_position p
   WHERE p.connection_id = %(connection)s AND p.model = 'purchase.order' AND p.is_open AND {purchases_seen} AND p.partner_id IN (
     SELECT member.odoo_id
       FROM mirror_res_partner member
       JOIN mirror_res_partner asked ON asked.connection_id = member.connection_id
        AND asked.commercial_partner_id = member.commercial_partner_id
      WHERE asked.connection_id = %(connection)s AND asked.odoo_id = %(record)s)
"""

OF_PURCHASE = KNOWN.format(waiting=supply_allocation.waiting_for_purchases("%(record)s"))
OF_TRANSFER = KNOWN.format(waiting=supply_allocation.WAITING_FOR_TRANSFER)
OF_SUPPLIER = KNOWN.format(waiting=supply_allocation.waiting_for_purchases(ORDERS_OF_SUPPLIER))
STATEMENTS = {"purchase.order": OF_PURCHASE, "stock.picking": OF_TRANSFER, "res.partner": OF_SUPPLIER}


def statement(model: str, *, access_scope: AccessScope = EVERYTHING) -> str:
    """Return SQL of the orders that wait for ``%(record)s`` of ``%(connection)s``; for which models, :data:`STATEMENTS` says."""
    return (
        STATEMENTS[model]
        .replace("{purchases_seen}", access_scope.sql("p"))
        .replace("{sales_seen}", access_scope.sql("co", "f.company_id"))
    )


def impact_of(connection_id: int, model: str, odoo_id: int, *, now: datetime, access_scope: AccessScope = EVERYTHING) -> Impact:
    """What waits for the purchase order, the transfer or the supplier (``res.partner``); nothing for any other model.

    One statement, that costs by what is open of the products concerned.

    Args:
        access_scope: whose purchases of the supplier, and whose sales orders, count.
    """
    if model not in STATEMENTS:
        return NOTHING
    with database.cursor() as cursor, cursor.connection.cursor(row_factory=class_row(WaitingOrder)) as raw:
        found = raw.execute(
            statement(model, access_scope=access_scope), {"connection": connection_id, "record": odoo_id, "now": now}
        ).fetchall()
    at_risk = [order for order in found if order.is_at_risk]
    revenue: dict[str, Decimal] = defaultdict(Decimal)
    for order in at_risk:
        revenue[order.currency] += order.revenue
    return Impact(
        orders=found[:NAMED],
        orders_count=len(at_risk),
        customers_count=len({order.customer_id for order in at_risk}),
        revenue=dict(revenue),
        waiting_count=len(found),
    )

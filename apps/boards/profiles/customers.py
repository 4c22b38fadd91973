"""A customer: what it may owe and owes, what it waits for, how it orders and pays, and whether we deliver on time.

All figures are of the commercial entity with all its addresses, within the companies in sight; sums are in a company's currency and
never across currencies. ``docs/profiles.md`` says what each counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection as database
from django.utils.translation import gettext
from psycopg.rows import class_row

from apps.accounts.access import AccessScope
from apps.approvals.models import Request
from apps.boards.boards.figures import rows
from apps.boards.profiles import work
from apps.boards.profiles.family import Family, family_of
from apps.boards.profiles.spread import Spread, spread_of
from apps.core import statements
from apps.exceptions.models import ExceptionCase
from apps.odoo.models import Connection
from apps.workflows import days, registry, returned, units
from apps.workflows.rules import credit_limit, money, promises

ORDERS, PRODUCTS, PAYMENTS = 50, 8, 5_000
BACK = timedelta(days=365)
LATE_CUTS = (0, 3, 7, 14, 30)

# The credit rule's own statement, of an order that adds nothing.
CREDIT = statements.load(__file__, "customer_credit", credit=credit_limit.FACT.sql, in_sight="{seen}", root_in_sight="{parent}")
OPEN_ORDERS = f"""
SELECT p.odoo_id, p.name, p.stage, p.amount, p.currency, r.commitment_date AS promised_at, f.forecast_at,
       COALESCE(f.promise_late_days, 0) AS late_days, COALESCE(f.is_promise_at_risk, FALSE) AS is_at_risk
  FROM (SELECT p.* FROM workflows_position p
         WHERE p.connection_id = %(connection)s AND p.partner_id = ANY(%(members)s) AND p.is_open
           AND p.workflow = 'order_to_cash' AND {{seen}}
         ORDER BY p.due_at, p.odoo_id LIMIT {ORDERS}) AS p
  JOIN mirror_sale_order r ON r.connection_id = p.connection_id AND r.odoo_id = p.odoo_id AND r.deleted_at IS NULL
  LEFT JOIN LATERAL ({promises.OF_ONE}) AS f ON TRUE
 ORDER BY r.commitment_date NULLS LAST, p.odoo_id
"""
OPEN_TOTALS = """
SELECT p.currency, count(*), COALESCE(sum(p.amount), 0)
  FROM workflows_position p
 WHERE p.connection_id = %(connection)s AND p.partner_id = ANY(%(members)s) AND p.is_open
   AND p.workflow = 'order_to_cash' AND {seen}
 GROUP BY p.currency ORDER BY p.currency
"""
UNTAXED = "sum(o.amount_untaxed / COALESCE(NULLIF(o.currency_rate, 0), 1))"
# By the index sale_orders_running. Days between orders: of the days on which something was ordered.
HABITS = f"""
SELECT COALESCE(cu.name, '') AS currency, count(*) AS orders,
       {money.rounded(UNTAXED, f"max({money.smallest('o')})")} AS untaxed,
       min(o.date_order) AS first_order, max(o.date_order) AS last_order
  FROM mirror_sale_order o
  LEFT JOIN mirror_res_company co ON co.connection_id = o.connection_id AND co.odoo_id = o.company_id
  LEFT JOIN mirror_res_currency cu ON cu.connection_id = co.connection_id AND cu.odoo_id = co.currency_id
 WHERE o.connection_id = %(connection)s AND o.partner_id = ANY(%(members)s) AND o.state = 'sale' AND o.deleted_at IS NULL
   AND o.date_order > %(since)s AND {{seen}}
 GROUP BY cu.name ORDER BY count(*) DESC, cu.name
"""
BETWEEN = f"""
SELECT f.day - lag(f.day) OVER (ORDER BY f.day)
  FROM (SELECT DISTINCT {days.day("o.date_order", at=days.zone("o"))} AS day
          FROM mirror_sale_order o
         WHERE o.connection_id = %(connection)s AND o.partner_id = ANY(%(members)s) AND o.state = 'sale' AND o.deleted_at IS NULL
           AND o.date_order > %(since)s AND {{seen}}) AS f
"""
USUAL = f"""
SELECT l.product_id AS odoo_id, max(t.name) AS name, count(DISTINCT o.odoo_id) AS orders,
       sum({units.own("l.product_uom_qty", "l")}) AS quantity, COALESCE(max(u.name), '') AS unit
  FROM mirror_sale_order o
  JOIN mirror_sale_order_line l ON l.connection_id = o.connection_id AND l.order_id = o.odoo_id AND l.deleted_at IS NULL
   AND l.product_uom_qty > 0 AND l.is_downpayment IS NOT TRUE
  JOIN mirror_product_product pr ON pr.connection_id = l.connection_id AND pr.odoo_id = l.product_id AND pr.deleted_at IS NULL
  JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
  LEFT JOIN mirror_uom_uom u ON u.connection_id = t.connection_id AND u.odoo_id = t.uom_id
 WHERE o.connection_id = %(connection)s AND o.partner_id = ANY(%(members)s) AND o.state = 'sale' AND o.deleted_at IS NULL
   AND o.date_order > %(since)s AND {{seen}}
 GROUP BY l.product_id
 ORDER BY orders DESC, l.product_id
 LIMIT {PRODUCTS}
"""
# By the index invoices_of_customers. The day of payment is the last on which the invoice became paid.
PAID = f"""
SELECT {days.day("max(t.at)", at=days.zone("m"))} - m.invoice_date_due
  FROM mirror_account_move m
  JOIN workflows_transition t ON t.connection_id = m.connection_id AND t.model = 'account.move' AND t.odoo_id = m.odoo_id
   AND t.workflow = 'invoicing' AND t.to_stage = 'paid' AND t.from_stage <> ''
 WHERE m.connection_id = %(connection)s AND m.commercial_partner_id = %(customer)s AND m.state = 'posted'
   AND m.move_type = 'out_invoice' AND {days.real("m.invoice_date_due")} IS NOT NULL AND m.deleted_at IS NULL
   AND t.at > %(since)s AND {{seen}}
 GROUP BY m.id
 ORDER BY max(t.at) DESC
 LIMIT {PAYMENTS}
"""
# By the indexes sale_orders_running and pickings_by_order; what comes back is no delivery.
DELIVERED = f"""
SELECT {days.day("k.date_done", at=days.zone("k"))} - {days.day("k.date_deadline", at=days.zone("k"))}
  FROM mirror_sale_order o
  JOIN mirror_stock_picking k ON k.connection_id = o.connection_id AND k.sale_id = o.odoo_id AND k.state = 'done'
   AND k.picking_type_code IN ('outgoing', 'dropship') AND k.deleted_at IS NULL
   AND NOT {returned.place_is("supplier", "location_dest_id", "k").strip()}
 WHERE o.connection_id = %(connection)s AND o.partner_id = ANY(%(members)s) AND o.state = 'sale' AND o.deleted_at IS NULL
   AND k.date_deadline IS NOT NULL AND k.date_done > %(since)s AND {{seen}}
 ORDER BY k.date_done DESC
 LIMIT {PAYMENTS}
"""


@dataclass(frozen=True, kw_only=True)
class Credit:
    """What a customer may owe to a company, its root and branches together, and owes."""

    company_id: int
    company: str
    currency: str
    credit_limit: Decimal
    open_invoices: Decimal
    draft_invoices: Decimal
    open_orders: Decimal
    exposure: Decimal
    overdue: Decimal
    overdue_days: int

    @property
    def is_over(self) -> bool:
        """Whether it owes more than it may; a limit of zero is none."""
        return 0 < self.credit_limit < self.exposure


@dataclass(frozen=True, kw_only=True)
class OpenOrder:
    """A sales order that is on its way, with what was promised and what is expected."""

    odoo_id: int
    name: str
    stage: str
    amount: Decimal | None
    currency: str
    promised_at: datetime | None
    forecast_at: datetime | None
    late_days: int
    is_at_risk: bool

    @property
    def stage_title(self) -> str:
        """The title of its stage, in the active language."""
        workflow = registry.workflows()["order_to_cash"]
        return gettext(workflow.stage(self.stage).title)


@dataclass(frozen=True, kw_only=True)
class Habit:
    """How much was ordered in a year, in one currency of companies."""

    currency: str
    orders: int
    untaxed: Decimal
    first_order: datetime
    last_order: datetime


@dataclass(frozen=True, kw_only=True)
class UsualProduct:
    """A product that a customer orders, in the product's own unit."""

    odoo_id: int
    name: str
    orders: int
    quantity: Decimal
    unit: str


@dataclass(frozen=True, kw_only=True)
class CustomerPage:
    """All of one customer.

    Attributes:
        totals: how many orders are open and what they are worth, by currency; all, while ``orders`` are the first of them.
        between: days between the days on which it ordered.
        paid: days beyond the due date on which invoices were paid.
        delivered: days beyond the deadline on which deliveries were done.
    """

    family: Family
    credit: Sequence[Credit]
    orders: Sequence[OpenOrder]
    totals: Sequence[tuple[str, int, Decimal]]
    cases: Sequence[tuple[ExceptionCase, str]]
    requests: Sequence[tuple[Request, str]]
    habits: Sequence[Habit]
    between: Spread
    usual: Sequence[UsualProduct]
    paid: Spread
    delivered: Spread
    is_vendor: bool

    @property
    def orders_count(self) -> int:
        """How many orders are open, all of them."""
        return sum(count for _, count, _ in self.totals)


def _in_sight(statement: str, seen: str) -> str:
    """Fill the place for who sees what; what else stands in braces is the database's."""
    return statement.replace("{seen}", seen)


def customer_of(connection: Connection, odoo_id: int, *, access_scope: AccessScope, now: datetime) -> CustomerPage | None:
    """Return all of one customer; None where there is no such partner any more, or it is out of sight."""
    family = family_of(connection, odoo_id, access_scope=access_scope)
    if family is None:
        return None
    values: dict[str, Any] = {
        "connection": connection.pk,
        "customer": family.odoo_id,
        "members": list(family.members),
        "now": now,
        "since": now - BACK,
    }

    def of(kind: type[Any], statement: str) -> list[Any]:
        with database.cursor() as cursor, cursor.connection.cursor(row_factory=class_row(kind)) as raw:
            return list(raw.execute(statement, values).fetchall())

    def days_of(statement: str) -> list[int]:
        return [number for (number,) in rows(statement, values) if number is not None]

    orders = access_scope.sql("o")
    return CustomerPage(
        family=family,
        credit=[
            one
            for one in of(
                Credit,
                _in_sight(CREDIT, access_scope.sql("co", "co.odoo_id")).replace("{parent}", access_scope.sql("co", "co.parent_id")),
            )
            if one.credit_limit or one.exposure or one.open_invoices or one.overdue
        ],
        orders=of(OpenOrder, _in_sight(OPEN_ORDERS, access_scope.sql("p"))),
        totals=rows(_in_sight(OPEN_TOTALS, access_scope.sql("p")), values),
        cases=work.cases_of(family, access_scope=access_scope, is_vendor=False),
        requests=work.requests_of(family, access_scope=access_scope, is_vendor=False),
        habits=of(Habit, _in_sight(HABITS, orders)),
        between=spread_of(days_of(_in_sight(BETWEEN, orders)), (7, 14, 30, 90)),
        usual=of(UsualProduct, _in_sight(USUAL, orders)),
        paid=spread_of(days_of(_in_sight(PAID, access_scope.sql("m"))), LATE_CUTS),
        delivered=spread_of(days_of(_in_sight(DELIVERED, access_scope.sql("k"))), LATE_CUTS),
        is_vendor=bool(rows(IS_VENDOR, values)),
    )


# By the index purchases_of_vendors.
IS_VENDOR = """
SELECT 1 FROM mirror_purchase_order b
 WHERE b.connection_id = %(connection)s AND b.partner_id = ANY(%(members)s) AND b.deleted_at IS NULL LIMIT 1
"""

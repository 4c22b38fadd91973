"""A vendor: whether it delivers on time and in full, how it answers, moves dates and bills, and what is open with it.

All figures are of the commercial entity with all its addresses, within the companies in sight; sums are in a company's currency and
never across currencies. Lines on time and in full, and lead times, are the KPIs' own statements, of one vendor and a year.
``docs/profiles.md`` says what each counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection as database
from django.utils.translation import gettext
from psycopg.rows import class_row

from apps.accounts.access import AccessScope
from apps.approvals.models import Request
from apps.boards.boards import line_facts
from apps.boards.boards.figures import rows
from apps.boards.profiles import work
from apps.boards.profiles.customers import BACK, LATE_CUTS
from apps.boards.profiles.family import Family, family_of
from apps.boards.profiles.spread import Spread, percent_spread_of, spread_of
from apps.exceptions.models import ExceptionCase
from apps.odoo.models import Connection
from apps.vendors.models import FollowUp, VendorLink, VendorRule
from apps.vendors.proposals import lines as proposal_lines
from apps.vendors.proposals import queries as proposals
from apps.vendors.proposals.screens import Row
from apps.workflows import days, impact, registry, supply_allocation
from apps.workflows.impact import Impact
from apps.workflows.rules import invoice_differences, receipts

ORDERS, COUNTED, BILLS, SHOWN = 20, 5_000, 200, 5

OF_VENDOR = "r.connection_id = %(connection)s AND r.partner_id = ANY(%(members)s) AND {seen}"
ZONE = "company_zone(s.connection_id, s.company_id)"


def _of_vendor(lines: str) -> str:
    """Return the statement of a KPI's lines for one vendor, whatever the product."""
    return lines.replace("{seen}", OF_VENDOR).replace("{of_line}", "TRUE")


# The lines that supplier OTIF counts, the newest first.
DELIVERED = f"""
SELECT {line_facts.IS_ON_TIME} AS is_on_time, {line_facts.IS_IN_FULL} AS is_in_full, {line_facts.IS_OTIF} AS is_otif,
       CASE WHEN {line_facts.IS_IN_FULL} THEN {days.day("s.last_at", at=ZONE)} - {days.day("s.at", at=ZONE)} END AS late_days
  FROM ({_of_vendor(line_facts.BOUGHT_LINES)}) AS s
 WHERE s.at > %(since)s AND s.at <= %(now)s
 ORDER BY s.at DESC, s.line_id DESC
 LIMIT {COUNTED}
"""
LEAD_TIMES = f"""
SELECT floor(f.seconds / 86400)::int
  FROM ({_of_vendor(line_facts.SUPPLIER_LEAD_TIME)}) AS f
 WHERE f.at > %(since)s AND f.at <= %(now)s
 ORDER BY f.at DESC
 LIMIT {COUNTED}
"""
# From the confirmation in Odoo until the vendor's word: Odoo's own mark, or what came from outside, whichever was first.
CONFIRMED = f"""
SELECT {days.day("min(said.at)", at="max(z.zone)")} - {days.day("r.date_approve", at="max(z.zone)")}
  FROM mirror_purchase_order r
 CROSS JOIN LATERAL {days.zoned("r")} AS z
 CROSS JOIN LATERAL (
   SELECT t.at FROM workflows_transition t
    WHERE t.connection_id = r.connection_id AND t.model = 'purchase.order' AND t.odoo_id = r.odoo_id
      AND t.workflow = 'procure_to_pay' AND t.from_stage = 'unacknowledged' AND t.to_stage = 'on_time' AND t.at >= r.date_approve
    UNION ALL
   SELECT e.occurred_at FROM events_event e
    WHERE e.connection_id = r.connection_id AND e.model = 'purchase.order' AND e.odoo_id = r.odoo_id
      AND e.kind = 'order_acknowledged' AND e.status = 'matched' AND e.occurred_at >= r.date_approve) AS said
 WHERE {OF_VENDOR} AND r.state IN ('purchase', 'done') AND r.deleted_at IS NULL AND r.date_approve > %(since)s
 GROUP BY r.id
 ORDER BY r.date_approve DESC
 LIMIT {COUNTED}
"""
# How the expected arrival of each line moved since the order was confirmed: how often, and by how many days in all.
MOVED = f"""
SELECT COALESCE(c.changes, 0), {days.day("c.last", at=days.zone("r"))} - {days.day("c.first", at=days.zone("r"))}
  FROM mirror_purchase_order r
  JOIN mirror_purchase_order_line l ON l.connection_id = r.connection_id AND l.order_id = r.odoo_id AND l.deleted_at IS NULL
   AND l.product_qty > 0 AND l.product_id IS NOT NULL AND COALESCE(l.display_type, '') = ''
  LEFT JOIN LATERAL (
    SELECT count(*) AS changes, (array_agg(d.old ORDER BY d.at, d.id))[1] AS first,
           (array_agg(d.new ORDER BY d.at DESC, d.id DESC))[1] AS last
      FROM mirror_datechange d
     WHERE d.connection_id = l.connection_id AND d.model = 'purchase.order.line' AND d.odoo_id = l.odoo_id
       AND d.field = 'date_planned' AND d.at > r.date_approve
       AND {days.real("d.old")} IS NOT NULL AND {days.real("d.new")} IS NOT NULL) AS c ON TRUE
 WHERE {OF_VENDOR} AND r.state IN ('purchase', 'done') AND r.deleted_at IS NULL AND r.date_approve > %(since)s
 ORDER BY r.date_approve DESC, l.odoo_id DESC
 LIMIT {COUNTED}
"""
# Posted bills against the orders that they bill, as the rule on differing invoices counts; by the index entries_by_purchase_line.
BILLED = f"""
SELECT COALESCE(cu.name, '') AS currency, COALESCE(f.price_difference, 0) AS difference,
       round(100 * COALESCE(f.price_difference, 0) / NULLIF(r.untaxed - COALESCE(f.price_difference, 0), 0), 1) AS percent
  FROM (SELECT r.*, r.amount_untaxed * COALESCE(abs(r.amount_total_signed) / NULLIF(abs(r.amount_total), 0), 1) AS untaxed
          FROM mirror_account_move r
         WHERE r.connection_id = %(connection)s AND r.commercial_partner_id = %(vendor)s AND r.move_type = 'in_invoice'
           AND r.state = 'posted' AND r.deleted_at IS NULL AND r.invoice_date > %(since)s::timestamptz::date AND {{seen}}
           AND r.odoo_id IN (
             SELECT il.move_id
               FROM mirror_purchase_order o
               JOIN mirror_purchase_order_line l ON l.connection_id = o.connection_id AND l.order_id = o.odoo_id
               JOIN mirror_account_move_line il ON il.connection_id = l.connection_id AND il.purchase_line_id = l.odoo_id
                AND il.deleted_at IS NULL
              WHERE o.connection_id = %(connection)s AND o.partner_id = ANY(%(members)s))
         ORDER BY r.invoice_date DESC, r.odoo_id DESC LIMIT {BILLS}) AS r
  LEFT JOIN LATERAL ({invoice_differences.match("TRUE")}) AS f ON TRUE
  LEFT JOIN mirror_res_company co ON co.connection_id = r.connection_id AND co.odoo_id = r.company_id
  LEFT JOIN mirror_res_currency cu ON cu.connection_id = co.connection_id AND cu.odoo_id = co.currency_id
"""
OPEN = """p.connection_id = %(connection)s AND p.partner_id = ANY(%(members)s) AND p.is_open
   AND p.workflow = 'procure_to_pay' AND {seen}"""
OPEN_TOTALS = (
    f"SELECT p.currency, count(*), COALESCE(sum(p.amount), 0) FROM workflows_position p WHERE {OPEN} GROUP BY 1 ORDER BY 1"
)
# What is still to come, and late, is the order's own fact; what is not ordered yet can only be planned.
OPEN_ORDERS = f"""
SELECT p.odoo_id, p.name, p.stage, p.amount, p.currency, COALESCE(f.expected_at, e.planned_at) AS expected_at,
       f.is_late, r.state IN ('purchase', 'done') AND f.is_received AS is_received, w.orders_count, w.revenue
  FROM (SELECT p.* FROM workflows_position p WHERE {OPEN} ORDER BY p.due_at, p.odoo_id LIMIT {ORDERS}) AS p
  JOIN mirror_purchase_order r ON r.connection_id = p.connection_id AND r.odoo_id = p.odoo_id AND r.deleted_at IS NULL
 CROSS JOIN LATERAL ({receipts.RECEIPT.sql}) AS f
 CROSS JOIN LATERAL (
   SELECT min({days.real("l.date_planned")}) AS planned_at
     FROM mirror_purchase_order_line l
    WHERE r.state NOT IN ('purchase', 'done') AND l.connection_id = r.connection_id AND l.order_id = r.odoo_id
      AND l.deleted_at IS NULL AND l.product_qty > 0) AS e
 CROSS JOIN LATERAL (
   SELECT count(*) FILTER (WHERE o.is_at_risk) AS orders_count, COALESCE(sum(o.revenue) FILTER (WHERE o.is_at_risk), 0) AS revenue
     FROM ({supply_allocation.waiting_for_purchases("r.odoo_id")}) AS o) AS w
 ORDER BY expected_at NULLS LAST, p.odoo_id
"""
# By the index sale_orders_running.
IS_CUSTOMER = """
SELECT 1 FROM mirror_sale_order o
 WHERE o.connection_id = %(connection)s AND o.partner_id = ANY(%(members)s) AND o.state IN ('draft', 'sent', 'sale')
   AND o.deleted_at IS NULL AND {seen} LIMIT 1
"""


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many of a sample met something; without a sample there is no share."""

    n: int
    met: int

    @property
    def percent(self) -> Decimal | None:
        """The share in percent, to a tenth."""
        return round(Decimal(100 * self.met) / self.n, 1) if self.n else None


@dataclass(frozen=True, kw_only=True)
class PriceDifference:
    """What bills of one company's currency were above (below zero: below) the prices ordered."""

    currency: str
    bills: int
    differing: int
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class OpenPurchase:
    """A purchase order that is on its way, with the next day on which something is expected and what it puts at risk."""

    odoo_id: int
    name: str
    stage: str
    amount: Decimal | None
    currency: str
    expected_at: datetime | None
    is_late: bool
    is_received: bool
    orders_count: int
    revenue: Decimal

    @property
    def stage_title(self) -> str:
        """The title of its stage, in the active language."""
        workflow = registry.workflows()["procure_to_pay"]
        return gettext(workflow.stage(self.stage).title)


@dataclass(frozen=True, kw_only=True)
class VendorPage:
    """All of one vendor.

    Attributes:
        on_time, in_full, otif: of the purchase lines whose planned day has passed.
        late: days beyond the planned day on which lines were received in full.
        lead: days from the confirmation until a line was received in full.
        confirmed: days from the confirmation in Odoo until the vendor acknowledged.
        moved, moves_count: lines whose date moved after the confirmation, and how often in all.
        moved_days: by how many days those moved.
        price_percent: bills, by how many percent they are above the prices ordered.
        totals: how many orders are open and what they are worth, by currency; all, while ``orders`` are the first of them.
    """

    family: Family
    on_time: Share
    in_full: Share
    otif: Share
    late: Spread
    lead: Spread
    confirmed: Spread
    moved: Share
    moves_count: int
    moved_days: Spread
    price_percent: Spread
    prices: Sequence[PriceDifference]
    orders: Sequence[OpenPurchase]
    totals: Sequence[tuple[str, int, Decimal]]
    impact: Impact
    cases: Sequence[tuple[ExceptionCase, str]]
    requests: Sequence[tuple[Request, str]]
    proposals: Sequence[Row]
    links: Sequence[VendorLink]
    follow_ups: Sequence[FollowUp]
    rules: Sequence[VendorRule]
    is_customer: bool

    @property
    def orders_count(self) -> int:
        """How many orders are open, all of them."""
        return sum(count for _, count, _ in self.totals)


def vendor_of(connection: Connection, odoo_id: int, *, access_scope: AccessScope, now: datetime) -> VendorPage | None:
    """Return all of one vendor; None where there is no such partner any more, or it is out of sight."""
    family = family_of(connection, odoo_id, access_scope=access_scope)
    if family is None:
        return None
    values: dict[str, Any] = {
        "connection": connection.pk,
        "vendor": family.odoo_id,
        "members": list(family.members),
        "now": now,
        "since": now - BACK,
    }

    def of(statement: str, alias: str = "r") -> list[tuple[Any, ...]]:
        return rows(statement.replace("{seen}", access_scope.sql(alias)), values)

    with database.cursor() as cursor, cursor.connection.cursor(row_factory=class_row(OpenPurchase)) as raw:
        orders = raw.execute(OPEN_ORDERS.replace("{seen}", access_scope.sql("p")), values).fetchall()
    delivered, moved, billed = of(DELIVERED), of(MOVED), of(BILLED)
    by_vendor = {"connection": connection, "partner_id": family.odoo_id}
    return VendorPage(
        family=family,
        on_time=_share([is_met for is_met, _, _, _ in delivered]),
        in_full=_share([is_met for _, is_met, _, _ in delivered]),
        otif=_share([is_met for _, _, is_met, _ in delivered]),
        late=spread_of([number for *_, number in delivered if number is not None], LATE_CUTS),
        lead=spread_of([number for (number,) in of(LEAD_TIMES)], (7, 14, 30, 60)),
        confirmed=spread_of([number for (number,) in of(CONFIRMED)], (2, 5, 10, 20)),
        moved=_share([changes > 0 for changes, _ in moved]),
        moves_count=sum(changes for changes, _ in moved),
        moved_days=spread_of([number for _, number in moved if number is not None], LATE_CUTS, first=gettext("earlier, or back")),
        price_percent=percent_spread_of([percent for _, _, percent in billed if percent is not None], (2, 5, 10)),
        prices=_by_currency(billed),
        orders=orders,
        totals=of(OPEN_TOTALS, "p"),
        impact=impact.impact_of(connection.pk, "res.partner", family.odoo_id, now=now, access_scope=access_scope),
        cases=work.cases_of(family, access_scope=access_scope, is_vendor=True),
        requests=work.requests_of(family, access_scope=access_scope, is_vendor=True),
        proposals=[
            Row(proposal=one, lines=proposal_lines.read(one.lines))
            for one in proposals.proposals(access_scope).filter(connection=connection, partner_id__in=family.members)[:SHOWN]
        ],
        links=list(proposals.open_links(access_scope, now=now).filter(**by_vendor)[:SHOWN]),
        follow_ups=list(FollowUp.objects.filter(access_scope.of_records(), **by_vendor).order_by("-sent_at")[:SHOWN]),
        rules=list(proposals.rules(access_scope).filter(**by_vendor)[:SHOWN]),
        is_customer=bool(of(IS_CUSTOMER, "o")),
    )


def _share(met: Sequence[bool]) -> Share:
    return Share(n=len(met), met=sum(met))


def _by_currency(billed: Sequence[tuple[str, Decimal, Decimal | None]]) -> list[PriceDifference]:
    return [
        PriceDifference(
            currency=currency,
            bills=len(of_it := [difference for code, difference, _ in billed if code == currency]),
            differing=sum(1 for difference in of_it if difference),
            amount=sum(of_it, Decimal(0)),
        )
        for currency in sorted({code for code, _, _ in billed})
    ]

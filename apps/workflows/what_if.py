"""What a change would do, before it is made: which sales orders would be delivered when, and how the stock would run.

The change is written into the mirror as Odoo would write it (:mod:`apps.workflows.hypothetical`), the orders that it reaches are
evaluated by the workflow's own statements, and the transaction is rolled back: nobody else sees it, and what the queue says
afterwards cannot be another thing. Odoo is not asked.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection as database
from django.utils.translation import gettext, ngettext

from apps.accounts.access import AccessScope
from apps.core.transactions import atomic_with_retry, undone
from apps.workflows import engine, hypothetical, registry, stock_curve, what_if_checks
from apps.workflows.changes import Change
from apps.workflows.stock_curve import Curve

# So many orders are named; the figures count all.
NAMED = 100
# So many orders are evaluated.
MOST_ORDERS = 2_000

WORKFLOW = "order_to_cash"
# What is compared, as the evaluation computes it.
COLUMNS = frozenset(
    {
        "commitment_date",
        "company_id",
        "currency",
        "forecast_at",
        "has_shortage",
        "is_promise_at_risk",
        "partner_id",
        "partner_name",
        "promise_late_days",
        "state",
        "uncovered_quantity",
        "undelivered_amount",
    }
)
COMPARED = ("forecast_at", "has_shortage", "is_promise_at_risk", "promise_late_days", "uncovered_quantity")


@dataclass(frozen=True, kw_only=True)
class ChangedOrder:
    """A sales order that would be delivered at another time, or come to be or stop being short or at risk.

    Attributes:
        forecast_before, forecast_after: None where nothing is to be delivered.
        days: by how many of the company's days the delivery moves, later above zero; None where there is no forecast.
        is_at_risk_before, is_at_risk_after: whether it is the exception ``order.promise_at_risk``.
        is_short_before, is_short_after: whether it is the exception ``order.stock_shortage``.
        revenue: the untaxed value of what is not delivered, in the company's currency.
    """

    odoo_id: int
    name: str
    customer_id: int | None
    customer: str
    promised_at: datetime | None
    forecast_before: datetime | None
    forecast_after: datetime | None
    days: int | None
    late_days_before: int
    late_days_after: int
    is_at_risk_before: bool
    is_at_risk_after: bool
    is_short_before: bool
    is_short_after: bool
    revenue: Decimal
    currency: str


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What would change.

    Attributes:
        orders: those that change, the newly at risk first, by what they are worth; at most :data:`NAMED`.
        orders_count, customers_count, revenue: of all that change; revenue by currency.
        newly_at_risk, relieved: orders that come to be at risk of breaking their promise, and that stop being so.
        revenue_newly_at_risk: by currency.
        newly_short, supplied: orders that come to lack goods that arrive too late or never, and that stop lacking them.
        later, earlier: orders that are delivered later and earlier, and by how many days at the most.
        evaluated: the orders that were evaluated.
        is_cut: there were more than :data:`MOST_ORDERS`.
        curves: the projected stock of the products that it is about.
    """

    orders: Sequence[ChangedOrder] = ()
    orders_count: int = 0
    customers_count: int = 0
    revenue: Mapping[str, Decimal] = field(default_factory=dict)
    newly_at_risk: int = 0
    relieved: int = 0
    revenue_newly_at_risk: Mapping[str, Decimal] = field(default_factory=dict)
    newly_short: int = 0
    supplied: int = 0
    later: int = 0
    earlier: int = 0
    most_days_later: int = 0
    most_days_earlier: int = 0
    evaluated: int = 0
    is_cut: bool = False
    curves: Sequence[Curve] = ()

    @property
    def has_impact(self) -> bool:
        """Whether any sales order changes."""
        return self.orders_count > 0

    @property
    def sentence(self) -> str:
        """The whole of it in one sentence."""
        if not self.has_impact:
            return gettext("No impact: no sales order is delivered at another time.")
        parts = [
            (
                self.newly_at_risk,
                ngettext("%(n)s promise comes to be at risk", "%(n)s promises come to be at risk", self.newly_at_risk),
            ),
            (self.relieved, ngettext("%(n)s promise can be kept again", "%(n)s promises can be kept again", self.relieved)),
            (self.newly_short, ngettext("%(n)s order comes to be short", "%(n)s orders come to be short", self.newly_short)),
            (self.supplied, ngettext("%(n)s order is short no longer", "%(n)s orders are short no longer", self.supplied)),
            (
                self.later,
                ngettext(
                    "%(n)s order is delivered later, by %(days)s d at most",
                    "%(n)s orders are delivered later, by %(days)s d at most",
                    self.later,
                ),
            ),
            (
                self.earlier,
                ngettext(
                    "%(n)s order is delivered earlier, by %(days)s d at most",
                    "%(n)s orders are delivered earlier, by %(days)s d at most",
                    self.earlier,
                ),
            ),
        ]
        most = {id(words): days for (_, words), days in zip(parts[4:], (self.most_days_later, self.most_days_earlier), strict=True)}
        said = [words % {"n": f"{count:,}", "days": most.get(id(words), 0)} for count, words in parts if count]
        changed = ngettext("%(n)s sales order changes", "%(n)s sales orders change", self.orders_count)
        told = changed % {"n": f"{self.orders_count:,}"}
        return f"{told}: {', '.join(said)}." if said else f"{told}."


type _Rows = Mapping[int, Mapping[str, Any]]


def preview(connection_id: int, changes: Sequence[Change], *, now: datetime, access_scope: AccessScope) -> Preview:
    """Say what the changes together would do to the sales orders in ``access_scope``, and change nothing.

    Raises ChangeRefusedError where one of them is of something that is not there, not in sight, or that Odoo would refuse.
    """
    with what_if_checks.gives_way():
        found = _both(connection_id, changes, now, access_scope)
    return _told(*found, zones=_zones(connection_id, found[0], found[1]), access_scope=access_scope, connection_id=connection_id)


@atomic_with_retry
def _both(
    connection_id: int, changes: Sequence[Change], now: datetime, access_scope: AccessScope
) -> tuple[_Rows, _Rows, Sequence[Curve], bool]:
    """The orders before and after, the curves, and whether there are more, as one moment of the mirror has them."""
    what_if_checks.begin()
    what_if_checks.check(connection_id, changes, access_scope=access_scope, now=now)
    workflow = registry.workflows()[WORKFLOW]
    products = stock_curve.products_of(connection_id, changes)
    with undone():
        touched = hypothetical.apply(connection_id, changes, now=now)
        changed = {model: dict.fromkeys(ids, now) for model, ids in touched.items()}
        reached = sorted(engine.affected(workflow, connection_id=connection_id, changed=changed, now=now))
        ids = reached[:MOST_ORDERS]
        after = engine.read(workflow, COLUMNS, connection_id=connection_id, odoo_ids=ids, now=now)
        places_after = stock_curve.projected(connection_id, products, now=now)
    before = engine.read(workflow, COLUMNS, connection_id=connection_id, odoo_ids=ids, now=now)
    places = stock_curve.projected(connection_id, products, now=now)
    return (
        before,
        after,
        stock_curve.curves(connection_id, places, places_after, access_scope=access_scope),
        len(reached) > MOST_ORDERS,
    )


def _told(
    before: _Rows,
    after: _Rows,
    curves: Sequence[Curve],
    is_cut: bool,
    *,
    zones: Mapping[int | None, ZoneInfo],
    access_scope: AccessScope,
    connection_id: int,
) -> Preview:
    visible = {odoo_id for odoo_id, row in after.items() if access_scope.sees(connection_id, row["company_id"])}
    orders = [
        _changed(before[odoo_id], after[odoo_id], zones)
        for odoo_id in visible & before.keys()
        if any(before[odoo_id][name] != after[odoo_id][name] for name in COMPARED)
    ]
    orders.sort(key=lambda one: (one.is_at_risk_after <= one.is_at_risk_before, -one.revenue, one.odoo_id))
    at_risk = [one for one in orders if one.is_at_risk_after and not one.is_at_risk_before]
    days = [one.days for one in orders if one.days]
    return Preview(
        orders=orders[:NAMED],
        orders_count=len(orders),
        customers_count=len({one.customer_id for one in orders}),
        revenue=_by_currency(orders),
        newly_at_risk=len(at_risk),
        relieved=sum(one.is_at_risk_before and not one.is_at_risk_after for one in orders),
        revenue_newly_at_risk=_by_currency(at_risk),
        newly_short=sum(one.is_short_after and not one.is_short_before for one in orders),
        supplied=sum(one.is_short_before and not one.is_short_after for one in orders),
        later=sum(one > 0 for one in days),
        earlier=sum(one < 0 for one in days),
        most_days_later=max([0, *days]),
        most_days_earlier=-min([0, *days]),
        evaluated=len(visible),
        is_cut=is_cut,
        curves=curves,
    )


def _changed(before: Mapping[str, Any], after: Mapping[str, Any], zones: Mapping[int | None, ZoneInfo]) -> ChangedOrder:
    zone = zones[after["company_id"]]
    was, becomes = before["forecast_at"], after["forecast_at"]
    days = (becomes.astimezone(zone).date() - was.astimezone(zone).date()).days if was and becomes else None
    return ChangedOrder(
        odoo_id=after["odoo_id"],
        name=after["record_name"],
        customer_id=after["partner_id"],
        customer=after["partner_name"] or "",
        promised_at=after["commitment_date"],
        forecast_before=was,
        forecast_after=becomes,
        days=days,
        late_days_before=before["promise_late_days"] or 0,
        late_days_after=after["promise_late_days"] or 0,
        is_at_risk_before=bool(before["is_promise_at_risk"]),
        is_at_risk_after=bool(after["is_promise_at_risk"]),
        is_short_before=bool(before["has_shortage"]),
        is_short_after=bool(after["has_shortage"]),
        revenue=after["undelivered_amount"] or Decimal(0),
        currency=after["currency"] or "",
    )


def _by_currency(orders: Sequence[ChangedOrder]) -> Mapping[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for order in orders:
        found[order.currency] += order.revenue
    return dict(found)


def _zones(connection_id: int, *rows: _Rows) -> Mapping[int | None, ZoneInfo]:
    """The time zone of each company that the orders are of."""
    companies = {row["company_id"] for part in rows for row in part.values()}
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT c.id, company_zone(%(connection)s, c.id) FROM unnest(%(companies)s::bigint[]) AS c(id)",
            {"connection": connection_id, "companies": list(companies)},
        )
        return {company: ZoneInfo(zone) for company, zone in cursor.fetchall()}

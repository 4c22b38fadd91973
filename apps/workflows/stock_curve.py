"""The projected stock of a product in a warehouse, day by day: as it stands, or before and after a hypothetical change.

It begins with what lies free there now; what is to come and is promised to no certain order is added on the day on which it is
expected, and what sales orders lack is taken away on the day that they were promised: the rows of
:mod:`apps.workflows.supply_allocation`. Below zero, orders wait. Quantities are in the product's own unit.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection as database

from apps.accounts.access import AccessScope
from apps.core import prepared, sentences, statements
from apps.workflows import days, engine, reservable, supply_allocation
from apps.workflows.changes import Change, NewPromise, OtherVendor, ReleasedHold, Transfer

# So many curves are made, those that change most first, and so far they reach.
MOST, HORIZON = 6, timedelta(days=180)

# Products of purchase lines (lines) and of sales orders (orders), with the components of kits.
PRODUCTS = """
SELECT l.product_id FROM mirror_purchase_order_line l WHERE l.connection_id = %(connection)s AND l.odoo_id = ANY(%(lines)s)
 UNION
SELECT m.product_id FROM mirror_stock_move m
 WHERE m.connection_id = %(connection)s AND m.purchase_line_id = ANY(%(lines)s) AND m.deleted_at IS NULL
 UNION
SELECT l.product_id FROM mirror_sale_order_line l
 WHERE l.connection_id = %(connection)s AND l.order_id = ANY(%(orders)s) AND l.deleted_at IS NULL
"""

ANY_OF = "{row}.product_id = ANY(%(products)s)"
# products: what comes and goes of each, by company, warehouse and the company's day.
EVENTS = statements.load(
    __file__,
    "stock_events",
    day=days.day("x.at", at="company_zone(%(connection)s, x.company_id)"),
    supplies=supply_allocation.supply(ANY_OF),
    free=reservable.by_warehouse(ANY_OF.format(row="q")),
    demands=supply_allocation.demand(ANY_OF.format(row="d")),
    promised_at=supply_allocation.from_today("d.promised_at", "d.company_id"),
)

NAMES = """
SELECT p.odoo_id, t.name, COALESCE(u.name, '')
  FROM mirror_product_product p
  JOIN mirror_product_template t ON t.connection_id = p.connection_id AND t.odoo_id = p.product_tmpl_id
  LEFT JOIN mirror_uom_uom u ON u.connection_id = t.connection_id AND u.odoo_id = t.uom_id
 WHERE p.connection_id = %(connection)s AND p.odoo_id = ANY(%(products)s)
"""
WAREHOUSES = """
SELECT w.odoo_id, w.name FROM mirror_stock_warehouse w WHERE w.connection_id = %(connection)s AND w.odoo_id = ANY(%(places)s)
"""

TODAY = f"""
SELECT c.id, {days.day("%(now)s::timestamptz", at="company_zone(%(connection)s, c.id)")}
  FROM unnest(%(companies)s::bigint[]) AS c(id)
"""

type Place = tuple[int, int | None, int]
type Events = Mapping[Place, Mapping[date, Decimal]]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The projected stock of one product in one warehouse.

    Attributes:
        days: the days on which either line moves, from today on.
        before, after: how much is left at the end of each of them.
        short_before, short_after: the first day that ends below zero.
    """

    product_id: int
    product: str
    unit: str
    warehouse_id: int
    warehouse: str
    days: Sequence[date]
    before: Sequence[Decimal]
    after: Sequence[Decimal]

    @property
    def short_before(self) -> date | None:
        """The first day that ends below zero as it stands."""
        return next((day for day, left in zip(self.days, self.before, strict=True) if left < 0), None)

    @property
    def short_after(self) -> date | None:
        """The first day that ends below zero with the change."""
        return next((day for day, left in zip(self.days, self.after, strict=True) if left < 0), None)

    @property
    def is_flat(self) -> bool:
        """Whether nothing comes or goes after today: one point is no curve."""
        return len(self.days) == 1 and self.before == self.after

    @property
    def points(self) -> Sequence[tuple[date, Decimal, Decimal]]:
        """Each day with what is left before and after."""
        return list(zip(self.days, self.before, self.after, strict=True))


def products_of(connection_id: int, changes: Sequence[Change]) -> list[int]:
    """Return the products that the changes are about."""
    named = {change.product_id for change in changes if isinstance(change, OtherVendor | Transfer)}
    lines = [line for change in changes if (line := getattr(change, "line_id", None))]
    orders = [change.order_id for change in changes if isinstance(change, ReleasedHold | NewPromise)]
    with database.cursor() as cursor:
        cursor.execute(PRODUCTS, {"connection": connection_id, "lines": lines, "orders": orders})
        return sorted(named | {product for (product,) in cursor.fetchall() if product})


def projected(connection_id: int, products: Sequence[int], *, now: datetime) -> Events:
    """Return what comes and goes of the products as the mirror stands, in the caller's transaction."""
    found: dict[Place, dict[date, Decimal]] = defaultdict(dict)
    values: dict[str, Any] = {"connection": connection_id, "products": list(products), "now": now}
    if len(products) <= engine.PLANNED_ONCE:
        rows = prepared.rows(EVENTS, values)
    else:
        with database.cursor() as cursor:
            cursor.execute(EVENTS, values)
            rows = sentences.rows_of(cursor)
    for row in rows:
        found[row["product_id"], row["company_id"], row["warehouse_id"]][row["day"]] = row["quantity"]
    return found


def curves(connection_id: int, before: Events, after: Events, *, access_scope: AccessScope) -> list[Curve]:
    """Return the curves of the places in sight where the two differ, the most different first; at most :data:`MOST`."""
    places = [place for place in before.keys() | after.keys() if access_scope.sees(connection_id, place[1])]
    different = {place: _difference(before.get(place, {}), after.get(place, {})) for place in places}
    chosen = sorted((place for place in places if different[place]), key=lambda place: (-different[place], str(place)))[:MOST]
    return _curves(connection_id, chosen, before, after)


def standing(connection_id: int, product_id: int, *, now: datetime, access_scope: AccessScope) -> list[Curve]:
    """Return the curves of a product as it stands, those that run short first and earliest; at most :data:`MOST`.

    Of the warehouses in sight in which something of it is, comes or goes.
    """
    projection = projected(connection_id, [product_id], now=now)
    places = sorted((place for place in projection if access_scope.sees(connection_id, place[1])), key=str)
    with database.cursor() as cursor:
        cursor.execute(TODAY, {"connection": connection_id, "companies": list({place[1] for place in places}), "now": now})
        today: dict[int | None, date] = dict(cursor.fetchall())
    # Where nothing lies now, a curve would only begin on the day on which something comes.
    events = {place: {today[place[1]]: Decimal(0)} | dict(projection[place]) for place in places}
    found = _curves(connection_id, places, events, events)
    return sorted(found, key=lambda one: (one.short_before is None, one.short_before or date.max, one.warehouse))[:MOST]


def _curves(connection_id: int, chosen: Sequence[Place], before: Events, after: Events) -> list[Curve]:
    if not chosen:
        return []
    values: dict[str, Any] = {
        "connection": connection_id,
        "products": [one[0] for one in chosen],
        "places": [one[2] for one in chosen],
    }
    with database.cursor() as cursor:
        cursor.execute(NAMES, values)
        products = {number: (name, unit) for number, name, unit in cursor.fetchall()}
        cursor.execute(WAREHOUSES, values)
        warehouses = dict(cursor.fetchall())
    return [
        _curve(place, before.get(place, {}), after.get(place, {}), *products.get(place[0], ("", "")), warehouses.get(place[2], ""))
        for place in chosen
    ]


def _difference(before: Mapping[date, Decimal], after: Mapping[date, Decimal]) -> Decimal:
    return sum((abs(after.get(day, Decimal(0)) - before.get(day, Decimal(0))) for day in before.keys() | after.keys()), Decimal(0))


def _curve(
    place: Place, before: Mapping[date, Decimal], after: Mapping[date, Decimal], product: str, unit: str, warehouse: str
) -> Curve:
    shown = sorted(before.keys() | after.keys())
    last = shown[0] + HORIZON
    lines: list[list[Decimal]] = []
    for events in (before, after):
        left, line = Decimal(0), []
        for day in shown:
            left += events.get(day, Decimal(0))
            line.append(left)
        lines.append(line)
    kept = [number for number, day in enumerate(shown) if day <= last]
    return Curve(
        product_id=place[0],
        product=product,
        unit=unit,
        warehouse_id=place[2],
        warehouse=warehouse,
        days=[shown[number] for number in kept],
        before=[lines[0][number] for number in kept],
        after=[lines[1][number] for number in kept],
    )

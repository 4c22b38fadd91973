"""A product: what there is of it and will be, who waits for it, what is to bring it, and who sells it.

Quantities are in the product's own unit. A product is of no company: whoever sees any part of a connection may find it, and sees of
it what is of the companies in sight. ``docs/profiles.md`` says what each part counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.utils.translation import gettext
from psycopg.rows import class_row

from apps.accounts.access import AccessScope
from apps.core import statements
from apps.mirror.models.product_product import Product
from apps.mirror.models.product_template import ProductTemplate
from apps.mirror.models.uom_uom import UnitOfMeasure
from apps.odoo.models import Connection
from apps.workflows import days, kits, reservable, stock_curve, supply_allocation, units
from apps.workflows.rules import promises
from apps.workflows.stock_curve import Curve

MOST, MOST_PRICES = 50, 200

# By the indexes moves_waiting and sale_lines_to_deliver.
WAITING = statements.load(
    __file__,
    "product_waiting",
    missing=units.own("m.product_uom_qty - COALESCE(m.quantity, 0)", "m", units.MOVE),
    short_states=supply_allocation.SHORT_STATES,
    earlier_step=supply_allocation.EARLIER_STEP.format(move="m"),
    ordered=units.own("l.product_uom_qty", "l"),
    wanted=kits.wanted("kit", "lacks.product_id"),
    sets=kits.sets("max(s.share)", "s.ordered"),
    commitment=days.real("o.commitment_date"),
    seen="{seen}",
)
# The promise's fact, of all of them at once: they stand in the same rows, which are worked out once.
FORECASTS = f"""
SELECT r.odoo_id, f.forecast_at, COALESCE(f.promise_late_days, 0) AS late_days,
       COALESCE(f.is_promise_at_risk, FALSE) AS is_at_risk
  FROM mirror_sale_order r
  LEFT JOIN LATERAL ({promises.PROMISE.sql}) AS f ON TRUE
 WHERE r.connection_id = %(connection)s AND r.odoo_id = ANY(%(ids)s)
"""
# What a line, or the components of a kit's line, still bring; of a transfer all is free.
STILL_TO_COME = f"""
CASE WHEN pl.product_id = %(product)s THEN {units.own("pl.product_qty - pl.qty_received", "pl")}
     ELSE COALESCE((SELECT sum({units.own("mv.product_uom_qty", "mv", units.MOVE)})
                      FROM mirror_stock_move mv
                     WHERE mv.connection_id = pl.connection_id AND mv.purchase_line_id = pl.odoo_id AND mv.product_id = %(product)s
                       AND mv.state NOT IN ('done', 'cancel') AND mv.deleted_at IS NULL), s.free) END"""
# The row of supplies, that the forecasts and the curve are made of; by the indexes purchase_lines_to_come and moves_to_come.
SUPPLIES = f"""
SELECT COALESCE(s.order_id, 0) AS order_id, COALESCE(s.order_name, '') AS name, COALESCE(s.vendor_id, 0) AS vendor_id,
       COALESCE(v.name, '') AS vendor, COALESCE(w.name, '') AS warehouse, {days.real("s.date_planned")} AS planned_at,
       trim_scale({STILL_TO_COME}) AS quantity, trim_scale(s.free) AS free, count(*) OVER () AS total
  FROM (SELECT x.line_id, x.order_id, x.order_name, x.vendor_id, x.company_id, max(x.warehouse_id) AS warehouse_id,
               min(x.date_planned) AS date_planned, sum(x.free) AS free
          FROM ({supply_allocation.supply("{row}.product_id = %(product)s")}) AS x
         GROUP BY x.line_id, x.order_id, x.order_name, x.vendor_id, x.company_id) AS s
 CROSS JOIN (SELECT %(connection)s::bigint AS connection_id) AS c
  LEFT JOIN mirror_purchase_order_line pl ON pl.connection_id = c.connection_id AND pl.odoo_id = s.line_id
  LEFT JOIN mirror_res_partner v ON v.connection_id = c.connection_id AND v.odoo_id = s.vendor_id
  LEFT JOIN mirror_stock_warehouse w ON w.connection_id = c.connection_id AND w.odoo_id = s.warehouse_id
 WHERE {{seen}}
 ORDER BY s.date_planned NULLS LAST, s.line_id
 LIMIT %(most)s
"""
# By the index quants_by_product, in the product's own unit. Not all that is on hand and not reserved is free: what lies in
# quarantine is not.
STOCK = f"""
SELECT w.odoo_id, COALESCE(w.name, '') AS warehouse, sum(q.quantity) AS on_hand, sum(COALESCE(q.reserved_quantity, 0)) AS reserved,
       COALESCE((SELECT sum(f.free)
                   FROM ({reservable.by_warehouse("q.product_id = %(product)s")}) AS f
                  WHERE f.warehouse_id = w.odoo_id), 0) AS free
  FROM mirror_stock_quant q
  JOIN mirror_stock_location place ON place.connection_id = q.connection_id AND place.odoo_id = q.location_id
   AND place.usage = 'internal'
  JOIN mirror_stock_warehouse w ON w.connection_id = place.connection_id AND w.odoo_id = place.warehouse_id
 WHERE q.connection_id = %(connection)s AND q.product_id = %(product)s AND q.deleted_at IS NULL AND {{seen}}
 GROUP BY w.odoo_id, w.name
 ORDER BY w.name, w.odoo_id
"""
# By the index vendor_prices_by_product: what counts today, in the vendor's currency and unit.
PRICES = f"""
SELECT s.partner_id AS odoo_id, COALESCE(v.name, '') AS vendor, s.price, COALESCE(s.discount, 0) AS discount,
       COALESCE(cu.name, '') AS currency, COALESCE(s.min_qty, 0) AS least,
       COALESCE({units.name_of("s.product_uom_id")}, {units.own_name("p.odoo_id")}, '') AS unit, COALESCE(s.delay, 0) AS lead_days
  FROM mirror_product_product p
  JOIN mirror_product_supplierinfo s ON s.connection_id = p.connection_id AND s.product_tmpl_id = p.product_tmpl_id
   AND COALESCE(s.product_id, p.odoo_id) = p.odoo_id AND s.deleted_at IS NULL
  LEFT JOIN mirror_res_partner v ON v.connection_id = s.connection_id AND v.odoo_id = s.partner_id
  LEFT JOIN mirror_res_currency cu ON cu.connection_id = s.connection_id AND cu.odoo_id = s.currency_id
 WHERE p.connection_id = %(connection)s AND p.odoo_id = %(product)s AND {{seen}}
   AND (s.date_start IS NULL OR s.date_start <= {days.day("%(now)s::timestamptz", at=days.zone("s"))})
   AND (s.date_end IS NULL OR s.date_end >= {days.day("%(now)s::timestamptz", at=days.zone("s"))})
 ORDER BY s.sequence, s.min_qty, s.price, s.odoo_id
 LIMIT {MOST_PRICES}
"""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A sales order that waits for the product.

    Attributes:
        quantity: what it lacks, in the product's own unit; of a kit, the sets that its components leave incomplete.
        kits: the kits of which the product is a component there; "" where it is sold itself.
        total: how many orders wait in all.
    """

    odoo_id: int
    name: str
    customer_id: int
    customer: str
    quantity: Decimal
    kits: str
    promised_at: datetime | None
    total: int


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """When all of a sales order is expected, and by how many days that is later than promised."""

    odoo_id: int
    forecast_at: datetime | None
    late_days: int
    is_at_risk: bool


@dataclass(frozen=True, kw_only=True)
class WaitingOrder:
    """A sales order that waits for the product, with its forecast."""

    order: Waiting
    forecast: Forecast


@dataclass(frozen=True, kw_only=True)
class Supply:
    """A purchase line, or a transfer, that is to bring the product.

    Attributes:
        order_id: the purchase order; 0 of a transfer, which has its own name.
        quantity, free: what is still to come of it, and what of that is promised to no certain order.
        total: how many there are in all.
    """

    order_id: int
    name: str
    vendor_id: int
    vendor: str
    warehouse: str
    planned_at: datetime | None
    quantity: Decimal
    free: Decimal
    total: int


@dataclass(frozen=True, kw_only=True)
class Stock:
    """What of the product is in one warehouse, in the product's own unit."""

    odoo_id: int
    warehouse: str
    on_hand: Decimal
    reserved: Decimal
    free: Decimal


@dataclass(frozen=True, kw_only=True)
class VendorPrice:
    """What a vendor asks for the product today, by its own unit and from so many of them on."""

    odoo_id: int
    vendor: str
    price: Decimal | None
    discount: Decimal
    currency: str
    least: Decimal
    unit: str
    lead_days: int


@dataclass(frozen=True, kw_only=True)
class ProductPage:
    """All of one product.

    Attributes:
        curves: its projected stock in each warehouse in which something is, comes or goes; those that run short first.
    """

    connection: Connection
    odoo_id: int
    name: str
    code: str
    is_active: bool
    unit: str
    stock: Sequence[Stock]
    curves: Sequence[Curve]
    waiting: Sequence[WaitingOrder]
    supplies: Sequence[Supply]
    prices: Sequence[VendorPrice]

    @property
    def odoo_url(self) -> str:
        """Its page in Odoo."""
        return self.connection.record_url("product.product", self.odoo_id)

    @property
    def waiting_count(self) -> int:
        """How many orders wait, all of them."""
        return self.waiting[0].order.total if self.waiting else 0

    @property
    def supplies_count(self) -> int:
        """How many lines and transfers are to come, all of them."""
        return self.supplies[0].total if self.supplies else 0


def product_of(connection: Connection, odoo_id: int, *, access_scope: AccessScope, now: datetime) -> ProductPage | None:
    """Return all of one product; None where the tower knows none of that number any more."""
    product = Product.objects.filter(connection=connection, odoo_id=odoo_id, deleted_at=None).first()
    if product is None:
        return None
    template = ProductTemplate.objects.filter(connection=connection, odoo_id=product.product_tmpl_id).first()
    unit = UnitOfMeasure.objects.filter(connection=connection, odoo_id=template.uom_id).first() if template else None
    values: dict[str, Any] = {"connection": connection.pk, "product": odoo_id, "most": MOST, "now": now}

    def of(kind: type[Any], statement: str, condition: str, **more: Any) -> list[Any]:
        with database.cursor() as cursor, cursor.connection.cursor(row_factory=class_row(kind)) as raw:
            return list(raw.execute(statement.replace("{seen}", condition), values | more).fetchall())

    with transaction.atomic():
        curves = stock_curve.standing(connection.pk, odoo_id, now=now, access_scope=access_scope)
    waiting = of(Waiting, WAITING, access_scope.sql("o"))
    forecasts = {one.odoo_id: one for one in of(Forecast, FORECASTS, "TRUE", ids=[one.odoo_id for one in waiting])}
    return ProductPage(
        connection=connection,
        odoo_id=odoo_id,
        name=(template.name if template else "") or gettext("Product %(odoo_id)s") % {"odoo_id": odoo_id},
        code=product.default_code or "",
        is_active=product.active is not False,
        unit=(unit.name or "") if unit else "",
        stock=of(Stock, STOCK, access_scope.sql("w")),
        curves=curves,
        waiting=[WaitingOrder(order=one, forecast=forecasts[one.odoo_id]) for one in waiting],
        supplies=of(Supply, SUPPLIES, access_scope.sql("c", "s.company_id")),
        prices=of(VendorPrice, PRICES, access_scope.sql("s")),
    )

"""What is open with one customer or supplier, and what waits for one product."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection as database
from django.db.models import Q
from django.utils.translation import gettext
from psycopg.rows import class_row

from apps.accounts.access import AccessScope
from apps.boards.boards.figures import rows
from apps.mirror.models.product_product import Product
from apps.mirror.models.product_template import ProductTemplate
from apps.mirror.models.res_partner import Partner
from apps.mirror.models.uom_uom import UnitOfMeasure
from apps.odoo.models import Connection
from apps.workflows import days, registry, supply_allocation, units
from apps.workflows.models import Position

MOST = 200

SHORT = "m.product_uom_qty - COALESCE(m.quantity, 0)"
# By the index moves_waiting: what is short of the product.
WAITING = f"""
SELECT o.odoo_id, o.name, COALESCE(v.name, '') AS partner, sum({units.own(SHORT, "m", units.MOVE)}) AS quantity,
       min(COALESCE(m.date_deadline, m.date)) AS at
  FROM mirror_stock_move m
  JOIN mirror_sale_order_line l ON l.connection_id = m.connection_id AND l.odoo_id = m.sale_line_id
  JOIN mirror_sale_order o ON o.connection_id = l.connection_id AND o.odoo_id = l.order_id AND o.deleted_at IS NULL
  LEFT JOIN mirror_res_partner v ON v.connection_id = o.connection_id AND v.odoo_id = o.partner_id
 WHERE m.connection_id = %(connection)s AND m.product_id = %(product)s AND m.deleted_at IS NULL
   AND m.state IN ('waiting', 'confirmed', 'partially_available') AND {{seen}}
   AND NOT EXISTS ({supply_allocation.EARLIER_STEP.format(move="m")})
 GROUP BY o.odoo_id, o.name, v.name
 ORDER BY at, o.odoo_id
 LIMIT %(most)s
"""
# By the index purchase_lines_to_come.
TO_COME = f"""
SELECT o.odoo_id, o.name, COALESCE(v.name, '') AS partner, sum({units.own("l.product_qty - l.qty_received", "l")}) AS quantity,
       min(l.date_planned) AS at
  FROM mirror_purchase_order_line l
  JOIN mirror_purchase_order o ON o.connection_id = l.connection_id AND o.odoo_id = l.order_id AND o.deleted_at IS NULL
   AND o.state IN ('purchase', 'done')
  LEFT JOIN mirror_res_partner v ON v.connection_id = o.connection_id AND v.odoo_id = o.partner_id
 WHERE l.connection_id = %(connection)s AND l.product_id = %(product)s AND l.deleted_at IS NULL
   AND l.qty_received < l.product_qty AND {{seen}}
 GROUP BY o.odoo_id, o.name, v.name
 ORDER BY at, o.odoo_id
 LIMIT %(most)s
"""


# By the index quants_by_product, in the product's own unit.
STOCK = """
SELECT w.odoo_id, COALESCE(w.name, '') AS warehouse, sum(q.quantity) AS on_hand, sum(COALESCE(q.reserved_quantity, 0)) AS reserved,
       sum(q.quantity - COALESCE(q.reserved_quantity, 0)) AS free
  FROM mirror_stock_quant q
  JOIN mirror_stock_location place ON place.connection_id = q.connection_id AND place.odoo_id = q.location_id
   AND place.usage = 'internal'
  JOIN mirror_stock_warehouse w ON w.connection_id = place.connection_id AND w.odoo_id = place.warehouse_id
 WHERE q.connection_id = %(connection)s AND q.product_id = %(product)s AND q.deleted_at IS NULL AND {seen}
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
 LIMIT %(most)s
"""


def partners_in_sight(seen: AccessScope, alias: str) -> str:
    """SQL of which partners may be found. One of no company belongs to all of them: whoever sees some companies alone finds
    it by what is open with it there."""
    whole = AccessScope(None if seen.parts is None else frozenset(part for part in seen.parts if part[1] is None))
    return f"""({whole.sql(alias)} OR ({alias}.company_id IS NOT NULL AND {seen.sql(alias)}) OR EXISTS (
      SELECT 1 FROM workflows_position p
       WHERE p.connection_id = {alias}.connection_id AND p.partner_id = {alias}.odoo_id AND p.is_open
         AND p.company_id IS NOT NULL AND {seen.sql("p")}))"""


@dataclass(frozen=True, kw_only=True)
class OpenRecord:
    """A record that is on its way, with the words for where."""

    position: Position
    workflow: str
    stage: str


@dataclass(frozen=True, kw_only=True)
class PartnerPage:
    """What is open with one partner, under any of its names.

    Attributes:
        buys_from: whether it has open purchase orders, so that there is a page of what they put at risk.
    """

    connection: Connection
    name: str
    odoo_id: int
    odoo_url: str
    records: list[OpenRecord]
    amounts: dict[str, Decimal]
    late: int
    buys_from: bool


def partner_of(connection: Connection, odoo_id: int, *, seen: AccessScope, now: datetime) -> PartnerPage | None:
    """One customer or supplier; None where the tower knows no such partner, or it is out of sight."""
    partners = Partner.objects.filter(connection=connection, deleted_at=None)
    partner = partners.filter(odoo_id=odoo_id).values("id", "name", "commercial_partner_id").first()
    if partner is None or not rows(
        f"SELECT 1 FROM mirror_res_partner r WHERE r.id = %(id)s AND {partners_in_sight(seen, 'r')}", {"id": partner["id"]}
    ):
        return None
    known_as = partners.filter(commercial_partner_id=partner["commercial_partner_id"] or odoo_id).values("odoo_id")
    opened = Position.objects.filter(
        seen.of_records(), Q(partner_id=odoo_id) | Q(partner_id__in=known_as), connection=connection, is_open=True
    ).order_by("due_at", "id")
    workflows = registry.workflows()
    records = [
        OpenRecord(
            position=one,
            workflow=gettext(workflows[one.workflow].title),
            stage=gettext(workflows[one.workflow].stage(one.stage).title),
        )
        for one in opened[:MOST]
        if one.workflow in workflows
    ]
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for record in records:
        if record.position.amount is not None:
            amounts[record.position.currency] += record.position.amount
    return PartnerPage(
        connection=connection,
        name=partner["name"],
        odoo_id=odoo_id,
        odoo_url=connection.record_url("res.partner", odoo_id),
        records=records,
        amounts=dict(amounts),
        late=sum(1 for record in records if record.position.due_at and record.position.due_at < now),
        buys_from=seen.sees_whole(connection.pk) and any(record.position.model == "purchase.order" for record in records),
    )


@dataclass(frozen=True, kw_only=True)
class Line:
    """An order that waits for the product, or a purchase that is to bring it."""

    odoo_id: int
    name: str
    partner: str
    quantity: Decimal
    at: datetime | None


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
    """What there is of one product, what waits for it, what is to bring it, and who sells it."""

    connection: Connection
    name: str
    code: str
    odoo_url: str
    is_active: bool
    unit: str
    stock: list[Stock]
    waiting: list[Line]
    to_come: list[Line]
    prices: list[VendorPrice]


def product_of(connection: Connection, odoo_id: int, *, seen: AccessScope, now: datetime) -> ProductPage | None:
    """One product; None where the tower knows none of that number."""
    product = Product.objects.filter(connection=connection, odoo_id=odoo_id, deleted_at=None).first()
    if product is None:
        return None
    template = ProductTemplate.objects.filter(connection=connection, odoo_id=product.product_tmpl_id).first()
    values = {"connection": connection.pk, "product": odoo_id, "most": MOST, "now": now}
    with database.cursor() as cursor, cursor.connection.cursor(row_factory=class_row(Stock)) as raw:
        stock = raw.execute(STOCK.format(seen=seen.sql("w")), values).fetchall()
    with database.cursor() as cursor, cursor.connection.cursor(row_factory=class_row(VendorPrice)) as raw:
        prices = raw.execute(PRICES.format(seen=seen.sql("s")), values).fetchall()
    with database.cursor() as cursor, cursor.connection.cursor(row_factory=class_row(Line)) as raw:
        waiting = raw.execute(WAITING.format(seen=seen.sql("o")), values).fetchall()
        to_come = raw.execute(TO_COME.format(seen=seen.sql("o")), values).fetchall()
    return ProductPage(
        connection=connection,
        name=(template.name if template else "") or gettext("Product %(odoo_id)s") % {"odoo_id": odoo_id},
        code=product.default_code or "",
        odoo_url=connection.record_url("product.product", odoo_id),
        is_active=product.active is not False,
        unit=(
            UnitOfMeasure.objects.filter(connection=connection, odoo_id=template.uom_id).values_list("name", flat=True).first()
            or ""
        )
        if template
        else "",
        stock=stock,
        waiting=waiting,
        to_come=to_come,
        prices=prices,
    )

"""The chain that an order hangs in: its deliveries, the moves that wait, and the purchases that are to fill them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection as database
from psycopg.rows import class_row

from apps.workflows import units
from apps.workflows.models import Position


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A transfer that belongs to the order."""

    odoo_id: int
    name: str
    state: str
    kind: str
    scheduled_at: datetime | None
    done_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Supply:
    """A purchase that is to bring goods that the order waits for.

    Attributes:
        linked: Odoo itself links the two (the move's origin); otherwise they share the product, and this purchase is
            the next to bring it.
    """

    odoo_id: int
    name: str
    supplier: str
    product: str
    quantity: Decimal
    expected_at: datetime | None
    linked: bool


DELIVERIES = """
SELECT p.odoo_id, p.name, p.state, p.picking_type_code AS kind, p.scheduled_date AS scheduled_at, p.date_done AS done_at
  FROM mirror_stock_picking p
 WHERE p.connection_id = %(connection)s AND p.sale_id = %(order)s AND p.deleted_at IS NULL
 ORDER BY p.scheduled_date, p.odoo_id
"""

# First what Odoo links through the move's origin, else the next purchase line that brings the product; what another company
# buys does not fill this one's orders.
SUPPLIES = f"""
WITH RECURSIVE short AS (
  SELECT m.odoo_id, m.product_id, m.move_orig_ids
    FROM mirror_sale_order_line l
    JOIN mirror_stock_move m ON m.connection_id = l.connection_id AND m.sale_line_id = l.odoo_id
     AND m.deleted_at IS NULL AND m.state IN ('waiting', 'confirmed', 'partially_available')
   WHERE l.connection_id = %(connection)s AND l.order_id = %(order)s AND l.deleted_at IS NULL
), origins AS (
  SELECT unnest(move_orig_ids) AS odoo_id, product_id, 1 AS depth FROM short
  UNION
  SELECT unnest(m.move_orig_ids), o.product_id, o.depth + 1
    FROM origins o JOIN mirror_stock_move m ON m.connection_id = %(connection)s AND m.odoo_id = o.odoo_id
   WHERE o.depth < 10
), linked AS (
  SELECT DISTINCT m.purchase_line_id AS line_id, o.product_id
    FROM origins o
    JOIN mirror_stock_move m ON m.connection_id = %(connection)s AND m.odoo_id = o.odoo_id
   WHERE m.purchase_line_id IS NOT NULL AND m.state NOT IN ('done', 'cancel')
), by_product AS (
  SELECT next.line_id, s.product_id
    FROM (SELECT DISTINCT product_id FROM short) s
   CROSS JOIN LATERAL (
     SELECT pl.odoo_id AS line_id
       FROM mirror_purchase_order_line pl
       JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
        AND po.state IN ('purchase', 'done') AND po.deleted_at IS NULL
        AND (po.company_id = %(company)s OR po.company_id IS NULL OR %(company)s::bigint IS NULL)
      WHERE pl.connection_id = %(connection)s AND pl.product_id = s.product_id AND pl.deleted_at IS NULL
        AND pl.qty_received < pl.product_qty
      ORDER BY pl.date_planned
      LIMIT 1) AS next
   WHERE s.product_id NOT IN (SELECT product_id FROM linked)
)
SELECT po.odoo_id, po.name, COALESCE(v.name, '') AS supplier, COALESCE(t.name, '') AS product,
       {units.own("pl.product_qty - pl.qty_received", "pl")} AS quantity, pl.date_planned AS expected_at, found.linked
  FROM (SELECT line_id, TRUE AS linked FROM linked UNION ALL SELECT line_id, FALSE FROM by_product) AS found
  JOIN mirror_purchase_order_line pl ON pl.connection_id = %(connection)s AND pl.odoo_id = found.line_id
  JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
   AND (po.company_id = %(company)s OR po.company_id IS NULL OR %(company)s::bigint IS NULL)
  LEFT JOIN mirror_res_partner v ON v.connection_id = po.connection_id AND v.odoo_id = po.partner_id
  LEFT JOIN mirror_product_product pr ON pr.connection_id = pl.connection_id AND pr.odoo_id = pl.product_id
  LEFT JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
 ORDER BY pl.date_planned, pl.odoo_id
"""


def _rows[T](kind: type[T], statement: str, position: Position) -> list[T]:
    if position.model != "sale.order":
        return []
    with database.cursor() as cursor, cursor.connection.cursor(row_factory=class_row(kind)) as raw:
        values = {"connection": position.connection_id, "order": position.odoo_id, "company": position.company_id}
        found: list[T] = raw.execute(statement, values).fetchall()
        return found


def deliveries_of(position: Position) -> list[Delivery]:
    """The transfers of the order, in the order in which they are scheduled."""
    return _rows(Delivery, DELIVERIES, position)


def supplies_of(position: Position) -> list[Supply]:
    """The purchases that are to bring what the order waits for, the earliest first."""
    return _rows(Supply, SUPPLIES, position)

"""What a sales order is short of, when it can be delivered, and what it promised: declared here, used by order to cash.

Of each move that is short: the purchase that Odoo links to it, or the one that reaches it in the row of those who wait for
the product (:mod:`apps.workflows.cover`). The latest of these dates, and of the order's open deliveries, is the forecast.
"""

from datetime import timedelta

from django.db.models import Q

from apps.workflows import cover
from apps.workflows.declare import Dependency, ExceptionType, Fact
from apps.workflows.rules import sourcing

# A move that only waits for an earlier one of the same order line is told by that one.
SHORT_MOVES = f"""
SELECT m.odoo_id AS move_id, m.picking_id, m.create_date, m.product_uom_qty AS wanted, m.product_id, m.company_id,
       COALESCE(m.warehouse_id, 0) AS warehouse_id, m.move_orig_ids,
       COALESCE(m.date_deadline, m.date) AS promised_at, m.product_uom_qty - COALESCE(m.quantity, 0) AS missing,
       l.price_subtotal * LEAST((m.product_uom_qty - COALESCE(m.quantity, 0)) / NULLIF(l.product_uom_qty, 0), 1) AS value
  FROM mirror_sale_order_line l
  JOIN mirror_stock_move m ON m.connection_id = l.connection_id AND m.sale_line_id = l.odoo_id AND m.deleted_at IS NULL
   AND m.state IN {cover.SHORT_STATES} AND m.product_uom_qty > COALESCE(m.quantity, 0)
 WHERE r.state NOT IN ('draft', 'sent', 'cancel') AND COALESCE(r.delivery_status, '') <> 'full'
   AND l.connection_id = r.connection_id AND l.order_id = r.odoo_id AND l.deleted_at IS NULL
   AND NOT EXISTS (
     SELECT FROM mirror_stock_move own
      WHERE own.connection_id = m.connection_id AND own.odoo_id = ANY(m.move_orig_ids)
        AND own.sale_line_id = m.sale_line_id AND own.state NOT IN ('done', 'cancel'))
"""

LINKED_SUPPLY = f"""
WITH RECURSIVE up(move_id, depth) AS (
  SELECT unnest(s.move_orig_ids), 1
  UNION
  SELECT unnest(o.move_orig_ids), up.depth + 1
    FROM up JOIN mirror_stock_move o ON o.connection_id = %(connection)s AND o.odoo_id = up.move_id
   WHERE up.depth < 10
)
SELECT COALESCE(pl.date_planned, o.date) AS planned_at, GREATEST(COALESCE(pl.date_planned, o.date), {cover.TODAY}) AS expected_at,
       po.odoo_id AS purchase_id, po.name AS purchase_name, po.partner_id AS vendor_id, s.missing AS covered
  FROM up
  JOIN mirror_stock_move o ON o.connection_id = %(connection)s AND o.odoo_id = up.move_id
   AND o.state NOT IN ('done', 'cancel') AND o.deleted_at IS NULL
  LEFT JOIN mirror_purchase_order_line pl ON pl.connection_id = o.connection_id AND pl.odoo_id = o.purchase_line_id
  LEFT JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
 WHERE s.move_orig_ids <> '{{}}'
 ORDER BY COALESCE(pl.date_planned, o.date) DESC, po.odoo_id
 LIMIT 1
"""

# The last purchase that the move needs, and how much of it all purchases together cover.
ROW_SUPPLY = f"""
SELECT x.date_planned AS planned_at, x.expected_at, x.order_id AS purchase_id, x.order_name AS purchase_name,
       x.vendor_id, LEAST(x.upto - ahead.missing, s.missing) AS covered
  FROM (SELECT COALESCE(sum(d.missing), 0) AS missing
          FROM ({cover.demand("d.product_id = s.product_id AND d.company_id IS NOT DISTINCT FROM s.company_id")}) AS d
         WHERE d.warehouse_id = s.warehouse_id AND (d.promised_at, d.move_id) < (s.promised_at, s.move_id)) AS ahead
 CROSS JOIN LATERAL (
   SELECT y.*, sum(y.free) OVER (ORDER BY y.date_planned, y.line_id) AS upto
     FROM ({cover.supply("pl.product_id = s.product_id AND pl.company_id IS NOT DISTINCT FROM s.company_id")}) AS y
    WHERE y.warehouse_id = s.warehouse_id) AS x
 WHERE COALESCE(s.move_orig_ids, '{{}}') = '{{}}' AND x.free > 0 AND x.upto > ahead.missing
   AND x.upto - x.free < ahead.missing + s.missing
 ORDER BY x.upto DESC
 LIMIT 1
"""

PROMISE = Fact(
    name="promise",
    columns=[
        "short_lines_count", "short_quantity", "short_amount", "short_products_names", "uncovered_quantity", "has_shortage",
        "next_supply", "next_supply_at", "forecast_at", "promise_late_days", "undelivered_amount", "promise_weight",
        "caused_by", "is_promise_at_risk", "promise_look_at", "supplied_at",
    ],
    sql=f"""
        SELECT f.*, round(f.undelivered_amount * (1 + f.promise_late_days / 7.0), 2) AS promise_weight
          FROM (
            SELECT g.short_lines_count, trim_scale(g.short_quantity) AS short_quantity,
                   round(g.short_value / COALESCE(NULLIF(r.currency_rate, 0), 1), 2) AS short_amount, g.short_products_names,
                   trim_scale(g.uncovered_quantity) AS uncovered_quantity, g.has_shortage, g.next_supply, g.next_supply_at,
                   t.forecast_at, g.caused_by, g.supplied_at,
                   GREATEST((t.forecast_at AT TIME ZONE 'UTC')::date - (r.commitment_date AT TIME ZONE 'UTC')::date, 0)
                     AS promise_late_days,
                   round(open.value / COALESCE(NULLIF(r.currency_rate, 0), 1), 2) AS undelivered_amount,
                   COALESCE(goes.is_open AND (t.forecast_at > r.commitment_date OR r.commitment_date <= %(now)s), FALSE)
                     AS is_promise_at_risk,
                   LEAST(CASE WHEN goes.is_open AND r.commitment_date > %(now)s THEN r.commitment_date END, g.next_planned_at)
                     AS promise_look_at
              FROM (
                SELECT count(*) AS short_lines_count, COALESCE(sum(s.missing), 0) AS short_quantity,
                       COALESCE(sum(s.value), 0) AS short_value,
                       string_agg(DISTINCT t.name, ', ') AS short_products_names,
                       COALESCE(sum(s.missing - COALESCE(c.covered, 0)), 0) AS uncovered_quantity,
                       COALESCE(bool_or(COALESCE(c.covered, 0) < s.missing OR CASE
                         WHEN r.commitment_date IS NULL THEN c.planned_at <= %(now)s
                         ELSE c.expected_at > r.commitment_date END), FALSE) AS has_shortage,
                       (array_agg(c.name ORDER BY c.expected_at) FILTER (WHERE c.name IS NOT NULL))[1] AS next_supply,
                       min(c.expected_at) AS next_supply_at, max(c.expected_at) AS supplied_at,
                       (array_agg(c.name ORDER BY c.expected_at DESC) FILTER (WHERE c.name IS NOT NULL))[1] AS caused_by,
                       min(c.planned_at) FILTER (WHERE c.planned_at > %(now)s) AS next_planned_at
                  FROM ({SHORT_MOVES}) AS s
                  LEFT JOIN LATERAL (
                    SELECT b.*, b.purchase_name || COALESCE(', ' || v.name, '') AS name
                      FROM (({LINKED_SUPPLY}) UNION ALL ({ROW_SUPPLY})) AS b
                      LEFT JOIN mirror_res_partner v ON v.connection_id = %(connection)s AND v.odoo_id = b.vendor_id
                  ) AS c ON TRUE
                  LEFT JOIN mirror_product_product pr ON pr.connection_id = %(connection)s AND pr.odoo_id = s.product_id
                  LEFT JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
              ) AS g
             CROSS JOIN LATERAL (
               SELECT count(*) > 0 AS is_open, max(p.scheduled_date) AS scheduled_at
                 FROM mirror_stock_picking p
                WHERE r.state NOT IN ('draft', 'sent', 'cancel') AND p.connection_id = r.connection_id
                  AND p.sale_id = r.odoo_id AND p.picking_type_code = 'outgoing' AND p.deleted_at IS NULL
                  AND p.state NOT IN ('draft', 'done', 'cancel')
             ) AS goes
             CROSS JOIN LATERAL (
               SELECT COALESCE(sum(l.price_subtotal * (l.product_uom_qty - l.qty_delivered) / l.product_uom_qty), 0) AS value
                 FROM mirror_sale_order_line l
                WHERE r.state NOT IN ('draft', 'sent', 'cancel') AND l.connection_id = r.connection_id
                  AND l.order_id = r.odoo_id AND l.deleted_at IS NULL AND l.product_uom_qty > l.qty_delivered
             ) AS open
             CROSS JOIN LATERAL (
               SELECT CASE WHEN goes.is_open THEN GREATEST(g.supplied_at, goes.scheduled_at, {cover.TODAY}) END AS forecast_at
             ) AS t
          ) AS f
    """,
)

DEPENDENCIES = [
    Dependency(
        model="stock.move",
        sql="SELECT DISTINCT l.order_id FROM mirror_stock_move m JOIN mirror_sale_order_line l"
        " ON l.connection_id = m.connection_id AND l.odoo_id = m.sale_line_id"
        " WHERE m.connection_id = %(connection)s AND m.odoo_id = ANY(%(ids)s) UNION "
        + cover.sales_of(cover.PRODUCTS_OF_MOVES),
    ),
    Dependency(model="purchase.order.line", sql=cover.sales_of(cover.PRODUCTS_OF_PURCHASE_LINES)),
    Dependency(model="purchase.order", sql=cover.sales_of(cover.PRODUCTS_OF_PURCHASES)),
]

STOCK_SHORTAGE = ExceptionType(
    name="order.stock_shortage",
    title="Stock shortage",
    when=Q(has_shortage=True),
    team="purchasing",
    due=timedelta(hours=8),
    amount="short_amount",
    evidence={
        "short_products_names": "Products",
        "short_quantity": "Missing",
        "uncovered_quantity": "Of which nothing brings",
        "next_supply": "Next supply",
        "next_supply_at": "Next supply expected",
        "commitment_date": "Promised",
        "short_lines_count": "Deliveries' lines that are short",
        "short_amount": "Value of what is missing",
    },
    severity=("short_amount", (1_000, 10_000, 50_000)),
    closed_because="What was missing is there, or comes in time",
    remedies=[
        sourcing.from_another_warehouse(sourcing.NEEDED_OF_ORDER),
        sourcing.from_another_vendor(sourcing.NEEDED_OF_ORDER),
    ],
)

PROMISE_WHAT_CAN_BE_KEPT = sourcing.promise_later(
    f"""
        SELECT r.odoo_id, r.name, p.name AS customer, r.commitment_date AS promised_at, f.forecast_at AS expected_at
          FROM mirror_sale_order r
         CROSS JOIN LATERAL ({PROMISE.sql}) AS f
          LEFT JOIN mirror_res_partner p ON p.connection_id = r.connection_id AND p.odoo_id = r.partner_id
         WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s AND f.forecast_at > r.commitment_date
    """,
    because="it cannot be delivered before",
)

# Later by a week counts double, by two weeks three times.
PROMISE_AT_RISK = ExceptionType(
    name="order.promise_at_risk",
    title="Promise at risk",
    when=Q(is_promise_at_risk=True),
    team="sales",
    due=timedelta(hours=8),
    amount="undelivered_amount",
    evidence={
        "partner_name": "Customer",
        "commitment_date": "Promised",
        "forecast_at": "Forecast",
        "promise_late_days": "Days late",
        "undelivered_amount": "Revenue at risk",
        "caused_by": "Caused by",
        "short_products_names": "Products that are missing",
        "short_quantity": "Missing",
        "salesperson": "Account owner",
    },
    severity=("promise_weight", (1_000, 10_000, 50_000)),
    closed_because="The order is delivered, or expected by the date promised",
    remedies=[PROMISE_WHAT_CAN_BE_KEPT],
)

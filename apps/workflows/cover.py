"""What is short and what is to cover it, as SQL that facts and pages share.

Where Odoo links a sales order's move to what feeds it (``move_orig_ids``), the link tells. Everything else is worked out
by product, company and warehouse, as a planner would on paper: the moves that are short stand in a row, the earliest
promise first, and the purchases that are to come fill them from the front, the earliest date first. What is reserved is
covered already. The row reaches as far as what is open, never into history.
"""

SHORT_STATES = "('waiting', 'confirmed', 'partially_available')"
# Nothing comes before today: what is overdue is expected today at the earliest. By the day, so that looking again within
# a day says the same.
TODAY = "(date_trunc('day', %(now)s::timestamptz AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')"


def demand(of: str) -> str:
    """Moves of sales orders that are short and that Odoo does not link to what feeds them.

    A move that only waits for an earlier move of its own line is told by that one.

    Args:
        of: SQL condition over the move ``d``.
    """
    return f"""
SELECT d.odoo_id AS move_id, d.sale_line_id, d.product_id, d.company_id, COALESCE(d.warehouse_id, 0) AS warehouse_id,
       COALESCE(d.date_deadline, d.date) AS promised_at, d.product_uom_qty - COALESCE(d.quantity, 0) AS missing
  FROM mirror_stock_move d
 WHERE d.connection_id = %(connection)s AND d.state IN {SHORT_STATES} AND d.sale_line_id IS NOT NULL
   AND d.deleted_at IS NULL AND COALESCE(d.move_orig_ids, '{{}}') = '{{}}'
   AND d.product_uom_qty > COALESCE(d.quantity, 0) AND {of}
"""


def supply(of: str) -> str:
    """Lines of confirmed purchases that are still to come, less what Odoo has promised to certain orders (``free``).

    A line whose receipts are all done or cancelled brings nothing any more, whatever is missing.

    Args:
        of: SQL condition over the purchase line ``pl``.
    """
    return f"""
SELECT pl.odoo_id AS line_id, pl.order_id, pl.product_id, pl.company_id, COALESCE(coming.warehouse_id, 0) AS warehouse_id,
       po.name AS order_name, po.partner_id AS vendor_id, pl.date_planned, GREATEST(pl.date_planned, {TODAY}) AS expected_at,
       GREATEST(pl.product_qty - pl.qty_received - coming.promised, 0) AS free
  FROM mirror_purchase_order_line pl
  JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
   AND po.state IN ('purchase', 'done') AND po.deleted_at IS NULL
 CROSS JOIN LATERAL (
   SELECT COALESCE(bool_or(mv.state NOT IN ('done', 'cancel')), TRUE) AS is_coming, max(pt.warehouse_id) AS warehouse_id,
          COALESCE(sum(fed.missing), 0) AS promised
     FROM mirror_stock_move mv
     LEFT JOIN mirror_stock_picking p ON p.connection_id = mv.connection_id AND p.odoo_id = mv.picking_id
     LEFT JOIN mirror_stock_picking_type pt ON pt.connection_id = p.connection_id AND pt.odoo_id = p.picking_type_id
     LEFT JOIN LATERAL (
       SELECT sum(f.product_uom_qty - COALESCE(f.quantity, 0)) AS missing
         FROM mirror_stock_move f
        WHERE f.connection_id = mv.connection_id AND f.product_id = mv.product_id
          AND f.move_orig_ids @> ARRAY[mv.odoo_id] AND f.deleted_at IS NULL
          AND f.state IN {SHORT_STATES} AND f.sale_line_id IS NOT NULL) AS fed ON mv.state NOT IN ('done', 'cancel')
    WHERE mv.connection_id = pl.connection_id AND mv.purchase_line_id = pl.odoo_id AND mv.deleted_at IS NULL) AS coming
 WHERE pl.connection_id = %(connection)s AND pl.qty_received < pl.product_qty AND pl.deleted_at IS NULL
   AND coming.is_coming AND {of}
"""


PRODUCTS_OF_LINES = """pl.product_id IN (
      SELECT lp.product_id FROM line JOIN mirror_purchase_order_line lp
          ON lp.connection_id = %(connection)s AND lp.odoo_id = line.line_id)"""


def _waiting(*, lines: str, starts: str) -> str:
    """From moves that bring goods to the sales orders that wait for them: one row an order.

    Args:
        lines: SELECT of the purchase lines (``line_id``).
        starts: SELECT of the moves with which the chain begins (``move_id``, ``expected_at``).
    """
    return f"""
WITH RECURSIVE line AS (
  {lines}
), start AS (
  {starts}
), walk(move_id, expected_at, depth) AS (
  SELECT move_id, GREATEST(expected_at, {TODAY}), 0 FROM start
  UNION
  SELECT m.odoo_id, w.expected_at, w.depth + 1
    FROM walk w
    JOIN mirror_stock_move m ON m.connection_id = %(connection)s AND m.move_orig_ids @> ARRAY[w.move_id]
     AND m.state NOT IN ('done', 'cancel') AND m.deleted_at IS NULL
   WHERE w.depth < 10
), row_of_supplies AS (
  SELECT s.*, sum(s.free) OVER (PARTITION BY product_id, company_id, warehouse_id ORDER BY date_planned, line_id) AS upto
    FROM ({supply(PRODUCTS_OF_LINES)}) AS s
), row_of_demands AS (
  SELECT d.*, sum(d.missing) OVER (PARTITION BY product_id, company_id, warehouse_id ORDER BY promised_at, move_id) AS upto
    FROM ({demand("d.product_id IN (SELECT product_id FROM row_of_supplies)")}) AS d
), waiting AS (
  SELECT m.sale_line_id, m.product_id, COALESCE(m.date_deadline, m.date) AS promised_at, reached.expected_at,
         CASE WHEN m.state IN {SHORT_STATES} THEN m.product_uom_qty - COALESCE(m.quantity, 0)
              ELSE m.product_uom_qty END AS quantity, TRUE AS linked
    FROM (SELECT move_id, max(expected_at) AS expected_at FROM walk GROUP BY move_id) AS reached
    JOIN mirror_stock_move m ON m.connection_id = %(connection)s AND m.odoo_id = reached.move_id
   WHERE m.sale_line_id IS NOT NULL AND m.state NOT IN ('done', 'cancel') AND m.deleted_at IS NULL
  UNION ALL
  SELECT d.sale_line_id, d.product_id, d.promised_at, s.expected_at,
         LEAST(d.upto, s.upto) - GREATEST(d.upto - d.missing, s.upto - s.free), FALSE
    FROM line
    JOIN row_of_supplies s ON s.line_id = line.line_id
    JOIN row_of_demands d ON (d.product_id, d.company_id, d.warehouse_id) IS NOT DISTINCT FROM
                             (s.product_id, s.company_id, s.warehouse_id)
     AND d.upto > s.upto - s.free AND d.upto - d.missing < s.upto
)
SELECT o.odoo_id, o.name, o.partner_id, max(promise.promised_at) AS promised_at, max(w.expected_at) AS expected_at,
       COALESCE(max(w.expected_at) > max(promise.promised_at), TRUE) AS is_at_risk,
       GREATEST(COALESCE((max(w.expected_at) AT TIME ZONE 'UTC')::date
                         - (max(promise.promised_at) AT TIME ZONE 'UTC')::date, 0), 0) AS late_days,
       round(sum(l.price_subtotal * LEAST(w.quantity / NULLIF(l.product_uom_qty, 0), 1)
                 / COALESCE(NULLIF(o.currency_rate, 0), 1)), 2) AS revenue,
       max(o.company_id) AS company_id, sum(w.quantity) AS quantity, bool_and(w.linked) AS is_linked,
       array_agg(DISTINCT w.product_id) AS product_ids
  FROM waiting w
  JOIN mirror_sale_order_line l ON l.connection_id = %(connection)s AND l.odoo_id = w.sale_line_id AND l.deleted_at IS NULL
  JOIN mirror_sale_order o ON o.connection_id = l.connection_id AND o.odoo_id = l.order_id AND o.deleted_at IS NULL
   AND o.state NOT IN ('draft', 'sent', 'cancel')
 CROSS JOIN LATERAL (SELECT COALESCE(o.commitment_date, w.promised_at) AS promised_at) AS promise
 GROUP BY o.connection_id, o.odoo_id, o.name, o.partner_id
"""


MOVES_OF_LINES = """
  SELECT m.odoo_id AS move_id, pl.date_planned AS expected_at
    FROM line
    JOIN mirror_purchase_order_line pl ON pl.connection_id = %(connection)s AND pl.odoo_id = line.line_id
    JOIN mirror_stock_move m ON m.connection_id = pl.connection_id AND m.purchase_line_id = pl.odoo_id
     AND m.state NOT IN ('done', 'cancel') AND m.deleted_at IS NULL
"""


def waiting_for_purchases(orders: str) -> str:
    """The sales orders that wait for what is still to come on purchase orders.

    Args:
        orders: SQL that yields the odoo_ids of purchase orders; those that are not confirmed bring nothing.
    """
    lines = f"""
  SELECT pl.odoo_id AS line_id
    FROM mirror_purchase_order_line pl
    JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
     AND po.state IN ('purchase', 'done') AND po.deleted_at IS NULL
   WHERE pl.connection_id = %(connection)s AND pl.order_id IN ({orders}) AND pl.qty_received < pl.product_qty
     AND pl.deleted_at IS NULL
"""
    return _waiting(lines=lines, starts=MOVES_OF_LINES)


# What a transfer brings, or takes to a customer itself. Of a receipt, the vendor's date counts too.
WAITING_FOR_TRANSFER = _waiting(
    lines="""
  SELECT DISTINCT m.purchase_line_id AS line_id
    FROM mirror_stock_move m
   WHERE m.connection_id = %(connection)s AND m.picking_id = %(record)s AND m.purchase_line_id IS NOT NULL
     AND m.state NOT IN ('done', 'cancel') AND m.deleted_at IS NULL
""",
    starts="""
  SELECT m.odoo_id AS move_id, GREATEST(p.scheduled_date, pl.date_planned) AS expected_at
    FROM mirror_stock_picking p
    JOIN mirror_stock_move m ON m.connection_id = p.connection_id AND m.picking_id = p.odoo_id
     AND m.state NOT IN ('done', 'cancel') AND m.deleted_at IS NULL
    LEFT JOIN mirror_purchase_order_line pl ON pl.connection_id = m.connection_id AND pl.odoo_id = m.purchase_line_id
   WHERE p.connection_id = %(connection)s AND p.odoo_id = %(record)s AND p.deleted_at IS NULL
""",
)


# Whose row changes when a record does: the products that it moves, and who stands in a row for those.
PRODUCTS_OF_MOVES = """
  SELECT m.product_id FROM mirror_stock_move m WHERE m.connection_id = %(connection)s AND m.odoo_id = ANY(%(ids)s)
     AND (m.sale_line_id IS NOT NULL OR m.purchase_line_id IS NOT NULL)
"""
PRODUCTS_OF_SALE_LINES = """
  SELECT l.product_id FROM mirror_sale_order_line l
   WHERE l.connection_id = %(connection)s AND l.odoo_id = ANY(%(ids)s) AND l.qty_delivered < l.product_uom_qty
"""
PRODUCTS_OF_SALES = """
  SELECT l.product_id
    FROM mirror_sale_order o
    JOIN mirror_sale_order_line l ON l.connection_id = o.connection_id AND l.order_id = o.odoo_id AND l.deleted_at IS NULL
     AND l.qty_delivered < l.product_uom_qty
   WHERE o.connection_id = %(connection)s AND o.odoo_id = ANY(%(ids)s) AND o.state NOT IN ('draft', 'sent')
"""
PRODUCTS_OF_PURCHASE_LINES = """
  SELECT l.product_id FROM mirror_purchase_order_line l
   WHERE l.connection_id = %(connection)s AND l.odoo_id = ANY(%(ids)s)
"""
PRODUCTS_OF_PURCHASES = """
  SELECT l.product_id FROM mirror_purchase_order_line l
   WHERE l.connection_id = %(connection)s AND l.order_id = ANY(%(ids)s)
"""


def purchases_of(products: str) -> str:
    """The confirmed purchase orders that are still to bring any of the products that the SQL ``products`` yields."""
    return f"""
SELECT DISTINCT po.odoo_id
  FROM mirror_purchase_order_line pl
  JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
   AND po.state IN ('purchase', 'done') AND po.deleted_at IS NULL
 WHERE pl.connection_id = %(connection)s AND pl.product_id IN ({products}) AND pl.qty_received < pl.product_qty
   AND pl.deleted_at IS NULL
"""


def sales_of(products: str) -> str:
    """The sales orders that are short of any of the products that the SQL ``products`` yields."""
    return f"""
SELECT DISTINCT l.order_id
  FROM mirror_stock_move d
  JOIN mirror_sale_order_line l ON l.connection_id = d.connection_id AND l.odoo_id = d.sale_line_id
 WHERE d.connection_id = %(connection)s AND d.product_id IN ({products}) AND d.state IN {SHORT_STATES}
   AND d.sale_line_id IS NOT NULL AND d.deleted_at IS NULL
"""

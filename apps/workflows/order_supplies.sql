-- The purchases that a sales order waits for: those that Odoo links, else the next that brings the product.
--
-- %(connection)s     bigint                       the connection
-- %(order)s          bigint                       the order's id in Odoo
-- %(company)s        bigint                       the order's company in Odoo; NULL where it has none
-- {{still_to_come}}  numeric, product's own unit  what line pl still brings

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
       {{still_to_come}} AS quantity, pl.date_planned AS expected_at, found.linked
  FROM (SELECT line_id, TRUE AS linked FROM linked UNION ALL SELECT line_id, FALSE FROM by_product) AS found
  JOIN mirror_purchase_order_line pl ON pl.connection_id = %(connection)s AND pl.odoo_id = found.line_id
  JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
   AND (po.company_id = %(company)s OR po.company_id IS NULL OR %(company)s::bigint IS NULL)
  LEFT JOIN mirror_res_partner v ON v.connection_id = po.connection_id AND v.odoo_id = po.partner_id
  LEFT JOIN mirror_product_product pr ON pr.connection_id = pl.connection_id AND pr.odoo_id = pl.product_id
  LEFT JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
 ORDER BY pl.date_planned, pl.odoo_id

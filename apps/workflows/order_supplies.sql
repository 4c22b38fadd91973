-- The purchases that a sales order waits for: those that Odoo links to what is short, and those that reach it in the row of who waits.
--
-- %(connection)s     bigint                       the connection
-- %(order)s          bigint                       the order's id in Odoo
-- {{short_moves}}    rows                         what order r is short of
-- {{is_fed}}         boolean                      whether what Odoo links to short move s is still to come
-- {{in_its_row}}     FROM clause                  what reaches short move s in the row, up to an open WHERE
-- {{still_to_come}}  numeric, product's own unit  what line pl still brings

WITH RECURSIVE short AS MATERIALIZED (
  SELECT s.*, {{is_fed}} AS is_fed
    FROM mirror_sale_order r
   CROSS JOIN LATERAL ({{short_moves}}) AS s
   WHERE r.connection_id = %(connection)s AND r.odoo_id = %(order)s
), origins(odoo_id, depth) AS (
  SELECT unnest(move_orig_ids), 1 FROM short WHERE is_fed
   UNION
  SELECT unnest(m.move_orig_ids), o.depth + 1
    FROM origins o JOIN mirror_stock_move m ON m.connection_id = %(connection)s AND m.odoo_id = o.odoo_id
   WHERE o.depth < 10
), brought AS (
  SELECT pl.order_id, pl.product_id, {{still_to_come}} AS quantity, pl.date_planned AS expected_at, TRUE AS linked
    FROM mirror_purchase_order_line pl
   WHERE pl.connection_id = %(connection)s AND pl.odoo_id IN (
     SELECT m.purchase_line_id
       FROM origins o JOIN mirror_stock_move m ON m.connection_id = %(connection)s AND m.odoo_id = o.odoo_id
        AND m.state NOT IN ('done', 'cancel') AND m.deleted_at IS NULL)
   UNION ALL
  SELECT x.order_id, x.product_id, x.quantity, x.expected_at, FALSE
    FROM short s
   CROSS JOIN LATERAL (
     SELECT x.order_id, x.product_id, x.date_planned AS expected_at,
            LEAST(x.upto, ahead.missing + s.missing) - GREATEST(x.upto - x.free, ahead.missing) AS quantity
     {{in_its_row}} AND x.order_id IS NOT NULL) AS x
)
SELECT po.odoo_id, po.name, COALESCE(v.name, '') AS supplier, COALESCE(t.name, '#' || b.product_id) AS product, sum(b.quantity) AS quantity,
       min(b.expected_at) AS expected_at, bool_or(b.linked) AS linked
  FROM brought b
  JOIN mirror_purchase_order po ON po.connection_id = %(connection)s AND po.odoo_id = b.order_id AND po.deleted_at IS NULL
  LEFT JOIN mirror_res_partner v ON v.connection_id = po.connection_id AND v.odoo_id = po.partner_id
  LEFT JOIN mirror_product_product pr ON pr.connection_id = po.connection_id AND pr.odoo_id = b.product_id
  LEFT JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
 GROUP BY po.odoo_id, po.name, v.name, t.name, b.product_id
 ORDER BY min(b.expected_at), po.odoo_id, b.product_id

-- A hypothetical other quantity of purchase lines: what their receipts bring then.
--
-- Odoo takes from the open moves what the line is less now, and cancels a move of which nothing is left. Of a kit the components go
-- in proportion.
--
-- %(connection)s     bigint                       the connection
-- {{changed_lines}}  rows                         the lines as they are, and wanted: the new quantity
-- {{moved}}          numeric, product's own unit  what move m brings
-- {{is_kit}}         boolean                      whether line is of a kit of which the product of move m is a component
-- {{wanted}}         numeric, product's own unit  how much of the product of move m the whole of line needs
-- {{stays}}          numeric, product's own unit  what line has still to bring then

WITH line AS ({{changed_lines}}), part AS (
  SELECT line.odoo_id AS line_id, m.product_id, sum({{moved}}) AS open,
         min(CASE WHEN {{is_kit}}
                  THEN (line.product_qty - line.wanted) / NULLIF(line.product_qty, 0)
                       * {{wanted}}
             END) AS less_of_kit,
         min({{stays}}) AS stays
    FROM line
    JOIN mirror_stock_move m ON m.connection_id = line.connection_id AND m.purchase_line_id = line.odoo_id
     AND m.deleted_at IS NULL AND m.state NOT IN ('done', 'cancel')
   GROUP BY line.odoo_id, m.product_id
), shared AS (
  SELECT line_id, product_id, GREATEST(CASE WHEN less_of_kit IS NULL THEN stays ELSE open - less_of_kit END, 0)
                              / NULLIF(open, 0) AS share
    FROM part
)
UPDATE mirror_stock_move m
   SET product_uom_qty = round(m.product_uom_qty * s.share, 6),
       quantity = LEAST(m.quantity, round(m.product_uom_qty * s.share, 6)),
       state = CASE WHEN round(m.product_uom_qty * s.share, 6) = 0 THEN 'cancel' ELSE m.state END,
       move_orig_ids = CASE WHEN round(m.product_uom_qty * s.share, 6) = 0 THEN '{}' ELSE m.move_orig_ids END
  FROM shared s
 WHERE m.connection_id = %(connection)s AND m.purchase_line_id = s.line_id AND m.product_id = s.product_id
   AND m.deleted_at IS NULL AND m.state NOT IN ('done', 'cancel') AND s.share <> 1
RETURNING m.odoo_id, m.state

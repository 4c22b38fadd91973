-- Hypothetical receipts, like those of other purchase lines: a move a line, of a kit one for each component. Returns their ids.
--
-- %(connection)s  bigint                       the connection
-- %(lines)s       bigint[]                     the lines like whose the receipts are
-- %(new)s         bigint[]                     the lines that they are of, place by place
-- %(quantities)s  numeric[], line's unit       what they bring
-- %(dates)s       timestamptz[]                when
-- %(first)s       bigint                       the first id that is free
-- {{is_kit}}      boolean                      whether line l is of a kit of which the product of move m is a component
-- {{wanted}}      numeric, product's own unit  how much of the product of move m the whole of line l needs
-- {{names}}       columns                      the columns of a move
-- {{copied}}      values                       of move x, with what is other of sample s

WITH sample AS (
  SELECT DISTINCT ON (c.new_id, m.product_id) c.new_id, c.at, m.id,
         CASE WHEN {{is_kit}} THEN NULL ELSE l.product_uom_id END AS unit,
         CASE WHEN {{is_kit}}
              THEN c.quantity / NULLIF(l.product_qty, 0)
                   * {{wanted}}
              ELSE c.quantity END AS moved
    FROM unnest(%(lines)s::bigint[], %(new)s::bigint[], %(quantities)s::numeric[], %(dates)s::timestamptz[])
         AS c(line_id, new_id, quantity, at)
    JOIN mirror_purchase_order_line l ON l.connection_id = %(connection)s AND l.odoo_id = c.line_id
    JOIN mirror_stock_move m ON m.connection_id = l.connection_id AND m.purchase_line_id = l.odoo_id AND m.deleted_at IS NULL
   WHERE NOT EXISTS (SELECT FROM mirror_stock_picking back
                      WHERE back.connection_id = m.connection_id AND back.odoo_id = m.picking_id AND back.return_id IS NOT NULL)
   ORDER BY c.new_id, m.product_id, m.odoo_id DESC
)
INSERT INTO mirror_stock_move (odoo_id, {{names}})
SELECT %(first)s - 1 + row_number() OVER (ORDER BY s.new_id, x.product_id), {{copied}}
  FROM sample s
  JOIN mirror_stock_move x ON x.id = s.id
RETURNING odoo_id

-- The hypothetical deliveries of sales orders that are confirmed. Returns the ids of their moves.
--
-- Odoo reserves at confirmation what lies free, line by line; of what it keeps no stock, everything is there.
--
-- %(connection)s    bigint                       the connection
-- %(orders)s        bigint[]                     the sales orders
-- %(first)s         bigint                       added to the id of the order and of the line, for what is new
-- %(now)s           timestamptz                  the moment of the confirmation
-- {{wanted}}        numeric, product's own unit  what line l sells
-- {{is_kept}}       boolean                      whether Odoo keeps stock of what line l sells
-- {{outgoing}}      bigint                       the type of operation of deliveries of the order's warehouse
-- {{free_of_line}}  one row                      quantity: what lies free in the order's warehouse, product's own unit

WITH line AS (
  SELECT o.odoo_id AS order_id, l.odoo_id AS line_id, l.product_id, o.company_id, o.warehouse_id, l.product_uom_id,
         COALESCE(o.commitment_date, %(now)s::timestamptz) AS at, {{wanted}} AS wanted,
         l.product_uom_qty, {{is_kept}} AS is_kept, GREATEST(COALESCE(free.quantity, 0), 0) AS free
    FROM mirror_sale_order o
    JOIN mirror_sale_order_line l ON l.connection_id = o.connection_id AND l.order_id = o.odoo_id AND l.deleted_at IS NULL
     AND COALESCE(l.display_type, '') = '' AND l.product_uom_qty > 0
    JOIN mirror_product_product p ON p.connection_id = l.connection_id AND p.odoo_id = l.product_id
    JOIN mirror_product_template t ON t.connection_id = p.connection_id AND t.odoo_id = p.product_tmpl_id
     AND COALESCE(t.type, '') <> 'service'
    LEFT JOIN LATERAL ({{free_of_line}}) AS free ON TRUE
   WHERE o.connection_id = %(connection)s AND o.odoo_id = ANY(%(orders)s)
), taken AS (
  SELECT line.*, CASE WHEN is_kept
           THEN LEAST(wanted, GREATEST(free + wanted
                                       - sum(wanted) OVER (PARTITION BY product_id, warehouse_id ORDER BY line_id), 0))
           ELSE wanted END AS reserved
    FROM line
), delivery AS (
  INSERT INTO mirror_stock_picking (connection_id, odoo_id, read_at, name, state, picking_type_id, picking_type_code, sale_id,
                                    company_id, scheduled_date, date_deadline)
  SELECT %(connection)s, %(first)s + t.order_id, %(now)s, '', CASE WHEN bool_and(reserved >= wanted) THEN 'assigned'
         ELSE 'confirmed' END, {{outgoing}},
         'outgoing', t.order_id, min(t.company_id), min(t.at), min(t.at)
    FROM taken t
   GROUP BY t.order_id
), held AS (
  INSERT INTO mirror_stock_quant (connection_id, odoo_id, read_at, product_id, location_id, company_id, quantity,
                                  reserved_quantity)
  SELECT %(connection)s, %(first)s + t.line_id, %(now)s, t.product_id, w.lot_stock_id, t.company_id, 0, t.reserved
    FROM taken t
    JOIN mirror_stock_warehouse w ON w.connection_id = %(connection)s AND w.odoo_id = t.warehouse_id
   WHERE t.is_kept AND t.reserved > 0
)
INSERT INTO mirror_stock_move (connection_id, odoo_id, read_at, product_id, product_uom, product_uom_qty, quantity, state,
                               picking_id, sale_line_id, company_id, warehouse_id, date, date_deadline, move_orig_ids)
SELECT %(connection)s, %(first)s + t.line_id, %(now)s, t.product_id, t.product_uom_id, t.product_uom_qty,
       round(t.product_uom_qty * t.reserved / NULLIF(t.wanted, 0), 6),
       CASE WHEN t.reserved >= t.wanted THEN 'assigned' WHEN t.reserved > 0 THEN 'partially_available' ELSE 'confirmed' END,
       %(first)s + t.order_id, t.line_id, t.company_id, t.warehouse_id, t.at, t.at, '{}'
  FROM taken t
RETURNING odoo_id

-- Lines of purchase orders that are ordered and not received in full.
--
-- %(connection)s  bigint                the connection
-- %(orders)s      bigint[]              the orders' ids in Odoo
-- {{product}}     jsonb                 the product's name, in words
-- {{unit}}        text                  the name of the line's unit
-- {{planned}}     timestamptz           when line l is planned for; NULL for a date that only stands for none
-- {{day}}         date, company's zone  the day of that

SELECT l.odoo_id AS line_id, l.order_id, l.product_id, {{product}} AS product, COALESCE({{unit}}, '') AS unit,
       l.product_qty AS ordered, COALESCE(l.qty_received, 0) AS received,
       {{planned}} AS planned_at, {{day}} AS planned_day, company_zone(o.connection_id, o.company_id) AS zone
  FROM mirror_purchase_order o
  JOIN mirror_purchase_order_line l ON l.connection_id = o.connection_id AND l.order_id = o.odoo_id AND l.deleted_at IS NULL
   AND l.product_id IS NOT NULL AND COALESCE(l.display_type, '') = '' AND l.product_qty > COALESCE(l.qty_received, 0)
 WHERE o.connection_id = %(connection)s AND o.odoo_id = ANY(%(orders)s) AND o.deleted_at IS NULL
   AND o.state IN ('purchase', 'done')
 ORDER BY o.odoo_id, l.odoo_id

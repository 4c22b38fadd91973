-- Sales orders as their customers are told of them.
--
-- %(connection)s   bigint                       the connection
-- %(orders)s       bigint[]                     the orders' ids in Odoo
-- {{promise}}      timestamptz                  what order o is promised for; NULL for a date that only stands for none
-- {{zone}}         text                         the time zone in which the order's company counts days
-- {{to_come}}      numeric, product's own unit  what of line l is not delivered

SELECT o.odoo_id AS order_id, o.name, o.company_id, o.partner_id, o.user_id, COALESCE(o.client_order_ref, '') AS reference,
       {{promise}} AS promised_at, {{zone}} AS zone,
       o.state IN ('sale', 'done') AND o.deleted_at IS NULL AS is_confirmed,
       COALESCE(o.delivery_status, '') = 'full' AS is_delivered,
       (SELECT COALESCE(sum({{to_come}}), 0)
          FROM mirror_sale_order_line l
         WHERE l.connection_id = o.connection_id AND l.order_id = o.odoo_id AND l.deleted_at IS NULL
           AND l.product_uom_qty > COALESCE(l.qty_delivered, 0)
           AND EXISTS (SELECT 1 FROM mirror_stock_move m
                        WHERE m.connection_id = l.connection_id AND m.sale_line_id = l.odoo_id AND m.deleted_at IS NULL)) AS to_come
  FROM mirror_sale_order o
 WHERE o.connection_id = %(connection)s AND o.odoo_id = ANY(%(orders)s)

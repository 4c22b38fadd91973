-- What lies free in each warehouse: on hand and reserved for nothing. It stands before all that is to come.
--
-- Odoo reserves as an order is confirmed only where the type of operation says so; by date or by hand it does later, and what lies
-- free until then is there.
--
-- %(connection)s   bigint       the connection
-- {{expected_at}}  timestamptz  today as company q.company_id counts days
-- {{of_quant}}     boolean      whether quant q is asked for

SELECT 0::bigint AS line_id, NULL::bigint AS order_id, q.product_id, q.company_id, place.warehouse_id, NULL::text AS order_name,
       NULL::bigint AS vendor_id, '-infinity'::timestamptz AS date_planned, {{expected_at}} AS expected_at,
       sum(q.quantity - COALESCE(q.reserved_quantity, 0)) AS free
  FROM mirror_stock_quant q
  JOIN mirror_stock_location place ON place.connection_id = q.connection_id AND place.odoo_id = q.location_id
   AND place.usage = 'internal' AND place.warehouse_id IS NOT NULL
 WHERE q.connection_id = %(connection)s AND q.deleted_at IS NULL AND {{of_quant}}
 GROUP BY q.product_id, q.company_id, place.warehouse_id
HAVING sum(q.quantity - COALESCE(q.reserved_quantity, 0)) > 0

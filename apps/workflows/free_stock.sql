-- What lies free in the stock of each warehouse, for nothing reserved. It stands before all that is to come.
--
-- Odoo reserves as an order is confirmed only where the type of operation says so; by date or by hand it does later, and what lies
-- free until then is there.
--
-- {{expected_at}}  timestamptz  today as company s.company_id counts days
-- {{free}}         rows         product_id, company_id, warehouse_id, free: what Odoo would reserve, product's own unit

SELECT 0::bigint AS line_id, NULL::bigint AS order_id, s.product_id, s.company_id, s.warehouse_id, NULL::text AS order_name,
       NULL::bigint AS vendor_id, '-infinity'::timestamptz AS date_planned, {{expected_at}} AS expected_at, s.free
  FROM ({{free}}) AS s
 WHERE s.free > 0

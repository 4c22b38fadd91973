-- What comes and goes of products, by company, warehouse and the company's day: what lies free now, supplies, and what orders lack.
--
-- %(connection)s   bigint       the connection
-- %(products)s     bigint[]     the products
-- %(now)s          timestamptz  the moment from which on it is projected
-- {{day}}          date         the company's day of x.at
-- {{supplies}}     rows         the supplies still to come of the products
-- {{demands}}      rows         what sales orders lack of them
-- {{promised_at}}  timestamptz  when demand d was promised, no sooner than today

SELECT x.product_id, x.company_id, x.warehouse_id, {{day}} AS day,
       sum(x.quantity) AS quantity
  FROM (
    SELECT s.product_id, s.company_id, s.warehouse_id, s.expected_at AS at, s.free AS quantity
      FROM ({{supplies}}) AS s
     UNION ALL
    SELECT d.product_id, d.company_id, d.warehouse_id, {{promised_at}},
           -d.missing
      FROM ({{demands}}) AS d
     UNION ALL
    SELECT q.product_id, w.company_id, w.odoo_id, %(now)s::timestamptz,
           sum(q.quantity - COALESCE(q.reserved_quantity, 0))
      FROM mirror_stock_quant q
      JOIN mirror_stock_location place ON place.connection_id = q.connection_id AND place.odoo_id = q.location_id
       AND place.usage = 'internal'
      JOIN mirror_stock_warehouse w ON w.connection_id = place.connection_id AND w.odoo_id = place.warehouse_id
     WHERE q.connection_id = %(connection)s AND q.product_id = ANY(%(products)s) AND q.deleted_at IS NULL
     GROUP BY q.product_id, w.company_id, w.odoo_id
  ) AS x
 GROUP BY 1, 2, 3, 4

-- What comes and goes of products, by company, warehouse and the company's day: what lies free now, supplies, and what orders lack.
--
-- %(now)s          timestamptz  the moment from which on it is projected
-- {{day}}          date         the company's day of x.at
-- {{supplies}}     rows         the supplies still to come of the products
-- {{free}}         rows         what Odoo would reserve now of the products
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
    SELECT f.product_id, f.company_id, f.warehouse_id, %(now)s::timestamptz, f.free
      FROM ({{free}}) AS f
  ) AS x
 GROUP BY 1, 2, 3, 4

-- The sales orders that wait for purchase lines or moves, what of them is at risk, and since when.
--
-- %(connection)s    bigint                       the connection
-- {{lines}}         rows                         line_id: the purchase lines
-- {{starts}}        rows                         move_id, expected_at, company_id: the moves with which the chains begin
-- {{starts_at}}     timestamptz                  when such a move is expected, no sooner than today
-- {{supplies}}      rows                         the row of supplies of the products
-- {{demands}}       rows                         the row of demands of the products
-- {{still_needed}}  numeric, product's own unit  what move m still needs
-- {{earlier_step}}  rows                         the steps before move m that are not done
-- {{ordered}}       numeric, product's own unit  what line l ordered
-- {{sets}}          numeric, sets                what waits of a kit
-- {{is_kit}}        boolean                      whether the product is a component of what line pl is of
-- {{wanted}}        numeric, product's own unit  how much of the component line pl needs
-- {{expected_day}}  date, company's zone         the day on which all is expected
-- {{promised_day}}  date, company's zone         the day that was promised
-- {{revenue}}       numeric, company's currency  what waits

WITH RECURSIVE line AS (
  {{lines}}
), start AS (
  {{starts}}
), walk(move_id, expected_at, depth) AS (
  SELECT move_id, {{starts_at}}, 0 FROM start
  UNION
  SELECT m.odoo_id, w.expected_at, w.depth + 1
    FROM walk w
    JOIN mirror_stock_move m ON m.connection_id = %(connection)s AND m.move_orig_ids @> ARRAY[w.move_id]
     AND m.state NOT IN ('done', 'cancel') AND m.deleted_at IS NULL
   WHERE w.depth < 10
), row_of_supplies AS (
  SELECT s.*, sum(s.free) OVER (PARTITION BY product_id, company_id, warehouse_id ORDER BY date_planned, line_id) AS upto
    FROM ({{supplies}}) AS s
), row_of_demands AS (
  SELECT d.*, sum(d.missing) OVER (PARTITION BY product_id, company_id, warehouse_id ORDER BY promised_at, move_id) AS upto
    FROM ({{demands}}) AS d
), waiting AS (
  SELECT m.sale_line_id, m.product_id, COALESCE(m.date_deadline, m.date) AS promised_at, reached.expected_at,
         {{still_needed}} AS quantity, TRUE AS linked
    FROM (SELECT move_id, max(expected_at) AS expected_at FROM walk GROUP BY move_id) AS reached
    JOIN mirror_stock_move m ON m.connection_id = %(connection)s AND m.odoo_id = reached.move_id
   WHERE m.sale_line_id IS NOT NULL AND m.state NOT IN ('done', 'cancel') AND m.deleted_at IS NULL
     AND NOT EXISTS ({{earlier_step}})
  UNION ALL
  SELECT d.sale_line_id, d.product_id, d.promised_at, s.expected_at,
         LEAST(d.upto, s.upto) - GREATEST(d.upto - d.missing, s.upto - s.free), FALSE
    FROM line
    JOIN row_of_supplies s ON s.line_id = line.line_id
    JOIN row_of_demands d ON (d.product_id, d.company_id, d.warehouse_id) IS NOT DISTINCT FROM
                             (s.product_id, s.company_id, s.warehouse_id)
     AND d.upto > s.upto - s.free AND d.upto - d.missing < s.upto
), part AS (
  SELECT w.sale_line_id, w.product_id, max(w.promised_at) AS promised_at, max(w.expected_at) AS expected_at,
         sum(w.quantity) AS quantity, bool_and(w.linked) AS linked
    FROM waiting w
   GROUP BY w.sale_line_id, w.product_id
), of_line AS (
  SELECT l.odoo_id, l.connection_id, l.order_id, l.price_subtotal, max(p.promised_at) AS promised_at,
         max(p.expected_at) AS expected_at, bool_and(p.linked) AS linked, array_agg(p.product_id) AS product_ids,
         {{ordered}} AS ordered,
         CASE WHEN bool_or(p.is_kit) THEN {{sets}}
              ELSE sum(p.quantity) END AS quantity
    FROM (SELECT part.*, {{is_kit}} AS is_kit,
                 part.quantity / NULLIF({{wanted}}, 0) AS share
            FROM part
            JOIN mirror_sale_order_line pl ON pl.connection_id = %(connection)s AND pl.odoo_id = part.sale_line_id) AS p
    JOIN mirror_sale_order_line l ON l.connection_id = %(connection)s AND l.odoo_id = p.sale_line_id AND l.deleted_at IS NULL
   GROUP BY l.id
)
SELECT o.odoo_id, o.name, o.partner_id, max(promise.promised_at) AS promised_at, max(w.expected_at) AS expected_at,
       COALESCE(max(w.expected_at) > max(promise.promised_at), TRUE) AS is_at_risk,
       GREATEST(COALESCE({{expected_day}}
                         - {{promised_day}}, 0), 0) AS late_days,
       {{revenue}} AS revenue,
       max(o.company_id) AS company_id, sum(w.quantity) AS quantity, bool_and(w.linked) AS is_linked,
       (SELECT array_agg(DISTINCT g.product_id) FROM of_line
         CROSS JOIN LATERAL unnest(of_line.product_ids) AS g(product_id) WHERE of_line.order_id = o.odoo_id) AS product_ids
  FROM of_line w
  JOIN mirror_sale_order o ON o.connection_id = w.connection_id AND o.odoo_id = w.order_id AND o.deleted_at IS NULL
   AND o.state NOT IN ('draft', 'sent', 'cancel')
 CROSS JOIN LATERAL (SELECT COALESCE(o.commitment_date, w.promised_at) AS promised_at) AS promise
 GROUP BY o.id

-- Fact of sales order r: whether its value or its lines are far beyond what the customer usually orders.
--
-- {{orders}}             integer                      how many past orders are compared
-- {{median}}             float8                       the median of the sizes
-- {{spread_of_orders}}   float8                       how far past orders lie from their median
-- {{quantity}}           numeric, product's own unit  what line l orders
-- {{fewest_of_product}}  integer                      from so many past orders on a product is compared
-- {{spread_of_product}}  float8                       how far past quantities of a product lie from their median
-- {{names}}              jsonb                        the lines that are unusual, in words
-- {{far}}                numeric                      how many spreads are far
-- {{amount}}             numeric, company's currency  what the order is worth
-- {{beyond_amount}}      numeric, company's currency  by how much it is beyond the usual
-- {{usual}}              numeric, company's currency  what is usual
-- {{fewest_orders}}      integer                      from so many past orders on the value is compared

WITH past AS MATERIALIZED (
  SELECT h.odoo_id, ln(h.value)::float8 AS size
    FROM mirror_res_partner own
    JOIN mirror_res_partner member
      ON member.connection_id = own.connection_id AND member.commercial_partner_id = own.commercial_partner_id
   CROSS JOIN LATERAL (
     SELECT o.odoo_id, o.create_date, o.amount_untaxed / COALESCE(NULLIF(o.currency_rate, 0), 1) AS value
       FROM mirror_sale_order o
      WHERE o.connection_id = member.connection_id AND o.partner_id = member.odoo_id AND o.state = 'sale'
        AND o.create_date <= r.create_date AND o.company_id IS NOT DISTINCT FROM r.company_id AND o.amount_untaxed > 0
        AND o.odoo_id < r.odoo_id AND o.deleted_at IS NULL
      ORDER BY o.create_date DESC
      LIMIT {{orders}}) AS h
   WHERE own.connection_id = r.connection_id AND own.odoo_id = r.partner_id
   ORDER BY h.create_date DESC, h.odoo_id DESC
   LIMIT {{orders}}
), typical AS (
  SELECT count(*) AS compared, {{median}} AS middle FROM past
), value AS (
  SELECT t.compared, t.middle, {{spread_of_orders}} AS spread
    FROM typical t
    JOIN past p ON TRUE
   GROUP BY t.compared, t.middle
), line AS (
  SELECT l.product_id, min(l.name) AS name, sum({{quantity}}) AS quantity,
         sum(l.price_subtotal) AS subtotal
    FROM mirror_sale_order_line l
   WHERE l.connection_id = r.connection_id AND l.order_id = r.odoo_id AND l.product_id IS NOT NULL
     AND l.product_uom_qty > 0 AND l.deleted_at IS NULL
   GROUP BY l.product_id
), had AS (
  SELECT l.product_id, ln(sum({{quantity}}))::float8 AS size
    FROM past
    JOIN mirror_sale_order_line l ON l.connection_id = r.connection_id AND l.order_id = past.odoo_id
     AND l.product_uom_qty > 0 AND l.deleted_at IS NULL
   WHERE l.product_id IN (SELECT product_id FROM line)
   GROUP BY past.odoo_id, l.product_id
), usual AS (
  SELECT product_id, count(*) AS times, {{median}} AS middle
    FROM had
   GROUP BY product_id
  HAVING count(*) >= {{fewest_of_product}}
), usually AS (
  SELECT u.*, {{spread_of_product}} AS spread
    FROM usual u
    JOIN had h ON h.product_id = u.product_id
   GROUP BY u.product_id, u.times, u.middle
), lines AS (
  SELECT count(*) AS many, sum(l.subtotal * (1 - exp(u.middle)::numeric / l.quantity)) AS beyond,
         {{names}} AS names
    FROM line l
    JOIN usually u ON u.product_id = l.product_id
   WHERE ln(l.quantity)::float8 > u.middle + {{far}} * u.spread
)
SELECT f.compared AS compared_count, {{amount}} AS compared_amount,
       f.usual AS usual_amount,
       CASE WHEN f.is_large THEN round(f.amount / f.usual, 1) END AS value_times_quantity,
       CASE WHEN f.is_large THEN round(f.deviations::numeric, 1) END AS value_deviations_quantity,
       f.many AS unusual_lines_count, f.names AS unusual_lines_names,
       {{beyond_amount}}
         AS beyond_usual_amount,
       f.is_large OR f.many > 0 AS is_unusual
  FROM (
    SELECT v.compared, {{usual}} AS usual, x.amount, x.rate, lines.*,
           (ln(x.amount)::float8 - v.middle) / v.spread AS deviations,
           v.compared >= {{fewest_orders}} AND ln(x.amount)::float8 > v.middle + {{far}} * v.spread AS is_large
      FROM value v
     CROSS JOIN lines
     CROSS JOIN (SELECT r.amount_untaxed / COALESCE(NULLIF(r.currency_rate, 0), 1) AS amount,
                        COALESCE(NULLIF(r.currency_rate, 0), 1) AS rate) AS x
  ) AS f
 WHERE r.state IN ('draft', 'sent', 'sale') AND COALESCE(r.delivery_status, '') <> 'full' AND r.amount_untaxed > 0

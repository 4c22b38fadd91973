-- Fact of sales order r: the discount that it gives and the margin that it lacks, beyond the limits.
--
-- {{discount_given}}  numeric, company's currency  what is given beyond the limit
-- {{margin_short}}    numeric, company's currency  what the margin lacks
-- {{order_margin}}    numeric, company's currency  the margin
-- {{earned}}          numeric, order's currency    the margin, by costs as they are
-- {{smallest}}        numeric, company's currency  the smallest sum that there is
-- {{most_discount}}   numeric, percent             the limit of a discount
-- {{names}}           jsonb                        the lines with a discount beyond it, in words
-- {{as_good_as}}      numeric                      up to which factor a cost is the same
-- {{cost}}            numeric, company's currency  what one of product pr costs
-- {{ratio}}           numeric                      how many of the product's own unit the unit of line o holds

SELECT f.*, GREATEST(f.discount_given, f.margin_short) AS conceded,
       GREATEST(f.discount_given, f.margin_short) <= COALESCE(r.x_ct_released_concession, 0) AS price_is_settled,
       COALESCE(r.x_ct_released_concession, 0) AS released_concession
  FROM (
    SELECT {{discount_given}} AS discount_given,
           CASE WHEN r.state IN ('draft', 'sent') AND r.margin IS NOT NULL
                THEN {{margin_short}}
                ELSE 0 END AS margin_short,
           GREATEST(t.deepest, CASE WHEN t.taken_off > 0 AND t.list_value > 0
                                    THEN round((t.discounts + t.taken_off) * 100 / t.list_value, 1) END)
             AS deepest_discount_percent,
           {{order_margin}} AS order_margin,
           round(({{earned}}) * 100 / NULLIF(r.amount_untaxed, 0), 1) AS order_margin_percent,
           t.names AS discounted_names
      FROM (SELECT COALESCE(NULLIF(r.currency_rate, 0), 1) AS rate, {{smallest}} AS smallest) AS g
     CROSS JOIN LATERAL (
       SELECT COALESCE(sum(l.list_value * (l.discount - {{most_discount}}) / 100)
                         FILTER (WHERE l.list_value > 0 AND l.discount > {{most_discount}}), 0) AS beyond,
              COALESCE(sum(l.list_value * GREATEST(l.discount, 0) / 100) FILTER (WHERE l.list_value > 0), 0)
                AS discounts,
              COALESCE(sum(l.list_value) FILTER (WHERE l.list_value > 0), 0) AS list_value,
              COALESCE(sum(GREATEST(-l.list_value * (1 - l.discount / 100), 0)) FILTER (WHERE l.list_value < 0), 0)
                AS taken_off,
              COALESCE(sum(GREATEST(l.understated - l.margin, 0)) FILTER (WHERE l.list_value >= 0), 0) AS below_cost,
              COALESCE(sum(GREATEST(l.margin - l.understated - l.price_subtotal, 0)), 0) AS overstated,
              COALESCE(sum(l.understated), 0) AS understated,
              max(l.discount) FILTER (WHERE l.list_value > 0) AS deepest,
              {{names}} AS names
         FROM (
           SELECT o.name, o.margin, o.price_subtotal, COALESCE(o.discount, 0) AS discount,
                  COALESCE(o.price_unit, 0) * COALESCE(o.product_uom_qty, 0) AS list_value,
                  CASE WHEN o.product_uom_qty > 0 AND product.cost > o.purchase_price * {{as_good_as}} + 0.00001
                       THEN (product.cost - o.purchase_price) * o.product_uom_qty ELSE 0 END AS understated
             FROM mirror_sale_order_line o
             LEFT JOIN LATERAL (
               SELECT {{cost}} * {{ratio}} * g.rate AS cost
                 FROM mirror_product_product pr
                WHERE pr.connection_id = o.connection_id AND pr.odoo_id = o.product_id) AS product ON TRUE
            WHERE r.state IN ('draft', 'sent') AND o.connection_id = r.connection_id AND o.order_id = r.odoo_id
              AND o.deleted_at IS NULL
           OFFSET 0) AS l
     ) AS t
  ) AS f

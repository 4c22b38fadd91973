-- What the credit notes r give back, and what of it goes beyond what came back.
--
-- {{whole}}         numeric, company's currency  what the note gives back
-- {{beyond}}        numeric, company's currency  what of it nothing came back for
-- {{products}}      jsonb                        the names of the products
-- {{agreed_price}}  numeric, note's currency     the price by the unit at which line il was sold
-- {{rate}}          numeric                      the company's currency for one of the note's
-- {{smallest}}      numeric, company's currency  the smallest sum that there is
-- {{sent_again}}    numeric, product's own unit  what of sales line sl was sent again
-- {{back_of_line}}  one row                      quantity: what came back of sales line sl, product's own unit
-- {{credited}}      numeric, product's own unit  what invoice line o credits
-- {{ratio}}         numeric                      how many of the product's own unit the unit of line il holds
-- {{which}}         boolean                      whether note r is looked at at all
-- {{raised}}        one row                      raised: the tax that somebody raised by hand, note's currency

SELECT s.products, {{whole}} AS whole,
       {{beyond}} AS beyond
  FROM (
    SELECT {{products}} AS products, sum(GREATEST(il.price_subtotal, 0)) AS whole,
           sum(GREATEST(CASE WHEN il.quantity > 0
                             THEN il.price_subtotal - LEAST(il.quantity, back.quantity)
                               * LEAST(il.price_subtotal / il.quantity, {{agreed_price}})
                             ELSE il.price_subtotal END, 0)) AS beyond,
           {{rate}} AS rate,
           {{smallest}} AS smallest
      FROM mirror_account_move_line il
      LEFT JOIN mirror_product_product pr ON pr.connection_id = il.connection_id AND pr.odoo_id = il.product_id
      LEFT JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
     CROSS JOIN LATERAL (
       SELECT GREATEST(
         COALESCE((SELECT sum(COALESCE(b.quantity, 0) - {{sent_again}})
                     FROM mirror_sale_order_line sl
                    CROSS JOIN LATERAL ({{back_of_line}}) AS b
                    WHERE sl.connection_id = il.connection_id AND sl.odoo_id = ANY(il.sale_line_ids)), 0)
         - COALESCE((SELECT sum({{credited}})
                       FROM mirror_account_move_line o
                       JOIN mirror_account_move n ON n.connection_id = o.connection_id AND n.odoo_id = o.move_id
                        AND n.move_type = 'out_refund' AND n.state = 'posted' AND n.deleted_at IS NULL
                        AND (r.state = 'draft' OR n.odoo_id < r.odoo_id)
                      WHERE o.connection_id = il.connection_id AND o.sale_line_ids && il.sale_line_ids
                        AND o.move_id <> il.move_id AND o.deleted_at IS NULL), 0)
         - COALESCE((SELECT sum(GREATEST({{credited}}, 0))
                       FROM mirror_account_move_line o
                      WHERE o.connection_id = il.connection_id AND o.move_id = il.move_id AND o.odoo_id < il.odoo_id
                        AND o.sale_line_ids && il.sale_line_ids AND o.deleted_at IS NULL), 0), 0)
         / {{ratio}} AS quantity
     ) AS back
     WHERE r.move_type = 'out_refund' AND {{which}} AND il.connection_id = r.connection_id
       AND il.move_id = r.odoo_id AND il.deleted_at IS NULL AND COALESCE(il.display_type, '') IN ('', 'product')
  ) AS s
 CROSS JOIN LATERAL ({{raised}}) AS typed

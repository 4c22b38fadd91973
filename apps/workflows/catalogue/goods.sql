-- Fact of return r: what comes back, what it is worth, and what of it is still to be credited.
--
-- {{return_value}}      numeric, company's currency  what comes back
-- {{to_credit_value}}   numeric, company's currency  what is still to be credited
-- {{line_ordered}}      numeric, product's own unit  what line sl ordered
-- {{sets_back}}         numeric, sets                what comes back of a kit
-- {{is_kit}}            boolean                      whether the product is a component of what line s is of
-- {{wanted}}            numeric, product's own unit  how much of the component line s needs
-- {{ordered}}           numeric, product's own unit  what line s ordered
-- {{back}}              numeric, product's own unit  what move m brings back
-- {{billed}}            numeric, product's own unit  what invoice line il bills
-- {{delivered}}         numeric, product's own unit  what of line sl is delivered
-- {{credited_apart}}    numeric, product's own unit  what credit notes without a link gave back of line sl
-- {{still_to_deliver}}  numeric, product's own unit  what of line sl is on its way again
-- {{sets_later}}        numeric, sets                what later returns brought back of a kit
-- {{is_kit_later}}      boolean                      whether the product of a later return is a component of what line sl is of
-- {{wanted_later}}      numeric, product's own unit  how much of that component line sl needs
-- {{back_later}}        numeric, product's own unit  what move o of a later return brought back
-- {{from_customer}}     boolean                      whether transfer op comes from a customer
-- {{zoned}}             one row                      zone, today: the company's

SELECT g.product_names, g.returned_quantity, g.return_value, g.to_credit_quantity, g.to_credit_value,
       CASE WHEN r.state = 'done' THEN d.today - (r.date_done AT TIME ZONE d.zone)::date END AS received_days,
       CASE WHEN g.to_credit_quantity > 0 THEN (d.today + 1)::timestamp AT TIME ZONE d.zone END AS next_change_at
  FROM (
    SELECT string_agg(DISTINCT line.product, ', ') AS product_names,
           trim_scale(COALESCE(sum(line.quantity), 0)) AS returned_quantity,
           {{return_value}} AS return_value,
           trim_scale(COALESCE(sum(line.to_credit), 0)) AS to_credit_quantity,
           {{to_credit_value}} AS to_credit_value
      FROM (
        SELECT q.product, q.quantity,
               COALESCE(sl.price_subtotal / NULLIF({{line_ordered}}, 0)
                          / COALESCE(NULLIF(so.currency_rate, 0), 1),
                        q.list_price, 0) AS price,
               GREATEST(LEAST(q.quantity, COALESCE(bill.beyond, 0) - again.quantity - later.quantity), 0) AS to_credit
          FROM (
            SELECT p.line_id, string_agg(DISTINCT p.product, ', ') AS product, min(p.list_price) AS list_price,
                   CASE WHEN bool_or(p.is_kit) THEN {{sets_back}}
                        ELSE sum(p.quantity) END AS quantity
              FROM (
                SELECT s.odoo_id AS line_id, b.alone, b.quantity, t.name AS product, t.list_price,
                       {{is_kit}} AS is_kit, {{wanted}} AS wanted,
                       {{ordered}} AS ordered
                  FROM (
                    SELECT m.sale_line_id, CASE WHEN m.sale_line_id IS NULL THEN m.odoo_id END AS alone, m.product_id,
                           sum({{back}}) AS quantity
                      FROM mirror_stock_move m
                     WHERE m.connection_id = r.connection_id AND m.picking_id = r.odoo_id AND m.deleted_at IS NULL
                       AND (m.state <> 'cancel' OR r.state = 'cancel')
                     GROUP BY 1, 2, 3
                  ) AS b
                  LEFT JOIN mirror_product_product p ON p.connection_id = r.connection_id AND p.odoo_id = b.product_id
                  LEFT JOIN mirror_product_template t
                    ON t.connection_id = p.connection_id AND t.odoo_id = p.product_tmpl_id
                  LEFT JOIN mirror_sale_order_line s
                    ON s.connection_id = r.connection_id AND s.odoo_id = b.sale_line_id AND s.deleted_at IS NULL
              ) AS p
             GROUP BY p.line_id, p.alone
          ) AS q
          LEFT JOIN mirror_sale_order_line sl ON sl.connection_id = r.connection_id AND sl.odoo_id = q.line_id
          LEFT JOIN mirror_sale_order so ON so.connection_id = sl.connection_id AND so.odoo_id = sl.order_id
          LEFT JOIN LATERAL (
            SELECT sum(CASE WHEN am.move_type = 'out_refund' THEN -1 ELSE 1 END * {{billed}})
                   - {{delivered}} AS beyond
              FROM mirror_account_move_line il
             CROSS JOIN LATERAL (
               SELECT i.move_type
                 FROM mirror_account_move i
                WHERE i.connection_id = il.connection_id AND i.odoo_id = il.move_id AND i.deleted_at IS NULL
                  AND i.state = 'posted' AND i.move_type IN ('out_invoice', 'out_refund', 'out_receipt')
               OFFSET 0) AS am  -- of a few entries, though the planner expects thousands
             WHERE r.state = 'done' AND il.connection_id = sl.connection_id
               AND il.sale_line_ids @> ARRAY[sl.odoo_id] AND il.deleted_at IS NULL
          ) AS bill ON TRUE
         CROSS JOIN LATERAL (
            SELECT CASE WHEN bill.beyond > 0
                        THEN {{credited_apart}} + {{still_to_deliver}} ELSE 0 END AS quantity
          ) AS again
          LEFT JOIN LATERAL (
            SELECT COALESCE(CASE WHEN bool_or(b.is_kit)
                                 THEN {{sets_later}}
                                 ELSE sum(b.quantity) END, 0) AS quantity
              FROM (
                SELECT {{is_kit_later}} AS is_kit, o.quantity,
                       o.quantity / NULLIF({{wanted_later}}, 0) AS part
                  FROM (
                    SELECT o.product_id, sum({{back_later}}) AS quantity
                      FROM mirror_stock_move o
                      JOIN mirror_stock_picking op
                        ON op.connection_id = o.connection_id AND op.odoo_id = o.picking_id AND op.deleted_at IS NULL
                       AND op.odoo_id <> r.odoo_id AND {{from_customer}}
                     WHERE bill.beyond > 0 AND o.connection_id = sl.connection_id AND o.sale_line_id = sl.odoo_id
                       AND o.state = 'done' AND o.deleted_at IS NULL
                       AND (op.date_done, op.odoo_id) > (r.date_done, r.odoo_id)
                     GROUP BY o.product_id
                  ) AS o
              ) AS b
          ) AS later ON TRUE
      ) AS line
  ) AS g
 CROSS JOIN {{zoned}} AS d

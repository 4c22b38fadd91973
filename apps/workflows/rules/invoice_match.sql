-- What the invoices and bills r bill that was not agreed; no row where nothing differs.
--
-- {{billed_price}}      numeric, company's currency  what is billed, without tax
-- {{ordered_price}}     numeric, company's currency  what that costs as agreed
-- {{price_difference}}  numeric, company's currency  by how much the prices are off
-- {{billed_tax}}        numeric, company's currency  the tax that is billed
-- {{ordered_tax}}       numeric, company's currency  the tax as agreed
-- {{tax_difference}}    numeric, company's currency  by how much the tax is off
-- {{tax_by_hand}}       numeric, company's currency  the tax that somebody raised by hand
-- {{amount_over}}       numeric, company's currency  what is billed beyond the quantity
-- {{disputed_amount}}   numeric, company's currency  all that was not agreed
-- {{sold}}              numeric, product's own unit  what sales line sl ordered
-- {{delivered}}         numeric, product's own unit  what of sl is delivered
-- {{invoiced}}          numeric, product's own unit  what of sl is invoiced
-- {{excess}}            numeric, product's own unit  what of sl is invoiced too much
-- {{sold_unit}}         numeric                      how many of sl's product's own unit the unit of line il holds
-- {{sold_once}}         boolean                      whether line il bills one sales line alone
-- {{sold_ratio}}        numeric                      how many of the product's own unit the unit of sl holds
-- {{later_billed}}      numeric, product's own unit  what invoice line later bills
-- {{tax_of_sold}}       columns                      agreed_tax, tax_rounding: what sl agreed, in the invoice's currency
-- {{other_customer}}    rows                         name: the partner of r, where the order is of another
-- {{bought}}            numeric, product's own unit  what purchase line pl ordered
-- {{received}}          numeric, product's own unit  what of pl has come
-- {{bought_invoiced}}   numeric, product's own unit  what of pl is billed
-- {{bought_excess}}     numeric, product's own unit  what of pl is billed too much
-- {{bought_unit}}       numeric                      how many of pl's product's own unit the unit of line il holds
-- {{bought_ratio}}      numeric                      how many of the product's own unit the unit of pl holds
-- {{tax_of_bought}}     columns                      the same of pl as of sl
-- {{other_vendor}}      rows                         the same of a purchase order
-- {{apart}}             numeric, product's own unit  what line il bills that is on no order line
-- {{apart_unit}}        numeric                      how many of the product's own unit the unit of line il holds
-- {{orders}}            text                         the names of the orders that r bills; NULL where it bills none
-- {{which}}             boolean                      whether r is compared at all
-- {{raised}}            one row                      raised: the tax that somebody raised by hand, in the invoice's currency

SELECT count(*) AS differing_count, string_agg(DISTINCT d.order_name, ', ') AS order_names,
       string_agg(DISTINCT d.product, ', ') AS product_names,
       string_agg(DISTINCT d.other_partner, ', ') AS other_partner_names,
       trim_scale(sum(d.quantity * d.holds)) AS billed_quantity, trim_scale(sum(d.billed)) AS all_billed_quantity,
       trim_scale(sum(d.ordered)) AS ordered_quantity,
       trim_scale(sum(d.delivered)) AS delivered_quantity, trim_scale(round(sum(d.over * d.holds), 6)) AS over_quantity,
       {{billed_price}} AS billed_price,
       {{ordered_price}} AS ordered_price,
       {{price_difference}} AS price_difference,
       {{billed_tax}} AS billed_tax,
       {{ordered_tax}} AS ordered_tax,
       {{tax_difference}} AS tax_difference,
       {{tax_by_hand}} AS tax_by_hand,
       {{amount_over}} AS amount_over,
       {{disputed_amount}}
         AS disputed_amount
  FROM (
    SELECT b.*, CASE WHEN abs(b.quantity * (b.price - b.agreed)) > GREATEST(0.02, abs(b.quantity * b.agreed) / 1000)
                     THEN b.quantity * (b.price - b.agreed) ELSE 0 END AS price_off,
           CASE WHEN abs(b.tax - b.agreed_tax) > b.tax_rounding THEN b.tax - b.agreed_tax ELSE 0 END AS tax_off
      FROM (
        SELECT il.quantity, o.order_name, o.product, o.other_partner, o.ordered, o.delivered, o.billed, 0 AS raised,
               CASE WHEN o.is_apart THEN il.quantity
                    ELSE GREATEST(LEAST((COALESCE(o.excess, 0) - o.later) / o.holds, il.quantity), 0) END AS over,
               o.price, COALESCE(o.agreed, o.price) AS agreed, o.holds, t.tax, COALESCE(o.agreed_tax, t.tax) AS agreed_tax,
               o.tax_rounding,
               COALESCE(abs(r.amount_total_signed) / NULLIF(abs(r.amount_total), 0), 1) AS rate
          FROM mirror_account_move_line il
         CROSS JOIN LATERAL (SELECT il.price_total - il.price_subtotal AS tax) AS t
         CROSS JOIN LATERAL (
           SELECT so.name AS order_name, sl.name AS product, other.name AS other_partner,
                  {{sold}} AS ordered,
                  {{delivered}} AS delivered, {{invoiced}} AS billed,
                  {{excess}} AS excess, {{sold_unit}} AS holds,
                  il.price_unit * (1 - COALESCE(il.discount, 0) / 100) AS price,
                  CASE WHEN {{sold_once}} AND so.currency_id = il.currency_id
                        AND other.name IS NULL
                       THEN sl.price_unit * (1 - COALESCE(sl.discount, 0) / 100) / {{sold_ratio}}
                            * {{sold_unit}} END AS agreed,
                  COALESCE((
                    SELECT sum({{later_billed}}) FROM mirror_account_move_line later
                      JOIN mirror_account_move m ON m.connection_id = later.connection_id
                       AND m.odoo_id = later.move_id AND m.deleted_at IS NULL AND m.move_type = 'out_invoice'
                       AND (m.state = 'draft' OR m.state = 'posted'
                            AND m.payment_state IN ('not_paid', 'partial', 'blocked'))
                     WHERE later.connection_id = il.connection_id AND later.odoo_id > il.odoo_id
                       AND later.sale_line_ids @> ARRAY[sl.odoo_id] AND later.deleted_at IS NULL), 0) AS later,
                  other.name IS NOT NULL AS is_apart,
                  {{tax_of_sold}}
             FROM mirror_sale_order_line sl
             JOIN mirror_sale_order so ON so.connection_id = sl.connection_id AND so.odoo_id = sl.order_id
            CROSS JOIN LATERAL ({{other_customer}}) AS other
            CROSS JOIN LATERAL (
              SELECT CASE WHEN so.state = 'cancel' THEN sl.qty_invoiced
                          ELSE COALESCE(-sl.qty_to_invoice,
                                        sl.qty_invoiced - GREATEST(sl.product_uom_qty, sl.qty_delivered)) END
                     AS excess) AS e
            WHERE r.move_type = 'out_invoice' AND sl.connection_id = il.connection_id
              AND sl.odoo_id = ANY(il.sale_line_ids) AND sl.deleted_at IS NULL
              AND (other.name IS NOT NULL OR NOT (sl.product_uom_qty = 0 AND sl.qty_delivered = 0))
           UNION ALL
           SELECT po.name, pl.name, other.name, {{bought}}, {{received}},
                  {{bought_invoiced}}, {{bought_excess}}, {{bought_unit}},
                  COALESCE(il.price_subtotal / NULLIF(il.quantity, 0), il.price_unit),
                  CASE WHEN po.currency_id = il.currency_id AND other.name IS NULL
                       THEN COALESCE(NULLIF(pl.price_subtotal, 0) / NULLIF(pl.product_qty, 0), pl.price_unit)
                            / {{bought_ratio}} * {{bought_unit}} END,
                  COALESCE((
                    SELECT sum({{later_billed}}) FROM mirror_account_move_line later
                      JOIN mirror_account_move m ON m.connection_id = later.connection_id
                       AND m.odoo_id = later.move_id AND m.deleted_at IS NULL AND m.move_type = 'in_invoice'
                       AND (m.state = 'draft' OR m.state = 'posted'
                            AND m.payment_state IN ('not_paid', 'partial', 'blocked'))
                     WHERE later.connection_id = il.connection_id AND later.odoo_id > il.odoo_id
                       AND later.purchase_line_id = pl.odoo_id AND later.deleted_at IS NULL), 0),
                  other.name IS NOT NULL,
                  {{tax_of_bought}}
             FROM mirror_purchase_order_line pl
             JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
            CROSS JOIN LATERAL ({{other_vendor}}) AS other
            CROSS JOIN LATERAL (
              SELECT CASE WHEN po.state = 'cancel' THEN pl.qty_invoiced
                          ELSE GREATEST(-pl.qty_to_invoice, pl.qty_invoiced - pl.product_qty) END AS excess) AS e
            WHERE r.move_type = 'in_invoice' AND pl.connection_id = il.connection_id
              AND pl.odoo_id = il.purchase_line_id AND pl.deleted_at IS NULL
              AND (other.name IS NOT NULL OR NOT (pl.product_qty = 0 AND pl.qty_received = 0))
           UNION ALL
           SELECT of_orders.names, product.name, NULL, 0, 0, {{apart}}, 0, {{apart_unit}},
                  il.price_subtotal / NULLIF(il.quantity, 0), NULL, 0, TRUE, NULL, NULL
             FROM (SELECT {{orders}} AS names) AS of_orders
             LEFT JOIN LATERAL (
               SELECT t.name FROM mirror_product_product pr
                 JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
                WHERE pr.connection_id = il.connection_id AND pr.odoo_id = il.product_id) AS product ON TRUE
            WHERE of_orders.names IS NOT NULL AND il.price_subtotal <> 0
              AND CASE WHEN r.move_type = 'out_invoice' THEN COALESCE(il.sale_line_ids, '{}') = '{}'
                       ELSE il.purchase_line_id IS NULL END
         ) AS o
         WHERE r.move_type IN ('out_invoice', 'in_invoice')
           AND {{which}} AND il.connection_id = r.connection_id AND il.move_id = r.odoo_id AND il.deleted_at IS NULL
           AND COALESCE(il.display_type, '') IN ('', 'product')
         UNION ALL
        SELECT 0, of_orders.names, NULL, NULL, 0, 0, 0, typed.raised, 0, 0, 0, 1, 0, 0, 0,
               COALESCE(abs(r.amount_total_signed) / NULLIF(abs(r.amount_total), 0), 1)
          FROM ({{raised}}) AS typed
         CROSS JOIN LATERAL (SELECT {{orders}} AS names) AS of_orders
         WHERE r.move_type IN ('out_invoice', 'in_invoice') AND {{which}} AND typed.raised > 0
           AND of_orders.names IS NOT NULL
      ) AS b
  ) AS d
 WHERE d.over <> 0 OR d.price_off <> 0 OR d.tax_off <> 0 OR d.raised <> 0
 GROUP BY d.rate

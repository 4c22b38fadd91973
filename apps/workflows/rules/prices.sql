-- Fact of purchase order r: the lines whose price is off, against the vendor's price list or on the bill.
--
-- {{price_expected}}      numeric, order's currency    the price as agreed, by the product's own unit
-- {{price_found}}         numeric, order's currency    the price as it is, by the product's own unit
-- {{amount}}              numeric, company's currency  what the differences come to
-- {{price_list}}          jsonb                        against what: the price list
-- {{still_to_come}}       numeric, product's own unit  what line l still brings
-- {{price_of_line}}       numeric, order's currency    the price of line l by the product's own unit
-- {{per_unit_of_vendor}}  numeric                      how many of the product's own unit the unit of price s holds
-- {{ordered}}             numeric, product's own unit  what line l ordered
-- {{on_bill}}             jsonb                        against what: the bill b
-- {{per_unit_of_bill}}    numeric                      how many of the product's own unit the unit of bill line bl holds
-- {{tolerance}}           numeric, percent             up to which difference a price is the same
-- {{least_difference}}    numeric, order's currency    below which a line's difference is let be

SELECT count(*) AS price_lines_count, (array_agg(d.name ORDER BY abs(d.difference) DESC))[1] AS price_product,
       (array_agg(d.against ORDER BY abs(d.difference) DESC))[1] AS price_against,
       (array_agg({{price_expected}} ORDER BY abs(d.difference) DESC))[1] AS price_expected,
       (array_agg({{price_found}} ORDER BY abs(d.difference) DESC))[1] AS price_found,
       (array_agg(round(100 * (d.found - d.expected) / NULLIF(d.expected, 0), 1)
                  ORDER BY abs(d.difference) DESC))[1] AS price_difference_percent,
       {{amount}}
         AS price_difference_amount,
       (SELECT c.name FROM mirror_res_currency c
         WHERE c.connection_id = r.connection_id AND c.odoo_id = r.currency_id) AS price_currency
  FROM (
    SELECT l.name, {{price_list}} AS against, agreed.price AS expected, n.price AS found,
           (n.price - agreed.price) * {{still_to_come}} AS difference
      FROM mirror_purchase_order_line l
      JOIN mirror_product_product p ON p.connection_id = l.connection_id AND p.odoo_id = l.product_id
     CROSS JOIN LATERAL (SELECT {{price_of_line}} AS price) AS n
     CROSS JOIN LATERAL (
       SELECT s.price * (1 - COALESCE(s.discount, 0) / 100) / {{per_unit_of_vendor}} AS price
         FROM mirror_product_supplierinfo s
        WHERE s.connection_id = p.connection_id AND s.product_tmpl_id = p.product_tmpl_id AND s.deleted_at IS NULL
          AND (s.product_id IS NULL OR s.product_id = l.product_id) AND s.currency_id = r.currency_id
          AND (s.company_id IS NULL OR s.company_id = r.company_id)
          AND COALESCE(s.min_qty, 0) * {{per_unit_of_vendor}} <= {{ordered}}
          AND COALESCE(s.date_start <= r.date_order::date, TRUE) AND COALESCE(s.date_end >= r.date_order::date, TRUE)
          AND s.partner_id IN (
            r.partner_id, (SELECT v.commercial_partner_id FROM mirror_res_partner v
                            WHERE v.connection_id = r.connection_id AND v.odoo_id = r.partner_id))
        ORDER BY s.product_id IS NULL, s.sequence, s.min_qty * {{per_unit_of_vendor}} DESC, 1
        LIMIT 1
     ) AS agreed
     WHERE r.state <> 'cancel' AND l.connection_id = r.connection_id AND l.order_id = r.odoo_id
       AND l.deleted_at IS NULL AND l.product_qty > l.qty_received
    UNION ALL
    SELECT l.name, {{on_bill}}, o.price, n.price,
           (n.price - o.price) * bl.quantity * {{per_unit_of_bill}}
      FROM mirror_purchase_order_line l
      JOIN mirror_account_move_line bl ON bl.connection_id = l.connection_id AND bl.purchase_line_id = l.odoo_id
       AND bl.parent_state <> 'cancel' AND bl.deleted_at IS NULL AND bl.quantity > 0
      JOIN mirror_account_move b ON b.connection_id = bl.connection_id AND b.odoo_id = bl.move_id
       AND b.move_type = 'in_invoice' AND b.deleted_at IS NULL
       AND COALESCE(b.payment_state, '') NOT IN ('paid', 'in_payment', 'reversed')
     CROSS JOIN LATERAL (SELECT {{price_of_line}} AS price) AS o
     CROSS JOIN LATERAL (
       SELECT bl.price_unit * (1 - COALESCE(bl.discount, 0) / 100) / {{per_unit_of_bill}} AS price) AS n
     WHERE r.state IN ('purchase', 'done') AND l.connection_id = r.connection_id AND l.order_id = r.odoo_id
       AND l.deleted_at IS NULL
  ) AS d
 WHERE abs(d.found - d.expected) * 100 > abs(d.expected) * {{tolerance}} AND abs(d.difference) >= {{least_difference}}

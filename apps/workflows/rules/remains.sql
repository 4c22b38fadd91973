-- Fact of sales order r: what is still to be invoiced or credited, and whether that waits for a delivery.
--
-- {{credited_apart}}  numeric, product's own unit  what credit notes without a link gave back of line a
-- {{ratio}}           numeric                      how many of the product's own unit the unit of line a holds
-- {{is_back}}         boolean                      whether transfer own brings goods back

SELECT CASE WHEN bool_or(b.qty_to_invoice <> 0) THEN sum(b.to_bill * b.price) END AS to_bill_value,
       -- A rebate that is left alone gives money back as well.
       bool_or(b.to_bill < 0 AND b.price > 0) OR sum(b.to_bill * b.price) < 0 AS is_to_credit,
       bool_or(b.is_awaited) AS awaits_delivery, bool_and(b.only_return_is_open) AS only_return_is_open,
       count(b.*) = 0 AND r.amount_total <> 0 AND r.state NOT IN ('draft', 'sent', 'cancel') AS has_unknown_lines
  FROM (
   SELECT a.*, CASE WHEN a.own_to_bill < 0
                    THEN LEAST(a.own_to_bill + {{credited_apart}} / {{ratio}}, 0)
                    ELSE a.own_to_bill END AS to_bill
     FROM (
      SELECT l.connection_id, l.odoo_id, l.product_id, l.product_uom_id, l.qty_to_invoice, a.is_awaited,
           l.price_unit * (1 - COALESCE(l.discount, 0) / 100) AS price, goods.only_return_is_open,
           CASE WHEN goods.has_cancelled AND NOT goods.has_moved AND bool_or(kind.is_goods) OVER ()
                  OR kind.is_goods AND goods.has_returned
                THEN LEAST(l.qty_to_invoice, l.qty_delivered - l.qty_invoiced)
                ELSE l.qty_to_invoice END AS own_to_bill
      FROM (
        SELECT COALESCE(bool_or(p.state = 'done'), FALSE) AS has_moved,
               COALESCE(bool_or(p.state = 'cancel'), FALSE) AS has_cancelled,
               COALESCE(bool_or(p.state = 'done' AND p.is_back), FALSE) AS has_returned,
               COALESCE(bool_or(p.is_back) FILTER (WHERE p.state NOT IN ('draft', 'done', 'cancel')), FALSE)
                 AND NOT COALESCE(bool_or(NOT p.is_back)
                                    FILTER (WHERE p.state NOT IN ('draft', 'done', 'cancel')), FALSE)
                 AS only_return_is_open
          FROM (
            SELECT own.state, {{is_back}} AS is_back
              FROM mirror_stock_picking own
             WHERE r.state NOT IN ('draft', 'sent', 'cancel') AND own.connection_id = r.connection_id
               AND own.sale_id = r.odoo_id AND own.deleted_at IS NULL
          ) AS p
      ) AS goods
      JOIN mirror_sale_order_line l ON r.state NOT IN ('draft', 'sent', 'cancel')
       AND l.connection_id = r.connection_id AND l.order_id = r.odoo_id AND l.deleted_at IS NULL
       AND COALESCE(l.display_type, '') = '' AND l.is_downpayment IS NOT TRUE
      LEFT JOIN mirror_product_product pr ON pr.connection_id = l.connection_id AND pr.odoo_id = l.product_id
      LEFT JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
     CROSS JOIN LATERAL (
       SELECT COALESCE(NULLIF(l.qty_delivered_method, '') = 'stock_move', t.type IN ('consu', 'product'), FALSE)
         AS is_goods
     ) AS kind
     CROSS JOIN LATERAL (
       SELECT l.product_uom_qty > l.qty_delivered AND CASE
                -- Some of it went, so that what did not was given up; or it was billed and credited.
                WHEN kind.is_goods THEN NOT goods.has_moved
                  AND NOT (paid.has_credit_note IS TRUE AND l.qty_invoiced <= 0)
                  AND (goods.has_cancelled OR l.qty_invoiced < l.product_uom_qty AND l.qty_to_invoice = 0)
                ELSE l.qty_invoiced < l.product_uom_qty AND l.qty_to_invoice = 0
                  AND NOT (paid.has_credit_note IS TRUE AND l.qty_invoiced <= 0) END AS is_awaited
     ) AS a
     ) AS a
  ) AS b

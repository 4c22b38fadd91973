-- Fact of sales order r: what is delivered and not invoiced, and since when.
--
-- %(now)s         timestamptz                  the moment of the evaluation
-- {{amount}}      numeric, company's currency  what is to be invoiced
-- {{grace}}       interval                     how long it may stay so
-- {{to_invoice}}  numeric, product's own unit  what of line l is to be invoiced
-- {{delivered}}   numeric, product's own unit  what of line l is delivered
-- {{invoiced}}    numeric, product's own unit  what of line l is invoiced

SELECT {{amount}} AS uninvoiced_amount,
       trim_scale(g.to_invoice) AS uninvoiced_quantity, trim_scale(g.delivered) AS delivered_goods_quantity,
       trim_scale(g.invoiced) AS invoiced_before_quantity, g.products AS uninvoiced_products_names,
       d.since AS last_delivered_at, floor(extract(epoch FROM %(now)s::timestamptz - d.since) / 86400)::int
         AS uninvoiced_days,
       d.since + {{grace}} <= %(now)s AS is_invoice_late,
       CASE WHEN d.since + {{grace}} > %(now)s THEN d.since + {{grace}} END
         AS invoice_look_at
  FROM (
    SELECT sum({{to_invoice}}) AS to_invoice, sum({{delivered}}) AS delivered,
           sum({{invoiced}}) AS invoiced,
           sum(l.price_subtotal / NULLIF(l.product_uom_qty, 0) * l.qty_to_invoice) AS value,
           string_agg(DISTINCT l.name, ', ') AS products
      FROM mirror_sale_order_line l
     WHERE r.state NOT IN ('draft', 'sent', 'cancel') AND r.invoice_status = 'to invoice'
       AND l.connection_id = r.connection_id AND l.order_id = r.odoo_id AND l.deleted_at IS NULL
       AND l.qty_to_invoice > 0
  ) AS g
 CROSS JOIN LATERAL (
   SELECT COALESCE(max(p.date_done), r.date_order) AS since
     FROM mirror_stock_picking p
    WHERE p.connection_id = r.connection_id AND p.sale_id = r.odoo_id AND p.picking_type_code IN ('outgoing', 'dropship')
      AND p.state = 'done' AND p.deleted_at IS NULL
 ) AS d
 WHERE g.value > 0

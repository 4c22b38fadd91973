-- Suggested actions on a sales order, or on one of its transfers: what Odoo would invoice or credit of it now.
--
-- A line of which nothing was ordered has no total: a down payment, which the invoice takes off, or what a picker added.
--
-- %(connection)s  bigint       the connection
-- {{text}}        jsonb        what is offered, in words
-- {{order_of}}    SQL, bigint  the order's id in Odoo
-- {{list_price}}  numeric      the price of line l, order's currency
-- {{before_tax}}  numeric      which part of the prices of the lines l is before tax; an aggregate
-- {{direction}}   int          1 for what is to be invoiced, -1 for what is to be credited
-- {{tolerance}}   numeric      by which part of it Odoo may come to another sum, of rounding

SELECT trim_scale(round(b.amount, 2))::text AS option,
       {{text}} AS text,
       o.odoo_id AS order_id, o.name AS order_name, round(b.amount, 2) AS amount, COALESCE(cu.name, '') AS currency,
       COALESCE(c.name, '') AS customer_name,
       round(b.amount - apart.most, 2) AS least, round(b.amount + apart.most, 2) AS most, newest.id AS after_id, k.uid AS tower_uid
  FROM mirror_sale_order o
  -- What is drafted is told from what others draft by who made it, and by its number.
  JOIN odoo_connection k ON k.id = o.connection_id AND k.uid IS NOT NULL
  LEFT JOIN mirror_res_partner c
    ON c.connection_id = o.connection_id AND c.odoo_id = COALESCE(o.partner_invoice_id, o.partner_id)
  LEFT JOIN mirror_res_currency cu ON cu.connection_id = o.connection_id AND cu.odoo_id = o.currency_id
 CROSS JOIN LATERAL (
   SELECT (COALESCE(sum(l.price_subtotal / l.product_uom_qty * l.qty_to_invoice) FILTER (WHERE l.product_uom_qty <> 0), 0)
           + COALESCE(sum({{list_price}} * l.qty_to_invoice) FILTER (WHERE l.product_uom_qty = 0), 0) * {{before_tax}})
          * {{direction}} AS amount
     FROM mirror_sale_order_line l
    WHERE l.connection_id = o.connection_id AND l.order_id = o.odoo_id AND l.deleted_at IS NULL
 ) AS b
 CROSS JOIN LATERAL (SELECT GREATEST(b.amount * {{tolerance}}, 0.05) AS most) AS apart
 CROSS JOIN LATERAL (
   SELECT COALESCE(max(m.odoo_id), 0) AS id FROM mirror_account_move m WHERE m.connection_id = o.connection_id
 ) AS newest
 WHERE o.connection_id = %(connection)s AND o.odoo_id = {{order_of}} AND o.deleted_at IS NULL
   AND o.state IN ('sale', 'done') AND o.invoice_status = 'to invoice' AND COALESCE(o.x_ct_hold, '') = '' AND b.amount > 0

-- Suggested actions on a transfer: other products of the same kind that lie free where one is missing.
--
-- %(connection)s  bigint                       the connection
-- %(record)s      bigint                       the transfer's id in Odoo
-- {{instead}}     jsonb                        what is offered, in words
-- {{missing}}     numeric, product's own unit  what move m lacks
-- {{ratio}}       numeric                      how many of the product's own unit the unit of line l holds
-- {{free}}        one row                      quantity: what is free of the other product where move m takes from, its own unit
-- {{price_span}}  numeric                      by which part of the price the other product may be dearer or cheaper

SELECT concat(n.move_id, '-', other.odoo_id) AS option,
       {{instead}} AS text,
       n.order_id, n.amount_total, n.order_name, n.customer_name, n.line_id, trim_scale(n.ordered - n.missing_of_line) AS kept,
       other.odoo_id AS substitute_id,
       trim_scale(n.missing_of_line) AS quantity, n.price_unit AS price, COALESCE(n.discount, 0) AS discount,
       t.name AS product_name,
       ot.name AS substitute_name, CASE WHEN n.unit <> 1 THEN n.product_uom_id END AS unit_id
  FROM (
    SELECT m.odoo_id AS move_id, m.product_id, m.location_id, own.missing,
           round(own.missing / per.unit, 6) AS missing_of_line,
           l.odoo_id AS line_id, l.product_uom_qty AS ordered, l.price_unit, l.discount, o.odoo_id AS order_id,
           o.amount_total, o.name AS order_name, COALESCE(c.name, '') AS customer_name, o.company_id, l.product_uom_id, per.unit
      FROM mirror_stock_move m
      JOIN mirror_sale_order_line l ON l.connection_id = m.connection_id AND l.odoo_id = m.sale_line_id
       AND l.product_id = m.product_id AND l.deleted_at IS NULL
      JOIN mirror_sale_order o ON o.connection_id = l.connection_id AND o.odoo_id = l.order_id AND o.state = 'sale'
       AND o.deleted_at IS NULL AND o.locked IS NOT TRUE
      LEFT JOIN mirror_res_partner c ON c.connection_id = o.connection_id AND c.odoo_id = o.partner_id
     CROSS JOIN LATERAL (
       SELECT {{missing}} AS missing) AS own
     CROSS JOIN LATERAL (SELECT {{ratio}} AS unit) AS per
     WHERE m.connection_id = %(connection)s AND m.picking_id = %(record)s AND m.deleted_at IS NULL
       AND m.state IN ('confirmed', 'partially_available', 'assigned') AND m.product_uom_qty > COALESCE(m.quantity, 0)
  ) AS n
  JOIN mirror_product_product pr ON pr.connection_id = %(connection)s AND pr.odoo_id = n.product_id
  JOIN mirror_product_template t ON t.connection_id = %(connection)s AND t.odoo_id = pr.product_tmpl_id
  JOIN mirror_product_template ot ON ot.connection_id = %(connection)s AND ot.deleted_at IS NULL AND ot.active
   AND ot.tracking IS NOT DISTINCT FROM t.tracking AND ot.uom_id IS NOT DISTINCT FROM t.uom_id
   AND (ot.odoo_id = t.odoo_id OR ot.categ_id = t.categ_id AND abs(ot.list_price - t.list_price)
                                                                <= {{price_span}} * t.list_price)
  JOIN mirror_product_product other ON other.connection_id = %(connection)s AND other.product_tmpl_id = ot.odoo_id
   AND other.odoo_id <> n.product_id AND other.active AND other.deleted_at IS NULL
 CROSS JOIN LATERAL ({{free}}) AS free
 WHERE free.quantity >= n.missing AND NOT EXISTS (
   SELECT FROM mirror_sale_order_line own
    WHERE own.connection_id = %(connection)s AND own.order_id = n.order_id AND own.product_id = other.odoo_id
      AND own.deleted_at IS NULL)
 ORDER BY other.product_tmpl_id <> pr.product_tmpl_id, abs(ot.list_price - t.list_price), other.odoo_id

-- What confirmed orders still have to deliver, and had to at each moment since: a row for each part of a line and the time in which
-- it was to be delivered.
--
-- A part is in the backlog from the order's date until its delivery is done; a kit leaves it with its last component. What is not
-- delivered yet counts as long as Odoo still has a transfer for it, or has made none so far (a dropship before its purchase). The
-- value is the line's untaxed price, in the company's currency. Services, sections and cancelled orders are left out; what comes
-- back later undoes no delivery.
--
-- %(since)s       timestamptz  the earliest moment that is asked for
-- {{seen}}        boolean      whether the person may see order r
-- {{of_line}}     boolean      whether line l is of the part that is asked for
-- {{ordered}}     numeric      quantity ordered of line l, in the product's own unit
-- {{moved}}       numeric      quantity done of move m, likewise
-- {{goes_back}}   boolean      whether delivery d takes goods back

SELECT 'order_to_cash' AS workflow, s.connection_id, 'sale.order' AS model, s.order_id AS odoo_id, s.ordered_at AS at,
       s.ordered_at AS begins, s.ends, s.subtotal * s.part / s.rate AS amount, 0::numeric AS billed, COALESCE(cu.name, '') AS currency
  FROM (
    SELECT r.connection_id, r.company_id, r.odoo_id AS order_id, r.date_order AS ordered_at, NULL::timestamptz AS ends,
           l.price_subtotal AS subtotal, 1 - COALESCE(l.qty_delivered, 0) / l.product_uom_qty AS part,
           COALESCE(NULLIF(r.currency_rate, 0), 1) AS rate
      FROM mirror_sale_order_line l
      JOIN mirror_sale_order r ON r.connection_id = l.connection_id AND r.odoo_id = l.order_id
     WHERE l.qty_delivered < l.product_uom_qty AND l.product_uom_qty > 0 AND l.deleted_at IS NULL
       AND COALESCE(l.display_type, '') = '' AND COALESCE(l.qty_delivered_method, '') IN ('', 'stock_move')
       AND l.product_id IS NOT NULL AND r.state IN ('sale', 'done') AND r.deleted_at IS NULL AND r.date_order IS NOT NULL
       AND {{seen}} AND {{of_line}}
       AND (SELECT bool_or(m.state NOT IN ('done', 'cancel')) FROM mirror_stock_move m
             WHERE m.connection_id = l.connection_id AND m.sale_line_id = l.odoo_id AND m.deleted_at IS NULL) IS DISTINCT FROM FALSE
     UNION ALL
    SELECT g.connection_id, g.company_id, g.order_id, g.ordered_at, g.ends, g.subtotal,
           LEAST(CASE WHEN g.is_kit THEN g.delivered ELSE g.moved / NULLIF(g.ordered, 0) END, 1), g.rate
      FROM (
        SELECT r.connection_id, r.company_id, r.odoo_id AS order_id, r.date_order AS ordered_at, l.price_subtotal AS subtotal,
               COALESCE(l.qty_delivered, 0) / l.product_uom_qty AS delivered, {{ordered}} AS ordered,
               m.product_id <> l.product_id AS is_kit, COALESCE(NULLIF(r.currency_rate, 0), 1) AS rate,
               max(m.date) AS ends, sum({{moved}}) AS moved
          FROM mirror_stock_picking d
          JOIN mirror_stock_move m ON m.connection_id = d.connection_id AND m.picking_id = d.odoo_id AND m.state = 'done'
           AND m.deleted_at IS NULL AND m.sale_line_id IS NOT NULL
          JOIN mirror_sale_order_line l ON l.connection_id = m.connection_id AND l.odoo_id = m.sale_line_id
           AND l.deleted_at IS NULL AND l.product_uom_qty > 0
          JOIN mirror_sale_order r ON r.connection_id = l.connection_id AND r.odoo_id = l.order_id
         WHERE d.state = 'done' AND d.date_done > %(since)s AND d.picking_type_code IN ('outgoing', 'dropship')
           AND d.deleted_at IS NULL AND NOT {{goes_back}} AND r.state IN ('sale', 'done') AND r.deleted_at IS NULL
           AND r.date_order IS NOT NULL AND {{seen}} AND {{of_line}}
         GROUP BY r.connection_id, r.company_id, r.odoo_id, r.date_order, r.currency_rate, l.id, is_kit,
                  CASE WHEN m.product_id = l.product_id THEN m.id END) AS g) AS s
  LEFT JOIN mirror_res_company co ON co.connection_id = s.connection_id AND co.odoo_id = s.company_id
  LEFT JOIN mirror_res_currency cu ON cu.connection_id = co.connection_id AND cu.odoo_id = co.currency_id
 WHERE s.part > 0

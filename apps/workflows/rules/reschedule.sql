-- Suggested actions on a purchase order: the receipts that can be moved to the vendor's new date.
--
-- %(connection)s   bigint                the connection
-- %(record)s       bigint                the order's id in Odoo
-- {{moved}}        jsonb                 what is offered, in words
-- {{new_day}}      date, company's zone  the day of e.expected_at
-- {{planned_day}}  date, company's zone  the day for which line l is planned

SELECT concat(l.odoo_id, '@', to_char(e.expected_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')) AS option,
       {{moved}} AS text,
       l.odoo_id AS line_id, receipt.move_id, receipt.name AS receipt_name, l.name AS product_name,
       to_char(e.expected_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS new_date,
       to_char({{new_day}}, 'YYYY-MM-DD') AS new_day, e.source AS said_by, e.expected_at AS new_at
  FROM (
    SELECT s.expected_at, s.source
      FROM events_event s
     WHERE s.connection_id = %(connection)s AND s.model = 'purchase.order' AND s.odoo_id = %(record)s
       AND s.status = 'matched' AND s.kind IN ('eta_changed', 'order_acknowledged') AND s.expected_at IS NOT NULL
     ORDER BY s.occurred_at DESC, s.id DESC
     LIMIT 1) AS e
  JOIN mirror_purchase_order_line l ON l.connection_id = %(connection)s AND l.order_id = %(record)s
   AND l.deleted_at IS NULL AND l.qty_received < l.product_qty
   AND {{planned_day}} < {{new_day}}
  LEFT JOIN LATERAL (
    SELECT m.odoo_id AS move_id, p.name
      FROM mirror_stock_move m
      JOIN mirror_stock_picking p ON p.connection_id = m.connection_id AND p.odoo_id = m.picking_id
       AND p.state NOT IN ('draft', 'done', 'cancel') AND p.deleted_at IS NULL
     WHERE m.connection_id = l.connection_id AND m.purchase_line_id = l.odoo_id AND m.state NOT IN ('done', 'cancel')
       AND m.deleted_at IS NULL
     ORDER BY p.odoo_id DESC, m.odoo_id
     LIMIT 1) AS receipt ON TRUE
 ORDER BY l.odoo_id

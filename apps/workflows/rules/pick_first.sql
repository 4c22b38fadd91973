-- Suggested actions on a warehouse with more ready than it ships in a shift: what is due first, where nobody has marked it as urgent.
--
-- %(connection)s  bigint   the connection
-- %(record)s      bigint   the warehouse's id in Odoo
-- {{text}}        jsonb    what is offered, in words
-- {{most}}        int      so many of a warehouse are urgent at once

SELECT k.odoo_id::text AS option, {{text}} AS text, k.odoo_id AS transfer_id, k.name AS transfer_name
  FROM (
    SELECT p.odoo_id, p.name, p.connection_id, p.company_id, p.partner_id, p.priority,
           COALESCE(p.date_deadline, p.scheduled_date) AS due_at, goods.lines
      FROM mirror_stock_picking_type t
      JOIN mirror_stock_picking p
        ON p.connection_id = t.connection_id AND p.picking_type_id = t.odoo_id AND p.state = 'assigned' AND p.deleted_at IS NULL
     CROSS JOIN LATERAL (
       SELECT count(*) AS lines FROM mirror_stock_move m
        WHERE m.connection_id = p.connection_id AND m.picking_id = p.odoo_id AND m.state <> 'cancel' AND m.deleted_at IS NULL
     ) AS goods
     WHERE t.connection_id = %(connection)s AND t.warehouse_id = %(record)s AND t.code = 'outgoing'
     ORDER BY due_at, goods.lines, p.odoo_id
     LIMIT {{most}}
  ) AS k
  LEFT JOIN mirror_res_partner c ON c.connection_id = k.connection_id AND c.odoo_id = k.partner_id
 WHERE k.priority IS DISTINCT FROM '1'
 ORDER BY k.due_at, k.lines, k.odoo_id

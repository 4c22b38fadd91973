-- The lines of customers' orders whose promised day ended in the window: what was ordered, what was delivered by then, and in all.
--
-- The promise is the order's delivery date, else the earliest deadline that Odoo has given its deliveries; without either a line is
-- not counted. Orders are found by indexes on these dates, and then judged by the exact rule. Quantities are in the product's own
-- unit. Services, sections, cancelled orders and lines of nothing are left out. What comes back later undoes no delivery; of a kit,
-- what is delivered is Odoo's count, less what came back.
--
-- %(since)s       timestamptz  begin of the window
-- %(now)s         timestamptz  end of the window
-- {{seen}}        boolean      whether the person may see order r
-- {{of_line}}     boolean      whether line l is of the part that is asked for
-- {{commitment}}  timestamptz  the delivery date of order r, NULL where it only stands for none
-- {{deadline}}    timestamptz  the deadline of delivery d, likewise
-- {{ordered}}     numeric      quantity ordered of line l
-- {{delivered}}   numeric      quantity delivered of line l, by Odoo
-- {{moved}}       numeric      quantity done of move m
-- {{goes_back}}   boolean      whether delivery d takes goods back

SELECT s.connection_id, s.company_id, s.order_id, s.line_id, s.at, s.ordered,
       CASE WHEN s.is_kit THEN s.delivered * COALESCE(s.part_in_time, 0) ELSE s.in_time END AS in_time,
       CASE WHEN s.is_kit THEN s.delivered ELSE s.in_all END AS in_all
  FROM (
    SELECT g.connection_id, g.company_id, g.order_id, g.line_id, g.at, g.ordered, g.delivered,
           COALESCE(bool_or(g.product_id <> g.of_product), FALSE) AS is_kit, min(g.in_time / NULLIF(g.in_all, 0)) AS part_in_time,
           COALESCE(sum(g.in_time), 0) AS in_time, COALESCE(sum(g.in_all), 0) AS in_all
      FROM (
        SELECT due.connection_id, due.company_id, due.order_id, due.at, l.odoo_id AS line_id, l.product_id AS of_product,
               {{ordered}} AS ordered, {{delivered}} AS delivered, w.product_id, w.in_time, w.in_all
          FROM (
            SELECT r.connection_id, r.company_id, r.odoo_id AS order_id,
                   ((COALESCE({{commitment}}, asked.deadline) AT TIME ZONE z.zone)::date + 1)::timestamp AT TIME ZONE z.zone
                   - interval '1 second' AS at
              FROM (
                SELECT p.connection_id, p.odoo_id
                  FROM mirror_sale_order p
                 WHERE p.commitment_date > %(since)s::timestamptz - interval '1 day' AND p.commitment_date <= %(now)s::timestamptz
                 UNION
                SELECT d.connection_id, d.sale_id
                  FROM mirror_stock_picking d
                 WHERE d.date_deadline > %(since)s::timestamptz - interval '1 day' AND d.date_deadline <= %(now)s::timestamptz
                   AND d.sale_id IS NOT NULL) AS promised
              JOIN mirror_sale_order r ON r.connection_id = promised.connection_id AND r.odoo_id = promised.odoo_id
              JOIN (SELECT connection_id, odoo_id, company_zone(connection_id, odoo_id) AS zone FROM mirror_res_company OFFSET 0) AS z
                ON z.connection_id = r.connection_id AND z.odoo_id = r.company_id
              LEFT JOIN LATERAL (
                SELECT min({{deadline}}) AS deadline
                  FROM mirror_stock_picking d
                 WHERE {{commitment}} IS NULL AND d.connection_id = r.connection_id AND d.sale_id = r.odoo_id
                   AND d.picking_type_code IN ('outgoing', 'dropship') AND d.deleted_at IS NULL) AS asked ON TRUE
             WHERE r.state IN ('sale', 'done') AND r.deleted_at IS NULL AND {{seen}}
               AND COALESCE({{commitment}}, asked.deadline) > %(since)s::timestamptz - interval '1 day'
               AND COALESCE({{commitment}}, asked.deadline) <= %(now)s::timestamptz OFFSET 0) AS due
          JOIN mirror_sale_order_line l ON l.connection_id = due.connection_id AND l.order_id = due.order_id
           AND l.deleted_at IS NULL AND l.product_uom_qty > 0 AND COALESCE(l.display_type, '') = ''
           AND COALESCE(l.qty_delivered_method, '') IN ('', 'stock_move') AND {{of_line}}
          LEFT JOIN LATERAL (
            SELECT m.product_id, sum({{moved}}) AS in_all, COALESCE(sum({{moved}}) FILTER (WHERE m.date <= due.at), 0) AS in_time
              FROM mirror_stock_move m
              JOIN mirror_stock_picking d ON d.connection_id = m.connection_id AND d.odoo_id = m.picking_id
               AND d.picking_type_code IN ('outgoing', 'dropship')
             WHERE m.connection_id = l.connection_id AND m.sale_line_id = l.odoo_id AND m.state = 'done' AND m.deleted_at IS NULL
               AND NOT {{goes_back}}
             GROUP BY m.product_id) AS w ON TRUE
         WHERE due.at > %(since)s AND due.at <= %(now)s AND l.product_id IS NOT NULL) AS g
     GROUP BY g.connection_id, g.company_id, g.order_id, g.line_id, g.at, g.ordered, g.delivered) AS s

-- The lines of confirmed purchases with what was ordered, what was received by the end of the planned day, and in all.
--
-- The planned day is the line's expected arrival as it stands: a date that the buyer accepted counts, not the first one. Quantities
-- are in the product's own unit. Services, sections, cancelled purchases and lines without a date are left out; what goes back to
-- the vendor undoes no receipt. A line of a kit is received as Odoo counts it, by the time of its last component.
--
-- {{seen}}       boolean      whether the person may see purchase r
-- {{of_line}}    boolean      whether line l is of the part that is asked for
-- {{when}}       boolean      which lines, by line l and the purchase r
-- {{planned}}    timestamptz  the expected arrival of line l, NULL where it only stands for none
-- {{ordered}}    numeric      quantity ordered of line l
-- {{received}}   numeric      quantity received of line l, by Odoo
-- {{moved}}      numeric      quantity done of move m
-- {{goes_back}}  boolean      whether receipt d takes goods back

SELECT s.connection_id, s.company_id, s.order_id, s.line_id, s.at, s.ordered_at, s.ordered, s.last_at,
       CASE WHEN s.is_kit THEN s.received * COALESCE(s.part_in_time, 0) ELSE s.in_time END AS in_time,
       CASE WHEN s.is_kit THEN s.received ELSE s.in_all END AS in_all
  FROM (
    SELECT g.connection_id, g.company_id, g.order_id, g.line_id, g.at, g.ordered_at, g.ordered, g.received, max(w.last_at) AS last_at,
           COALESCE(bool_or(w.product_id <> g.of_product), FALSE) AS is_kit, min(w.in_time / NULLIF(w.in_all, 0)) AS part_in_time,
           COALESCE(sum(w.in_time), 0) AS in_time, COALESCE(sum(w.in_all), 0) AS in_all
      FROM (
        SELECT r.connection_id, r.company_id, r.odoo_id AS order_id, l.odoo_id AS line_id, l.product_id AS of_product,
               (({{planned}} AT TIME ZONE z.zone)::date + 1)::timestamp AT TIME ZONE z.zone - interval '1 second' AS at,
               COALESCE(r.date_approve, r.date_order) AS ordered_at, {{ordered}} AS ordered, {{received}} AS received
          FROM (SELECT connection_id, odoo_id, company_zone(connection_id, odoo_id) AS zone FROM mirror_res_company OFFSET 0) AS z
          JOIN mirror_purchase_order r ON r.connection_id = z.connection_id AND r.company_id = z.odoo_id
          JOIN mirror_purchase_order_line l ON l.connection_id = r.connection_id AND l.order_id = r.odoo_id
         WHERE r.state IN ('purchase', 'done') AND r.deleted_at IS NULL AND l.deleted_at IS NULL AND l.product_qty > 0
           AND COALESCE(l.display_type, '') = '' AND COALESCE(l.qty_received_method, '') IN ('', 'stock_moves')
           AND l.product_id IS NOT NULL AND {{seen}} AND {{of_line}} AND {{when}} OFFSET 0) AS g
      LEFT JOIN LATERAL (
        SELECT m.product_id, sum({{moved}}) AS in_all, COALESCE(sum({{moved}}) FILTER (WHERE m.date <= g.at), 0) AS in_time,
               max(m.date) AS last_at
          FROM mirror_stock_move m
          JOIN mirror_stock_picking d ON d.connection_id = m.connection_id AND d.odoo_id = m.picking_id
           AND d.picking_type_code IN ('incoming', 'dropship')
         WHERE m.connection_id = g.connection_id AND m.purchase_line_id = g.line_id AND m.state = 'done' AND m.deleted_at IS NULL
           AND NOT {{goes_back}}
         GROUP BY m.product_id) AS w ON TRUE
     GROUP BY g.connection_id, g.company_id, g.order_id, g.line_id, g.at, g.ordered_at, g.ordered, g.received) AS s

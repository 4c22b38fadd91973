-- Fact of transfer r: the goods that it lacks, why, and where they lie instead.
--
-- {{reasons}}         jsonb                        why goods are missing, in words
-- {{elsewhere}}       jsonb                        in which warehouses they lie, in words
-- {{missing_amount}}  numeric, company's currency  what is missing
-- {{ratio}}           numeric                      how many of the product's own unit the unit of move m holds
-- {{why}}             jsonb                        why the goods of move m are missing, in words
-- {{wanted}}          numeric, product's own unit  what move m wants
-- {{reserved}}        numeric, product's own unit  what move m has
-- {{missing}}         numeric, product's own unit  what move m lacks
-- {{dropped}}         numeric, product's own unit  what move m gave up
-- {{kit_part}}        numeric, product's own unit  how much of m's product sales line sl needs
-- {{on_the_way}}      numeric, product's own unit  what move o is of
-- {{components}}      bigint                       the number of components of what line kl is of
-- {{line_wants}}      numeric, product's own unit  how much of u's product line kl needs
-- {{is_kit}}          boolean                      whether u's product is a component of what line kl is of
-- {{unit_value}}      one row                      unit: what one of m's unit is worth, company's currency
-- {{stock}}           rows                         warehouse_id, quantity, reserved, free: m's product, its own unit
-- {{in_warehouses}}   jsonb                        in which other warehouses they lie free

SELECT count(*) AS short_count, string_agg(DISTINCT s.product, ', ') AS short_products_names,
       {{reasons}} AS shortage_names,
       trim_scale(sum(s.wanted)) AS wanted_quantity, trim_scale(sum(s.wanted - s.missing)) AS available_quantity,
       trim_scale(sum(s.missing)) AS missing_quantity, trim_scale(sum(s.on_hand)) AS on_hand_quantity,
       trim_scale(sum(s.for_others)) AS reserved_for_others_quantity,
       trim_scale(sum(s.free_elsewhere)) AS free_elsewhere_quantity,
       {{elsewhere}} AS elsewhere_names,
       {{missing_amount}} AS missing_amount,
       array_agg(s.product_id ORDER BY s.missing DESC, s.product_id) AS short_product_ids
  FROM (
    SELECT m.wanted, m.missing, worth.unit / {{ratio}} AS unit, COALESCE(t.name, '#' || m.product_id) AS product,
           m.product_id, stock.on_hand, GREATEST(stock.reserved - m.reserved, 0) AS for_others, stock.free_elsewhere,
           stock.elsewhere, m.components,
           CASE WHEN m.components = 1 OR row_number() OVER (
                  PARTITION BY m.sale_line_id ORDER BY m.missing / NULLIF(m.line_wants, 0) DESC, m.odoo_id) = 1
                THEN 1 ELSE 0 END AS lacks_most,
           {{why}} AS why
      FROM (
        SELECT u.*, COALESCE(kit.components, 1) AS components, kit.line_wants
          FROM (
        SELECT m.connection_id, m.odoo_id, m.product_id, m.product_uom, m.sale_line_id, m.purchase_line_id,
               m.location_dest_id, FALSE AS is_dropped, {{wanted}} AS wanted,
               {{reserved}} AS reserved,
               {{missing}} AS missing
          FROM mirror_stock_move m
         WHERE r.state IN ('waiting', 'confirmed', 'assigned') AND r.picking_type_code <> 'incoming'
           AND m.connection_id = r.connection_id AND m.picking_id = r.odoo_id AND m.deleted_at IS NULL
           AND m.state IN ('waiting', 'confirmed', 'partially_available', 'assigned')
           AND COALESCE(m.quantity, 0) < m.product_uom_qty
           AND (r.state = 'assigned' OR r.backorder_id IS NOT NULL OR EXISTS (
                  SELECT 1 FROM mirror_stock_move held
                   WHERE held.connection_id = r.connection_id AND held.picking_id = r.odoo_id
                     AND held.deleted_at IS NULL AND held.state <> 'cancel' AND held.quantity > 0))
        UNION ALL
        SELECT m.connection_id, m.odoo_id, m.product_id, m.product_uom, m.sale_line_id, m.purchase_line_id,
               m.location_dest_id, TRUE, d.dropped, 0,
               LEAST(d.dropped, line.undelivered - on_the_way.quantity)
          FROM mirror_stock_move m
         CROSS JOIN LATERAL (
           SELECT {{dropped}} AS dropped) AS d
          JOIN mirror_sale_order_line sl
            ON sl.connection_id = m.connection_id AND sl.odoo_id = m.sale_line_id AND sl.deleted_at IS NULL
           AND sl.qty_delivered < sl.product_uom_qty
          JOIN mirror_sale_order so
            ON so.connection_id = sl.connection_id AND so.odoo_id = sl.order_id AND so.state IN ('sale', 'done')
           AND so.deleted_at IS NULL
         CROSS JOIN LATERAL (
           -- Of a component: its part of the sets that are not delivered.
           SELECT {{kit_part}} * (sl.product_uom_qty - sl.qty_delivered) / sl.product_uom_qty
                    AS undelivered) AS line
         CROSS JOIN LATERAL (
           SELECT COALESCE(sum({{on_the_way}}) FILTER (
                    WHERE o.state NOT IN ('draft', 'done', 'cancel') AND NOT EXISTS (
                      SELECT 1 FROM mirror_stock_move onward
                       WHERE onward.connection_id = o.connection_id AND onward.sale_line_id = o.sale_line_id
                         AND onward.move_orig_ids @> ARRAY[o.odoo_id] AND onward.state NOT IN ('done', 'cancel')
                         AND onward.deleted_at IS NULL)), 0) AS quantity,
                  COALESCE(max(o.odoo_id) FILTER (
                    WHERE o.state = 'cancel' OR o.state = 'done' AND o.quantity < o.product_uom_qty), 0) AS last
             FROM mirror_stock_move o
            WHERE o.connection_id = m.connection_id AND o.sale_line_id = m.sale_line_id AND o.deleted_at IS NULL
              AND o.product_id IS NOT DISTINCT FROM m.product_id
         ) AS on_the_way
         WHERE r.picking_type_code IN ('outgoing', 'internal') AND m.connection_id = r.connection_id
           AND m.picking_id = r.odoo_id AND m.deleted_at IS NULL AND d.dropped > 0
           AND m.odoo_id = on_the_way.last
           AND line.undelivered > on_the_way.quantity
          ) AS u
          LEFT JOIN LATERAL (
            SELECT {{components}} AS components, {{line_wants}} AS line_wants
              FROM mirror_sale_order_line kl
             WHERE kl.connection_id = u.connection_id AND kl.odoo_id = u.sale_line_id
               AND {{is_kit}}) AS kit ON TRUE
      ) AS m
      LEFT JOIN mirror_product_product pr ON pr.connection_id = m.connection_id AND pr.odoo_id = m.product_id
      LEFT JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
     CROSS JOIN LATERAL ({{unit_value}}) AS worth
     CROSS JOIN LATERAL (
       SELECT COALESCE(sum(w.quantity) FILTER (WHERE w.is_here), 0) AS on_hand,
              COALESCE(sum(w.reserved) FILTER (WHERE w.is_here), 0) AS reserved,
              COALESCE(sum(w.free) FILTER (WHERE NOT w.is_here AND w.free > 0), 0) AS free_elsewhere,
              {{in_warehouses}} AS elsewhere
         FROM (
           SELECT wh.name, lain.quantity, lain.reserved, lain.free,
                  wh.odoo_id IS NOT DISTINCT FROM kind.warehouse_id AS is_here
             FROM ({{stock}}) AS lain
             JOIN mirror_stock_warehouse wh
               ON wh.connection_id = m.connection_id AND wh.odoo_id = lain.warehouse_id
              AND wh.company_id = r.company_id
             LEFT JOIN mirror_stock_picking_type kind
               ON kind.connection_id = r.connection_id AND kind.odoo_id = r.picking_type_id
         ) AS w
     ) AS stock
  ) AS s

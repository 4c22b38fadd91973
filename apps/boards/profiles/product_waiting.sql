-- The sales orders that wait for a product, or for a kit by its components, the earliest promise first.
--
-- %(connection)s    bigint                       the connection
-- %(product)s       bigint                       the product
-- %(most)s          bigint                       so many orders are named
-- {{missing}}       numeric, product's own unit  what move m lacks
-- {{short_states}}  list                         the states of moves that wait
-- {{earlier_step}}  rows                         the steps before move m that are not done
-- {{ordered}}       numeric, product's own unit  what line l ordered
-- {{wanted}}        numeric, product's own unit  how much of the component the whole line kit needs
-- {{sets}}          numeric, sets                what waits of a kit
-- {{commitment}}    timestamptz                  the promise of order o, NULL where it only stands for none
-- {{seen}}          boolean                      whether somebody sees order o

SELECT n.order_id AS odoo_id, r.name, COALESCE(r.partner_id, 0) AS customer_id, COALESCE(v.name, '') AS customer, n.quantity, n.kits,
       n.promised_at, n.total
  FROM (
    SELECT l.order_id, trim_scale(sum(w.quantity)) AS quantity, min(COALESCE({{commitment}}, w.at)) AS promised_at,
           COALESCE(string_agg(DISTINCT t.name, ', '), '') AS kits, count(*) OVER () AS total
      FROM (
        SELECT m.sale_line_id, sum({{missing}}) AS quantity, min(COALESCE(m.date_deadline, m.date)) AS at
          FROM mirror_stock_move m
         WHERE m.connection_id = %(connection)s AND m.product_id = %(product)s AND m.sale_line_id IS NOT NULL
           AND m.state IN {{short_states}} AND m.deleted_at IS NULL AND NOT EXISTS ({{earlier_step}})
         GROUP BY m.sale_line_id
        UNION ALL
        SELECT s.line_id, {{sets}}, min(s.at)
          FROM (
            SELECT kit.odoo_id AS line_id, kit.ordered, lacks.at, lacks.missing / NULLIF({{wanted}}, 0) AS share
              FROM (
                SELECT l.odoo_id, l.connection_id, l.product_id, l.product_uom_id, l.product_uom_qty, {{ordered}} AS ordered
                  FROM mirror_sale_order_line l
                 WHERE l.connection_id = %(connection)s AND l.product_id = %(product)s AND l.qty_delivered < l.product_uom_qty
                   AND l.deleted_at IS NULL) AS kit
             CROSS JOIN LATERAL (
               SELECT m.product_id, sum({{missing}}) AS missing, min(COALESCE(m.date_deadline, m.date)) AS at
                 FROM mirror_stock_move m
                WHERE m.connection_id = kit.connection_id AND m.sale_line_id = kit.odoo_id AND m.product_id <> kit.product_id
                  AND m.state IN {{short_states}} AND m.deleted_at IS NULL AND NOT EXISTS ({{earlier_step}})
                GROUP BY m.product_id) AS lacks) AS s
         GROUP BY s.line_id, s.ordered
      ) AS w
      JOIN mirror_sale_order_line l ON l.connection_id = %(connection)s AND l.odoo_id = w.sale_line_id
      JOIN mirror_sale_order o ON o.connection_id = l.connection_id AND o.odoo_id = l.order_id AND o.deleted_at IS NULL
      LEFT JOIN mirror_product_product pr ON pr.connection_id = l.connection_id AND pr.odoo_id = l.product_id
       AND pr.odoo_id <> %(product)s
      LEFT JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
     WHERE w.quantity > 0 AND {{seen}}
     GROUP BY l.order_id
     ORDER BY promised_at NULLS LAST, l.order_id
     LIMIT %(most)s
  ) AS n
  JOIN mirror_sale_order r ON r.connection_id = %(connection)s AND r.odoo_id = n.order_id
  LEFT JOIN mirror_res_partner v ON v.connection_id = r.connection_id AND v.odoo_id = r.partner_id
 ORDER BY n.promised_at NULLS LAST, n.order_id

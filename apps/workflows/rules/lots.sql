-- Fact of transfer r: goods without a lot or serial number that need one, with one twice, or expired.
--
-- %(now)s         timestamptz                  the moment of the evaluation
-- {{problems}}    jsonb                        the problems, in words
-- {{amount}}      numeric, company's currency  what the goods concerned are worth
-- {{no_lot}}      jsonb                        the problem: the number is missing
-- {{not_one}}     jsonb                        the problem: a serial number stands for more or less than one
-- {{used_twice}}  jsonb                        the problem: a serial number stands twice
-- {{expired}}     jsonb                        the problem: the lot is past its date
-- {{quantity}}    numeric, product's own unit  the goods of detail ml
-- {{ratio}}       numeric                      how many of the product's own unit the unit of move m holds
-- {{unit_value}}  one row                      unit: what one of m's unit is worth, company's currency

SELECT count(*) FILTER (WHERE p.problem IS NOT NULL) AS lot_problem_count,
       {{problems}} AS lot_problem_names,
       string_agg(DISTINCT p.product, ', ') FILTER (WHERE p.problem IS NOT NULL) AS lot_products_names,
       string_agg(DISTINCT p.lot, ', ') FILTER (WHERE p.problem IS NOT NULL) AS lot_names,
       trim_scale(COALESCE(sum(p.quantity) FILTER (WHERE p.problem IS NOT NULL), 0)) AS lot_quantity,
       {{amount}}
         AS lot_amount,
       LEAST(min(p.expiration_date) FILTER (WHERE p.expiration_date > %(now)s AND r.state = 'assigned'),
             CASE WHEN r.state = 'done' AND bool_or(p.problem IS NOT NULL)
                  THEN r.date_done + interval '30 days' END) AS lot_next_at
  FROM (
    SELECT b.*,
           CASE WHEN b.lot IS NULL AND b.needs_lot THEN
                  {{no_lot}}
                WHEN b.tracking = 'serial' AND b.lot IS NOT NULL AND b.quantity <> 1
                THEN {{not_one}}
                WHEN b.tracking = 'serial' AND b.lot IS NOT NULL AND b.times > 1
                THEN {{used_twice}}
                WHEN b.expiration_date <= %(now)s AND r.state = 'assigned' AND r.picking_type_code <> 'incoming'
                THEN {{expired}} END AS problem
      FROM (
        SELECT {{quantity}} AS quantity, t.tracking, t.name AS product, lot.expiration_date,
               COALESCE(lot.name, NULLIF(ml.lot_name, ''), ml.lot_id::text) AS lot,
               (r.picking_type_code <> 'incoming' OR ml.picked OR r.state = 'done')
               AND (COALESCE(kind.use_create_lots, TRUE) OR COALESCE(kind.use_existing_lots, TRUE)) AS needs_lot,
               count(*) OVER (PARTITION BY ml.product_id,
                              COALESCE(lot.name, NULLIF(ml.lot_name, ''), ml.lot_id::text)) AS times,
               COALESCE(worth.unit / {{ratio}}, 0) AS unit
          FROM mirror_stock_move_line ml
          JOIN mirror_product_product pr ON pr.connection_id = ml.connection_id AND pr.odoo_id = ml.product_id
          JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
           AND t.tracking IN ('lot', 'serial')
          LEFT JOIN mirror_stock_lot lot ON lot.connection_id = ml.connection_id AND lot.odoo_id = ml.lot_id
          LEFT JOIN mirror_stock_picking_type kind
            ON kind.connection_id = r.connection_id AND kind.odoo_id = r.picking_type_id
          LEFT JOIN mirror_stock_move m ON m.connection_id = ml.connection_id AND m.odoo_id = ml.move_id
          LEFT JOIN LATERAL ({{unit_value}}) AS worth ON TRUE
         WHERE (r.state = 'assigned' OR r.state = 'done' AND r.date_done > %(now)s - interval '30 days')
           AND ml.connection_id = r.connection_id AND ml.picking_id = r.odoo_id AND ml.deleted_at IS NULL
           AND ml.quantity > 0
      ) AS b
  ) AS p

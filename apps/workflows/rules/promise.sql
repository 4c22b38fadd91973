-- Fact of sales order r: what it lacks, what supplies that and when, and whether the promise holds.
--
-- %(connection)s             bigint                       the connection
-- %(now)s                    timestamptz                  the moment of the evaluation
-- {{weight}}                 numeric, company's currency  what is not delivered, the more the later
-- {{short_moves}}            rows                         the moves of r that are short
-- {{linked_supply}}          rows                         the supply of move s that Odoo links
-- {{row_supply}}             rows                         the supply of move s that is worked out
-- {{demands}}                rows                         what waits for the products of the orders looked at, the first promised first
-- {{supplies}}               rows                         what is to come of these products, the earliest first
-- {{sets_missing}}           numeric, sets                what is missing of a kit
-- {{sets_uncovered}}         numeric, sets                what nothing supplies of a kit
-- {{names_of_line}}          text                         the product of a line, with the component that it lacks
-- {{short_amount}}           numeric, company's currency  what is short
-- {{forecast_day}}           date, company's zone         the day of t.known_at
-- {{promised_day}}           date, company's zone         the day of r.commitment_date
-- {{undelivered_amount}}     numeric, company's currency  what is not delivered
-- {{purchases_expected_at}}  timestamptz                  when the last purchase for r is expected, no sooner than today
-- {{unordered}}              rows                         what is bought for r and not on a move of it yet
-- {{steps}}                  rows                         the open steps of r
-- {{forecast_at}}            timestamptz                  when all of it that something brings is expected, no sooner than today

SELECT f.*, {{weight}} AS promise_weight
  FROM (
    WITH row_of_demands AS MATERIALIZED (
      {{demands}}
    ), row_of_supplies AS MATERIALIZED (
      {{supplies}}
    ), short AS MATERIALIZED (
      SELECT s.*, c.covered, c.planned_at, c.expected_at, c.name, c.purchase_id
        FROM ({{short_moves}}) AS s
        LEFT JOIN LATERAL (
          SELECT b.*, b.purchase_name || COALESCE(', ' || v.name, '') AS name
            FROM (({{linked_supply}}) UNION ALL ({{row_supply}})) AS b
            LEFT JOIN mirror_res_partner v ON v.connection_id = %(connection)s AND v.odoo_id = b.vendor_id
        ) AS c ON TRUE
    ), part AS (
      SELECT s.line_id, min(s.line_product_id) AS line_product_id, min(s.line_value) AS line_value,
             min(s.line_ordered) AS ordered, s.product_id, s.is_kit, sum(s.missing) AS missing,
             sum(s.missing) / NULLIF(min(s.line_wants), 0) AS share,
             sum(s.missing - COALESCE(s.covered, 0)) AS uncovered,
             sum(s.missing - COALESCE(s.covered, 0)) / NULLIF(min(s.line_wants), 0) AS uncovered_share
        FROM short s
       GROUP BY s.line_id, s.product_id, s.is_kit
    ), line AS (
      SELECT p.line_id, min(p.line_value) AS value, min(p.ordered) AS ordered,
             CASE WHEN bool_or(p.is_kit) THEN {{sets_missing}} ELSE sum(p.missing) END
               AS missing,
             CASE WHEN bool_or(p.is_kit) THEN {{sets_uncovered}}
                  ELSE sum(p.uncovered) END AS uncovered,
             {{names_of_line}} AS name
        FROM part p
        LEFT JOIN mirror_product_product pr ON pr.connection_id = %(connection)s AND pr.odoo_id = p.product_id
        LEFT JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
        LEFT JOIN mirror_product_product kp ON kp.connection_id = %(connection)s AND kp.odoo_id = p.line_product_id
        LEFT JOIN mirror_product_template kt ON kt.connection_id = kp.connection_id AND kt.odoo_id = kp.product_tmpl_id
       GROUP BY p.line_id
    )
    SELECT n.short_lines_count, trim_scale(n.short_quantity) AS short_quantity,
           {{short_amount}} AS short_amount,
           n.short_products_names,
           trim_scale(n.uncovered_quantity) AS uncovered_quantity, g.has_shortage OR wanted.is_unordered AS has_shortage,
           g.next_supply, g.next_supply_at,
           CASE WHEN g.uncovered_product_ids IS NULL THEN t.known_at END AS forecast_at,
           COALESCE(g.caused_by, wanted.purchases) AS caused_by,
           GREATEST(g.supplied_at, wanted.expected_at) AS supplied_at,
           GREATEST({{forecast_day}} - {{promised_day}}, 0)
             AS promise_late_days,
           {{undelivered_amount}} AS undelivered_amount,
           COALESCE(goes.is_open AND (t.known_at > r.commitment_date OR r.commitment_date <= %(now)s), FALSE)
             AS is_promise_at_risk,
           LEAST(CASE WHEN goes.is_open AND r.commitment_date > %(now)s THEN r.commitment_date END, g.next_planned_at)
             AS promise_look_at,
           NULLIF(array_remove(g.late_purchase_ids || wanted.purchase_ids, NULL), '{}') AS late_purchase_ids,
           g.uncovered_product_ids, g.uncovered_warehouse_id,
           CASE WHEN goes.is_ready AND NOT (g.has_shortage OR wanted.is_unordered) THEN r.warehouse_id END
             AS ready_warehouse_id
      FROM (
        SELECT COALESCE(bool_or(COALESCE(c.covered, 0) < c.missing OR c.is_late), FALSE) AS has_shortage,
               (array_agg(c.name ORDER BY c.expected_at) FILTER (WHERE c.name IS NOT NULL))[1] AS next_supply,
               min(c.expected_at) AS next_supply_at, max(c.expected_at) AS supplied_at,
               (array_agg(c.name ORDER BY c.expected_at DESC) FILTER (WHERE c.name IS NOT NULL))[1] AS caused_by,
               min(c.planned_at) FILTER (WHERE c.planned_at > %(now)s) AS next_planned_at,
               array_agg(c.purchase_id ORDER BY c.expected_at DESC, c.purchase_id) FILTER (WHERE c.is_late)
                 AS late_purchase_ids,
               array_agg(c.product_id ORDER BY c.missing - COALESCE(c.covered, 0) DESC, c.product_id)
                 FILTER (WHERE COALESCE(c.covered, 0) < c.missing) AS uncovered_product_ids,
               min(c.warehouse_id) FILTER (WHERE COALESCE(c.covered, 0) < c.missing) AS uncovered_warehouse_id
          FROM (SELECT short.*, CASE WHEN r.commitment_date IS NULL THEN short.planned_at <= %(now)s
                                     ELSE short.expected_at > r.commitment_date END AS is_late
                  FROM short) AS c
      ) AS g
     CROSS JOIN (
       SELECT count(*) AS short_lines_count, COALESCE(sum(line.missing), 0) AS short_quantity,
              COALESCE(sum(line.value * LEAST(line.missing / NULLIF(line.ordered, 0), 1)), 0) AS short_value,
              COALESCE(sum(line.uncovered), 0) AS uncovered_quantity,
              string_agg(DISTINCT line.name, ', ') AS short_products_names
         FROM line
     ) AS n
     CROSS JOIN LATERAL (
       SELECT count(*) > 0 AS is_unordered,
              {{purchases_expected_at}} AS expected_at,
              string_agg(DISTINCT u.purchase_name || COALESCE(', ' || v.name, ''), '; ') AS purchases,
              array_agg(DISTINCT u.purchase_id) AS purchase_ids
         FROM ({{unordered}}) AS u
         LEFT JOIN mirror_res_partner v ON v.connection_id = %(connection)s AND v.odoo_id = u.vendor_id
     ) AS wanted
     CROSS JOIN LATERAL (
       SELECT count(*) > 0 OR wanted.is_unordered AS is_open, max(step.expected_at) AS scheduled_at,
              COALESCE(bool_or(step.state = 'assigned' AND COALESCE(step.kind, '') <> 'dropship'), FALSE) AS is_ready
         FROM ({{steps}}) AS step
     ) AS goes
     CROSS JOIN LATERAL (
       SELECT COALESCE(sum(l.price_subtotal * (l.product_uom_qty - l.qty_delivered) / l.product_uom_qty), 0) AS value
         FROM mirror_sale_order_line l
        WHERE r.state NOT IN ('draft', 'sent', 'cancel') AND l.connection_id = r.connection_id
          AND l.order_id = r.odoo_id AND l.deleted_at IS NULL AND l.product_uom_qty > l.qty_delivered
     ) AS open
     CROSS JOIN LATERAL (
       SELECT CASE WHEN goes.is_open
                   THEN {{forecast_at}} END AS known_at
     ) AS t
  ) AS f

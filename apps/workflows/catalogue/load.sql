-- Fact of warehouse r: how much is ready to be picked, and how long that takes at the pace of the last 14 days.
--
-- %(now)s            timestamptz                  the moment of the evaluation
-- {{ready_amount}}   numeric, company's currency  what the ready transfers are worth
-- {{shift}}          numeric, hours               working hours of a day
-- {{beyond_amount}}  numeric, company's currency  what is beyond one day's work
-- {{next_midnight}}  timestamptz                  the end of the company's day
-- {{zoned}}          one row                      zone, today: the company's
-- {{day_of_move}}    date, company's zone         the day on which move m was done
-- {{from_midnight}}  timestamptz                  when the 14 days began

SELECT (SELECT c.name FROM mirror_res_company co
          JOIN mirror_res_currency c ON c.connection_id = co.connection_id AND c.odoo_id = co.currency_id
         WHERE co.connection_id = r.connection_id AND co.odoo_id = r.company_id) AS currency,
       (SELECT co.name FROM mirror_res_company co
         WHERE co.connection_id = r.connection_id AND co.odoo_id = r.company_id) AS partner_name,
       ready.transfers AS ready_transfers_count, ready.lines AS ready_lines_count,
       ready.late AS late_transfers_count, {{ready_amount}} AS ready_amount,
       round(p.a_day, 1) AS lines_a_day_quantity, p.days AS working_days,
       round(ready.lines * {{shift}} / NULLIF(p.a_day, 0), 1) AS hours_to_clear_quantity,
       round(GREATEST(ready.lines - p.a_day, 0), 0) AS beyond_lines_quantity,
       {{beyond_amount}} AS beyond_amount,
       %(now)s::timestamptz AS measured_at,
       {{next_midnight}} AS next_change_at
  FROM {{zoned}} AS at
 CROSS JOIN LATERAL (
    SELECT CASE WHEN count(*) FILTER (WHERE d.day < d.today) > 0
                THEN sum(d.lines) FILTER (WHERE d.day < d.today) / count(*) FILTER (WHERE d.day < d.today)
                ELSE sum(d.lines) END AS a_day,
           GREATEST(count(*) FILTER (WHERE d.day < d.today), LEAST(count(*), 1)) AS days
      FROM (
        SELECT {{day_of_move}} AS day, at.today,
               count(*) AS lines
          FROM mirror_stock_picking_type t
          JOIN mirror_stock_move m
            ON m.connection_id = t.connection_id AND m.picking_type_id = t.odoo_id AND m.state = 'done'
           AND m.date >= {{from_midnight}}
           AND m.deleted_at IS NULL
         WHERE t.connection_id = r.connection_id AND t.warehouse_id = r.odoo_id AND t.code = 'outgoing'
         GROUP BY 1
      ) AS d
  ) AS p
 CROSS JOIN LATERAL (
   SELECT count(*) AS transfers, COALESCE(sum(goods.lines), 0) AS lines,
          count(*) FILTER (WHERE worth.stage = 'late') AS late, COALESCE(sum(worth.amount), 0) AS amount
     FROM mirror_stock_picking_type t
     JOIN mirror_stock_picking k
       ON k.connection_id = t.connection_id AND k.picking_type_id = t.odoo_id AND k.state = 'assigned'
      AND k.deleted_at IS NULL
    CROSS JOIN LATERAL (
      SELECT count(*) AS lines FROM mirror_stock_move m
       WHERE m.connection_id = k.connection_id AND m.picking_id = k.odoo_id AND m.state <> 'cancel'
         AND m.deleted_at IS NULL) AS goods
     LEFT JOIN LATERAL (
       SELECT p.stage, p.amount FROM workflows_position p
        WHERE p.connection_id = k.connection_id AND p.workflow = 'fulfilment' AND p.odoo_id = k.odoo_id
        LIMIT 1) AS worth ON TRUE
    WHERE t.connection_id = r.connection_id AND t.warehouse_id = r.odoo_id
      AND (t.code = 'outgoing' OR t.code = 'internal' AND k.sale_id IS NOT NULL)
 ) AS ready

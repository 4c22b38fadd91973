-- Fact of purchase order r: what has come, what is late, and until when the vendor or an approver has time.
--
-- %(now)s              timestamptz                  the moment of the evaluation
-- {{missing_amount}}   numeric, company's currency  what is still to come
-- {{expected_day}}     date, company's zone         the day of g.expected_at
-- {{approved_day}}     date, company's zone         the day of r.date_approve
-- {{written_day}}      date, company's zone         the day of r.write_date
-- {{zoned}}            one row                      zone, today: the company's
-- {{to_come}}          numeric, product's own unit  what line l still brings
-- {{planned_at}}       timestamptz                  when line l is planned
-- {{line_late_since}}  timestamptz                  the end of the day for which line l is planned
-- {{closed_short}}     boolean                      whether line l is closed with less than was ordered
-- {{is_goods}}         boolean                      whether line l is of goods
-- {{late_since}}       timestamptz                  the end of the day of g.expected_at

SELECT g.is_received, g.has_received, g.expected_at, g.late_lines_count, g.missing_quantity, z.zone,
       {{missing_amount}} AS missing_amount,
       g.late_products_names, t.late_since,
       COALESCE(t.late_since <= %(now)s, FALSE) AS is_late,
       GREATEST(z.today - {{expected_day}}, 0) AS late_days,
       COALESCE(t.answer_by <= %(now)s, FALSE) AS is_unanswered,
       GREATEST(z.today - {{approved_day}}, 0) AS unanswered_days,
       COALESCE(t.approve_by <= %(now)s, FALSE) AS is_stalled,
       GREATEST(z.today - {{written_day}}, 0) AS stalled_days,
       LEAST(g.next_late_at,
             CASE WHEN t.answer_by > %(now)s THEN t.answer_by END,
             CASE WHEN t.approve_by > %(now)s THEN t.approve_by END) AS next_change_at
  FROM {{zoned}} AS z
 CROSS JOIN LATERAL (
    SELECT bool_and(NOT l.is_to_come) IS NOT FALSE AS is_received,
           COALESCE(bool_or(l.qty_received > 0), FALSE) AS has_received,
           min(l.planned_at) FILTER (WHERE l.is_to_come) AS expected_at,
           min(l.late_since) FILTER (WHERE l.is_to_come AND l.late_since > %(now)s) AS next_late_at,
           count(*) FILTER (WHERE l.is_to_come AND l.late_since <= %(now)s) AS late_lines_count,
           trim_scale(COALESCE(sum(l.to_come) FILTER (WHERE l.is_to_come), 0)) AS missing_quantity,
           COALESCE(sum(l.price_subtotal * (l.product_qty - l.qty_received) / l.product_qty)
                      FILTER (WHERE l.is_to_come), 0) AS missing_value,
           string_agg(DISTINCT l.name, ', ')
             FILTER (WHERE l.is_to_come AND l.late_since <= %(now)s) AS late_products_names
      FROM (
        SELECT l.*, {{to_come}} AS to_come,
               {{planned_at}} AS planned_at,
               {{line_late_since}} AS late_since,
               l.qty_received < l.product_qty AND NOT {{closed_short}}
                    AND NOT (l.qty_invoiced >= l.product_qty AND NOT {{is_goods}}) AS is_to_come
          FROM mirror_purchase_order_line l
         WHERE r.state IN ('purchase', 'done') AND l.connection_id = r.connection_id AND l.order_id = r.odoo_id
           AND l.deleted_at IS NULL AND l.product_qty > 0
      ) AS l
  ) AS g
 CROSS JOIN LATERAL (
   SELECT {{late_since}} AS late_since,
          CASE WHEN r.state IN ('purchase', 'done') AND r.acknowledged IS FALSE AND NOT g.has_received
                 AND NOT g.is_received THEN r.date_approve + interval '2 days' END AS answer_by,
          CASE WHEN r.state = 'to approve' OR (r.state IN ('draft', 'sent') AND r.x_ct_hold = 'procurement_threshold')
               THEN r.write_date + interval '1 day' END AS approve_by
 ) AS t

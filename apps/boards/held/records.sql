-- The lives and spans of records of one workflow: from when they are first known until they came to an end, or until now.
-- A record has ended where it stands in an end stage and leaves it no more; between an end and a reopening nobody holds it.
--
-- %(now)s          timestamptz    the moment up to which time counts
-- {{workflow}}     text           the workflow
-- {{model}}        text           Odoo's name of its model
-- {{table}}        table          the mirror of the model
-- {{chosen}}       query          connection_id and odoo_id of the records
-- {{ends}}         text[]         the stages in which nothing is to be done any more, and what lies outside of the workflow
-- {{holder}}       text           who holds record r in stage m.to_stage; NULL for nobody
-- {{team}}         text           the owner team of stage m.to_stage
-- {{key}}          text           what of the record's place p, or its subject, sums go by
-- {{asked}}        multirange     when the approver had request q
-- {{waiting}}      multirange     when command o waited for Odoo
-- {{delayed}}      multirange     when the carrier of event e had it

chosen AS MATERIALIZED (
  {{chosen}}
), moves AS (
  SELECT c.connection_id, c.odoo_id, c.connection_id || ':' || c.odoo_id AS subject, t.to_stage,
         floor(extract(epoch FROM LEAST(t.at, %(now)s)))::bigint AS begins,
         COALESCE(lead(floor(extract(epoch FROM LEAST(t.at, %(now)s)))) OVER onward, floor(extract(epoch FROM %(now)s)))::bigint AS ends,
         bool_and(t.to_stage = ANY({{ends}})) OVER (onward ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS has_ended
    FROM chosen c
    JOIN workflows_transition t
      ON t.connection_id = c.connection_id AND t.model = {{model}} AND t.odoo_id = c.odoo_id AND t.workflow = {{workflow}}
  WINDOW onward AS (PARTITION BY c.connection_id, c.odoo_id ORDER BY t.at, t.tracking_id NULLS LAST, t.id)
), lived AS (
  SELECT connection_id, odoo_id, subject, min(begins) AS began, bool_or(has_ended) AS is_ended,
         COALESCE(min(begins) FILTER (WHERE has_ended), floor(extract(epoch FROM %(now)s)))::bigint AS until
    FROM moves
   GROUP BY connection_id, odoo_id, subject
), lives AS MATERIALIZED (
  SELECT l.*, {{key}} AS key
    FROM lived l
    LEFT JOIN workflows_position p ON p.connection_id = l.connection_id AND p.workflow = {{workflow}} AND p.odoo_id = l.odoo_id
), spans AS MATERIALIZED (
  SELECT l.subject, 1 AS rank, 'approver' AS holder, '' AS team, {{asked}} AS during
    FROM lives l
    JOIN approvals_request q ON q.connection_id = l.connection_id AND q.model = {{model}} AND q.odoo_id = l.odoo_id
   UNION ALL
  SELECT l.subject, 2, 'odoo', '', {{waiting}}
    FROM lives l
    JOIN outbox_command o ON o.lane = l.connection_id || ':' || {{model}} || ':' || l.odoo_id AND o.decision <> ''
   UNION ALL
  SELECT l.subject, 3, 'carrier', '', {{delayed}}
    FROM lives l
    JOIN events_event e
      ON e.connection_id = l.connection_id AND e.model = {{model}} AND e.odoo_id = l.odoo_id AND e.status = 'matched'
     AND e.kind IN ('shipment_delayed', 'eta_changed')
   UNION ALL
  SELECT m.subject, 4, {{holder}}, CASE {{holder}} WHEN 'us' THEN {{team}} ELSE '' END,
         int8multirange(int8range(m.begins, GREATEST(m.begins, m.ends)))
    FROM moves m
    LEFT JOIN {{table}} r ON r.connection_id = m.connection_id AND r.odoo_id = m.odoo_id
   WHERE {{holder}} IS NOT NULL
)

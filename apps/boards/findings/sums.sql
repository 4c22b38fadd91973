-- How many records a finding has, what they are worth, each once, and how long it took: of each workflow, of each of its parts, and
-- how many records were looked at.
--
-- %(teams)s     text[]   the teams that have working hours
-- %(hours)s     text[]   the hours of each, as multiranges of seconds of the epoch
-- {{found}}  queries  facts(connection_id, workflow, model, odoo_id, part text[], at, times, seconds, is_by_clock): what was found;
--                     sample(connection_id, workflow, odoo_id): what was looked at

WITH worktime AS MATERIALIZED (
  SELECT u.team, u.hours::int8multirange AS hours FROM unnest(%(teams)s::text[], %(hours)s::text[]) AS u(team, hours)
), {{found}}, parts AS (
  SELECT f.connection_id, f.workflow, f.odoo_id, f.part, sum(f.times) AS times, sum(f.seconds) AS seconds,
         bool_or(f.is_by_clock) AS is_by_clock
    FROM facts f
   GROUP BY f.connection_id, f.workflow, f.odoo_id, f.part
), wholes AS (
  SELECT t.connection_id, t.workflow, t.odoo_id, NULL::text[] AS part, sum(t.times) AS times, sum(t.seconds) AS seconds,
         bool_or(t.is_by_clock) AS is_by_clock
    FROM parts t
   GROUP BY t.connection_id, t.workflow, t.odoo_id
)
SELECT t.workflow, t.part, p.currency, count(*) AS count, sum(p.amount) AS amount, sum(t.times)::bigint AS times,
       sum(t.seconds)::bigint AS seconds, bool_or(t.is_by_clock) AS is_by_clock
  FROM (SELECT * FROM wholes UNION ALL SELECT * FROM parts) AS t
  JOIN workflows_position p ON p.connection_id = t.connection_id AND p.workflow = t.workflow AND p.odoo_id = t.odoo_id
 GROUP BY t.workflow, t.part, p.currency
 UNION ALL
SELECT s.workflow, '{}', '', count(*), NULL, NULL, NULL, FALSE FROM sample s GROUP BY s.workflow
 ORDER BY 1, 2 NULLS FIRST, 3

-- The records of a finding in one workflow, a row each, the most money first.
--
-- %(workflow)s  text     the workflow
-- %(part)s      text[]   the part of the finding; NULL for all of it
-- %(offset)s    integer  how many come before the page
-- %(limit)s     integer  how many are on it
-- %(teams)s     text[]   the teams that have working hours
-- %(hours)s     text[]   the hours of each, as multiranges of seconds of the epoch
-- {{found}}     queries  facts: what was found (sums.sql)

WITH worktime AS MATERIALIZED (
  SELECT u.team, u.hours::int8multirange AS hours FROM unnest(%(teams)s::text[], %(hours)s::text[]) AS u(team, hours)
), {{found}}
SELECT k.name AS connection, p.model, p.odoo_id, p.name, p.partner_name, p.stage, p.amount, p.currency, max(f.at) AS at,
       sum(f.times)::bigint AS times, sum(f.seconds)::bigint AS seconds, bool_or(f.is_by_clock) AS is_by_clock
  FROM facts f
  JOIN workflows_position p ON p.connection_id = f.connection_id AND p.workflow = f.workflow AND p.odoo_id = f.odoo_id
  JOIN odoo_connection k ON k.id = f.connection_id
 WHERE f.workflow = %(workflow)s AND (%(part)s::text[] IS NULL OR f.part = %(part)s)
 GROUP BY k.name, p.id
 ORDER BY p.amount DESC NULLS LAST, sum(f.seconds) DESC NULLS LAST, k.name, p.odoo_id
OFFSET %(offset)s LIMIT %(limit)s

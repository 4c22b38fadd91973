-- Records that went back to a step that they had left: a row each time. Its time is what they then stood in that step and in others
-- before the furthest that they had reached.
--
-- %(since)s   timestamptz  begin of the time
-- {{visits}}  queries      the visits of records to steps (visits.sql)
-- {{worked}}  bigint       seconds of the owner team's working time between moments v.begins and v.ends, within the time
-- {{clocked}} boolean      whether team v.team has no working hours, so that its time is all time

{{visits}}, returns AS (
  SELECT v.*, v.visit > 1 AND v.place < v.place_before AS is_return FROM visits v
), counted AS (
  SELECT v.*, count(*) FILTER (WHERE v.is_return) OVER onward AS returned
    FROM returns v
  WINDOW onward AS (PARTITION BY v.position_id, v.life ORDER BY v.number)
), timed AS (
  SELECT v.*, CASE WHEN v.is_open AND (v.is_return OR v.place < v.furthest) THEN {{worked}} END AS seconds,
         v.is_open AND (v.is_return OR v.place < v.furthest) AND {{clocked}} AS is_by_clock
    FROM counted v
   WHERE v.returned > 0
), facts AS (
  SELECT v.connection_id, v.workflow, v.model, v.odoo_id, max(ARRAY[v.stage_before, v.stage]) FILTER (WHERE v.is_return) AS part,
         max(v.begins) FILTER (WHERE v.is_return) AS at, 1 AS times, sum(v.seconds) AS seconds, bool_or(v.is_by_clock) AS is_by_clock
    FROM timed v
   GROUP BY v.position_id, v.connection_id, v.workflow, v.model, v.odoo_id, v.life, v.returned
  HAVING max(v.begins) FILTER (WHERE v.is_return) > %(since)s
), sample AS (
  SELECT m.connection_id, m.workflow, m.odoo_id FROM moved m
)

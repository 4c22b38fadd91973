-- Records that went to and fro between two steps: from one to the other, back, and there again. Its time is from the first of these
-- moves to the last.
--
-- %(since)s   timestamptz  begin of the time
-- {{visits}}  queries      the visits of records to steps (visits.sql)
-- {{worked}}  bigint       seconds of the owner team's working time between moments v.begins and v.ends, within the time
-- {{clocked}} boolean      whether team v.team has no working hours, so that its time is all time

{{visits}}, paired AS (
  SELECT v.*, v.stage = lag(v.stage, 2) OVER onward AND v.stage_before = lag(v.stage_before, 2) OVER onward AS is_swing
    FROM visits v
  WINDOW onward AS (PARTITION BY v.position_id, v.life ORDER BY v.number)
), swings AS (
  SELECT v.*, v.is_swing AND v.begins > %(since)s AS counts, lag(v.is_swing) OVER onward AS is_on,
         (lead(v.is_swing) OVER onward AND lead(v.begins) OVER onward > %(since)s)
         OR (lead(v.is_swing, 2) OVER onward AND lead(v.begins, 2) OVER onward > %(since)s) AS is_between,
         lead(v.stage) OVER onward AS stage_after
    FROM paired v
  WINDOW onward AS (PARTITION BY v.position_id, v.life ORDER BY v.number)
), facts AS (
  SELECT v.connection_id, v.workflow, v.model, v.odoo_id,
         CASE WHEN v.place < v.place_before THEN ARRAY[v.stage, v.stage_before] ELSE ARRAY[v.stage_before, v.stage] END AS part,
         v.begins AS at, CASE WHEN v.is_on THEN 1 ELSE 3 END AS times, NULL::bigint AS seconds, FALSE AS is_by_clock
    FROM swings v
   WHERE v.counts
   UNION ALL
  SELECT v.connection_id, v.workflow, v.model, v.odoo_id,
         CASE WHEN v.place < v.place_after THEN ARRAY[v.stage, v.stage_after] ELSE ARRAY[v.stage_after, v.stage] END,
         NULL, 0, CASE WHEN v.is_open THEN {{worked}} END, v.is_open AND {{clocked}}
    FROM swings v
   WHERE v.is_between
), sample AS (
  SELECT m.connection_id, m.workflow, m.odoo_id FROM moved m
)

-- Records that ended without having been seen in a step in which most that end alike were seen. Judged is what the tower has seen
-- itself: steps at or after that at which a record was first seen, and none that it may have passed unseen.
--
-- %(since)s   timestamptz  begin of the time
-- %(least)s   integer      of fewer records nothing is usual
-- %(usual)s   numeric      the share of records from which on a step is usual
-- {{visits}}  queries      the visits of records to steps (visits.sql)

{{visits}}, ended AS MATERIALIZED (
  SELECT v.connection_id, v.workflow, v.model, v.odoo_id, v.life, v.stage AS end_stage, v.begins AS at, b.place AS first_place
    FROM visits v
    JOIN visits b ON b.connection_id = v.connection_id AND b.workflow = v.workflow AND b.odoo_id = v.odoo_id AND b.life = v.life
     AND b.stage_before IS NULL
   WHERE v.place_after IS NULL AND NOT v.is_open AND v.begins > %(since)s AND NOT v.has_import AND b.number < v.number
     AND NOT EXISTS (SELECT FROM known k WHERE k.connection_id = v.connection_id AND k.workflow = v.workflow AND k.odoo_id = v.odoo_id
                        AND k.number > v.number)
), judged AS (
  SELECT e.connection_id, e.workflow, e.model, e.odoo_id, e.end_stage, e.at, s.name AS stage,
         bool_or(v.stage = s.name) AS is_passed
    FROM ended e
    JOIN stage s ON s.workflow = e.workflow AND s.is_step AND s.is_open AND s.place >= e.first_place
    JOIN visits v ON v.connection_id = e.connection_id AND v.workflow = e.workflow AND v.odoo_id = e.odoo_id AND v.life = e.life
   GROUP BY e.connection_id, e.workflow, e.model, e.odoo_id, e.end_stage, e.at, s.name, s.place
  HAVING bool_or(v.stage = s.name) OR NOT bool_or(COALESCE(v.number_after > v.number + 1 AND s.place > v.place
                                                           AND s.place < v.place_after, FALSE))
), usual AS (
  SELECT j.*, count(*) OVER alike AS judged, count(*) FILTER (WHERE j.is_passed) OVER alike AS passed
    FROM judged j
  WINDOW alike AS (PARTITION BY j.workflow, j.end_stage, j.stage)
), facts AS (
  SELECT u.connection_id, u.workflow, u.model, u.odoo_id, ARRAY[u.stage, u.end_stage] AS part, u.at, 1 AS times, NULL::bigint AS seconds,
         FALSE AS is_by_clock
    FROM usual u
   WHERE NOT u.is_passed AND u.judged >= %(least)s AND u.passed >= u.judged * %(usual)s
), sample AS (
  SELECT DISTINCT u.connection_id, u.workflow, u.odoo_id FROM usual u
)

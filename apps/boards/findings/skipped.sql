-- Records that ended without having been seen in a step in which most that end alike were seen. Judged is what the tower has seen
-- itself: steps at or after that at which a record was first seen, and none that it may have passed unseen.
--
-- %(since)s   timestamptz  begin of the time
-- %(least)s   integer      of fewer records nothing is usual
-- %(usual)s   numeric      the share of records from which on a step is usual
-- {{visits}}  queries      the visits of records to steps (visits.sql)

{{visits}}, ended AS MATERIALIZED (
  -- Unseen: the places between a step and the next where a record meanwhile stood in what is no step.
  SELECT v.connection_id, v.workflow, v.model, v.odoo_id, max(v.begins) AS at, array_agg(v.stage) AS passed,
         max(v.stage) FILTER (WHERE v.place_after IS NULL) AS end_stage, max(v.place) FILTER (WHERE v.stage_before IS NULL) AS first_place,
         range_agg(int4range(v.place, v.place_after, '()')) FILTER (WHERE v.number_after > v.number + 1 AND v.place_after > v.place)
         AS unseen
    FROM visits v
   GROUP BY v.position_id, v.connection_id, v.workflow, v.model, v.odoo_id, v.life, v.number_last
  HAVING count(*) > 1 AND max(v.begins) > %(since)s AND NOT bool_or(v.has_import) AND max(v.number) = v.number_last
     AND NOT bool_or(v.is_open AND v.place_after IS NULL)
), usual AS MATERIALIZED (
  SELECT e.workflow, e.end_stage, s.name AS stage, s.place,
         count(*) >= %(least)s AND count(*) FILTER (WHERE s.name = ANY(e.passed)) >= count(*) * %(usual)s AS is_usual
    FROM ended e
    JOIN stage s ON s.workflow = e.workflow AND s.is_step AND s.is_open AND s.place >= e.first_place
   WHERE s.name = ANY(e.passed) OR NOT COALESCE(e.unseen @> s.place, FALSE)
   GROUP BY e.workflow, e.end_stage, s.name, s.place
), facts AS (
  SELECT e.connection_id, e.workflow, e.model, e.odoo_id, ARRAY[u.stage, u.end_stage] AS part, e.at, 1 AS times, NULL::bigint AS seconds,
         FALSE AS is_by_clock
    FROM ended e
    JOIN usual u ON u.workflow = e.workflow AND u.end_stage = e.end_stage AND u.is_usual AND u.place >= e.first_place
   WHERE u.stage <> ALL(e.passed) AND NOT COALESCE(e.unseen @> u.place, FALSE)
), sample AS (
  SELECT DISTINCT e.connection_id, e.workflow, e.odoo_id
    FROM ended e
   WHERE EXISTS (SELECT FROM stage s WHERE s.workflow = e.workflow AND s.is_step AND s.is_open AND s.place >= e.first_place
                                       AND (s.name = ANY(e.passed) OR NOT COALESCE(e.unseen @> s.place, FALSE)))
)

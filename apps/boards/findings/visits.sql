-- The steps that records went through, of all records in sight that moved in the time, and only of those that are still there.
-- A life begins when a record is first known, again after it was gone, and of what recurs again after its end. What is no step leaves
-- a record in the step before.
--
-- %(since)s      timestamptz  begin of the time
-- %(until)s      timestamptz  end of the time; what came later is not known
-- %(workflows)s  text[]       the workflow of each stage
-- %(stages)s     text[]       the stages
-- %(places)s     integer[]    their places in the order of their workflow
-- %(steps)s      boolean[]    whether a record goes on or back by coming there
-- %(opens)s      boolean[]    whether there is something to do there
-- %(owners)s     text[]       the teams that have it to do
-- %(renewing)s   text[]       the stages, each with its workflow, after which a record begins anew
-- {{chosen}}     query        which of the records that moved are looked at more closely
-- {{seen}}       boolean      whether the person may see the record with position p

stage AS MATERIALIZED (
  SELECT * FROM unnest(%(workflows)s::text[], %(stages)s::text[], %(places)s::integer[], %(steps)s::boolean[], %(opens)s::boolean[],
                       %(owners)s::text[]) AS s(workflow, name, place, is_step, is_open, team)
), moved AS MATERIALIZED (
  -- Sorted and grouped by one number: by connection, workflow and record it takes several times as long.
  SELECT p.id AS position_id, p.connection_id, p.workflow, p.model, p.odoo_id
    FROM workflows_position p
    JOIN (SELECT DISTINCT t.connection_id, t.workflow, t.odoo_id
            FROM workflows_transition t
           WHERE t.workflow = ANY(%(workflows)s) AND t.at > %(since)s AND t.at <= %(until)s) AS t
      ON t.connection_id = p.connection_id AND t.workflow = p.workflow AND t.odoo_id = p.odoo_id
   WHERE {{seen}}
), known AS (
  SELECT m.position_id, m.connection_id, m.workflow, m.model, m.odoo_id, t.to_stage, t.at AS begins,
         t.tracking_id IS NOT NULL AS is_imported,
         COALESCE(lead(t.at) OVER onward, %(until)s::timestamptz) AS ends, row_number() OVER onward AS number,
         count(*) FILTER (WHERE t.from_stage = '' OR t.workflow || '/' || t.from_stage = ANY(%(renewing)s::text[])) OVER onward AS life
    FROM ({{chosen}}) AS m
    JOIN workflows_transition t ON t.connection_id = m.connection_id AND t.model = m.model AND t.odoo_id = m.odoo_id
     AND t.workflow = m.workflow AND t.at <= %(until)s
  WINDOW onward AS (PARTITION BY m.position_id ORDER BY t.at, t.tracking_id NULLS LAST, t.id)
), stays AS (
  SELECT k.*, max(k.number) OVER (PARTITION BY k.position_id) AS number_last, s.place, s.is_step, s.is_open, s.team,
         bool_or(k.is_imported) OVER whole AS has_import, max(k.ends) FILTER (WHERE s.name IS NOT NULL) OVER whole AS life_ends
    FROM known k
    LEFT JOIN stage s ON s.workflow = k.workflow AND s.name = k.to_stage
  WINDOW whole AS (PARTITION BY k.position_id, k.life)
), entered AS (
  SELECT y.*, lag(y.to_stage) OVER onward AS stage_before
    FROM stays y
   WHERE y.is_step
  WINDOW onward AS (PARTITION BY y.position_id, y.life ORDER BY y.number)
), visits AS (
  SELECT e.position_id, e.connection_id, e.workflow, e.model, e.odoo_id, e.life, e.number, e.to_stage AS stage, e.stage_before,
         e.place, e.is_open, e.team, e.begins, COALESCE(lead(e.begins) OVER onward, e.life_ends) AS ends, e.has_import, e.number_last,
         lag(e.place) OVER onward AS place_before, lead(e.place) OVER onward AS place_after,
         lead(e.number) OVER onward AS number_after,
         max(e.place) FILTER (WHERE e.is_open) OVER (onward ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS furthest,
         row_number() OVER (PARTITION BY e.position_id, e.life, e.place ORDER BY e.number) AS visit
    FROM entered e
   WHERE e.to_stage IS DISTINCT FROM e.stage_before
  WINDOW onward AS (PARTITION BY e.position_id, e.life ORDER BY e.number)
)

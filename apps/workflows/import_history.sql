-- Tell from Odoo's tracked changes who moved records to their stages before they were first seen here; return how many moves.
-- steps: the creation (0) and every message of tracked changes before the first sight, each with the tracked fields as they were
-- then: as the latest change left them, else as the next one found them, else as they are.
--
-- %(connection)s  bigint         the connection
-- %(ids)s         bigint[]       ids of the records in Odoo
-- %(now)s         timestamptz    the moment of the import
-- {{model}}       text           Odoo's name of the model
-- {{workflow}}    text           the workflow
-- {{fields}}      text[]         the tracked fields that its stages rest on
-- {{creator}}     text           the name of who created record r
-- {{table}}       table          the mirror of the model
-- {{candidates}}  text, several  the stages in which the record may have stood
-- {{replayed}}    columns        the tracked fields as they were at step s

WITH sight AS (
  SELECT DISTINCT ON (t.odoo_id) t.id, t.odoo_id, t.to_stage, t.at, t.seen_at
    FROM workflows_transition t
   WHERE t.connection_id = %(connection)s AND t.model = {{model}} AND t.workflow = {{workflow}}
     AND t.odoo_id = ANY(%(ids)s) AND t.from_stage = ''
     AND NOT EXISTS (SELECT 1 FROM workflows_transition taken
                      WHERE taken.connection_id = t.connection_id AND taken.model = t.model
                        AND taken.odoo_id = t.odoo_id AND taken.workflow = t.workflow AND taken.tracking_id IS NOT NULL)
   ORDER BY t.odoo_id, t.id
), known AS (
  -- Beyond a change whose words no language has, nothing is known of the record.
  SELECT s.*, COALESCE(max(c.tracking_id) FILTER (WHERE c.old IS NULL OR c.new IS NULL), 0) AS after,
         min(c.at) AS first_at
    FROM sight s
    JOIN mirror_trackedchange c
      ON c.connection_id = %(connection)s AND c.model = {{model}} AND c.odoo_id = s.odoo_id AND c.field = ANY({{fields}})
   GROUP BY s.id, s.odoo_id, s.to_stage, s.at, s.seen_at
), steps AS (
  -- What was imported can be younger than its own messages.
  SELECT k.odoo_id, k.after, LEAST(r.create_date, k.first_at) AS at, k.after AS last_id, {{creator}} AS author,
         '' AS told, TRUE AS is_first
    FROM known k
    JOIN {{table}} r ON r.connection_id = %(connection)s AND r.odoo_id = k.odoo_id
   UNION ALL
  SELECT k.odoo_id, k.after, max(c.at), max(c.tracking_id), max(c.author), string_agg(c.told, ', ' ORDER BY c.tracking_id), FALSE
    FROM known k
    JOIN mirror_trackedchange c
      ON c.connection_id = %(connection)s AND c.model = {{model}} AND c.odoo_id = k.odoo_id AND c.field = ANY({{fields}})
     AND c.tracking_id > k.after AND c.at <= k.seen_at
   GROUP BY k.odoo_id, k.after, c.message_id
), placed AS (
  SELECT r.odoo_id, r.after, r.at, r.last_id, r.author, r.told, r.is_first,
         (array_remove(ARRAY[{{candidates}}]::text[], NULL))[1] AS stage
    FROM (SELECT s.*, {{replayed}}
            FROM steps s
            JOIN {{table}} today ON today.connection_id = %(connection)s AND today.odoo_id = s.odoo_id) AS r
), moves AS (
  SELECT *, lag(stage) OVER (PARTITION BY odoo_id ORDER BY last_id, is_first DESC) AS from_stage
    FROM placed
   WHERE stage IS NOT NULL
), told AS (
  SELECT m.*, row_number() OVER (PARTITION BY m.odoo_id ORDER BY m.last_id DESC, m.is_first) = 1 AS is_last
    FROM moves m
   WHERE m.stage IS DISTINCT FROM m.from_stage AND NOT (m.is_first AND m.after > 0)
), kept AS (
  INSERT INTO workflows_transition
    (connection_id, workflow, model, odoo_id, from_stage, to_stage, at, seen_at, tracking_id, author, told, company_id)
  SELECT %(connection)s, {{workflow}}, {{model}}, t.odoo_id, COALESCE(t.from_stage, ''), t.stage, t.at, %(now)s, t.last_id,
         t.author, t.told, today.company_id
    FROM told t
    JOIN known k ON k.odoo_id = t.odoo_id
    JOIN {{table}} today ON today.connection_id = %(connection)s AND today.odoo_id = t.odoo_id
   WHERE NOT (t.is_last AND t.stage = k.to_stage)
  RETURNING 1
), sighted AS (
  UPDATE workflows_transition seen
     SET from_stage = CASE WHEN t.stage = k.to_stage THEN COALESCE(t.from_stage, '') ELSE t.stage END,
         at = CASE WHEN t.stage = k.to_stage THEN t.at ELSE GREATEST(seen.at, t.at) END,
         tracking_id = CASE WHEN t.stage = k.to_stage THEN t.last_id END,
         author = CASE WHEN t.stage = k.to_stage THEN t.author ELSE '' END,
         told = CASE WHEN t.stage = k.to_stage THEN t.told ELSE '' END
    FROM told t
    JOIN known k ON k.odoo_id = t.odoo_id
   WHERE t.is_last AND seen.id = k.id
  RETURNING new.id, new.odoo_id, new.to_stage, new.at, (new.tracking_id IS NOT NULL)::int AS is_taken
), moved AS (
  -- Who has stood there for longer than was thought is looked at again at once: it may be stuck.
  UPDATE workflows_position p
     SET since = s.at, due_at = p.due_at + (s.at - p.since),
         look_again_at = CASE WHEN p.is_open THEN %(now)s ELSE p.look_again_at END
    FROM sighted s
   WHERE p.connection_id = %(connection)s AND p.workflow = {{workflow}} AND p.odoo_id = s.odoo_id AND p.stage = s.to_stage
     AND NOT EXISTS (SELECT 1 FROM workflows_transition later
                      WHERE later.connection_id = p.connection_id AND later.model = {{model}} AND later.odoo_id = p.odoo_id
                        AND later.workflow = p.workflow AND later.id > s.id)
)
SELECT (SELECT count(*) FROM kept) + (SELECT COALESCE(sum(is_taken), 0) FROM sighted)

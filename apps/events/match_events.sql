-- Match the events that are not matched with the one record that has their reference; tell why where there is no such record.
-- One index scan a column and reference; each reference of the batch is looked for once.
--
-- %(ids)s      bigint[]  keys of the events
-- %(model)s    text      Odoo's name of the model that they are about
-- %(none)s     text      what to tell where no record has the reference
-- %(several)s  text      what to tell where several records have it
-- {{found}}    rows      connection_id, reference, odoo_id, rank (1 is the best), is_open

WITH wanted AS (
  SELECT DISTINCT connection_id, reference FROM events_event
   WHERE id = ANY(%(ids)s) AND model = %(model)s AND status = 'unmatched'
), found AS (
  {{found}}
), best AS (
  SELECT *, min(rank) OVER (PARTITION BY connection_id, reference) AS first_rank FROM found
), counted AS (
  SELECT connection_id, reference,
         count(*) FILTER (WHERE is_open) AS open_count, count(*) AS any_count,
         min(odoo_id) FILTER (WHERE is_open) AS open_id, min(odoo_id) AS any_id
    FROM best WHERE rank = first_rank GROUP BY connection_id, reference
), chosen AS (
  SELECT w.connection_id, w.reference,
         CASE WHEN c.open_count = 1 THEN c.open_id WHEN c.any_count = 1 THEN c.any_id END AS odoo_id,
         CASE WHEN c.reference IS NULL THEN %(none)s ELSE %(several)s END AS problem
    FROM wanted w LEFT JOIN counted c USING (connection_id, reference)
)
UPDATE events_event e
   SET odoo_id = c.odoo_id,
       status = CASE WHEN c.odoo_id IS NULL THEN 'unmatched' ELSE 'matched' END,
       problem = CASE WHEN c.odoo_id IS NULL THEN c.problem ELSE '' END
  FROM chosen c
 WHERE e.id = ANY(%(ids)s) AND e.model = %(model)s AND e.status = 'unmatched'
   AND e.connection_id = c.connection_id AND e.reference = c.reference

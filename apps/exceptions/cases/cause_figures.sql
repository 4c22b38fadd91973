-- The figures of cause groups anew, from their open members; those without one end.
--
-- %(groups)s          bigint[]     the groups
-- %(models)s          jsonb        Odoo's model of each kind of cause
-- %(followed_model)s  text         Odoo's model of the orders whose transfers go with them
-- %(now)s             timestamptz  the moment

WITH member AS (
  SELECT c.*, g.odoo_id AS cause_id, %(models)s::jsonb ->> g.kind AS cause_model,
         CASE WHEN c.follows_id IS NULL THEN c.model ELSE %(followed_model)s END AS of_model,
         COALESCE(c.follows_id, c.odoo_id) AS of_id
    FROM exceptions_exceptioncase c
    JOIN exceptions_causegroup g ON g.id = c.group_id
   WHERE c.group_id = ANY(%(groups)s) AND c.status <> 'resolved'
), record AS (
  SELECT group_id, of_model, of_id, max(amount) AS amount, bool_or(of_model = cause_model AND of_id = cause_id) AS is_cause
    FROM member
   GROUP BY group_id, of_model, of_id
), money AS (
  SELECT group_id, GREATEST(sum(amount) FILTER (WHERE NOT is_cause), sum(amount) FILTER (WHERE is_cause)) AS amount
    FROM record
   GROUP BY group_id
), told AS (
  SELECT m.group_id, count(*) AS cases_count, max(m.severity) AS severity, min(m.opened_at) AS opened_at, min(m.due_at) AS due_at,
         min(m.promised_at) FILTER (WHERE m.of_model = %(followed_model)s) AS promised_at, max(m.currency) AS currency,
         count(DISTINCT m.partner_name) FILTER (WHERE m.of_model = %(followed_model)s) AS customers_count
    FROM member m
   GROUP BY m.group_id
)
UPDATE exceptions_causegroup g
   SET cases_count = COALESCE(told.cases_count, 0), severity = COALESCE(told.severity, g.severity),
       opened_at = LEAST(told.opened_at, g.opened_at), due_at = COALESCE(told.due_at, g.due_at),
       promised_at = CASE WHEN told.group_id IS NULL THEN g.promised_at ELSE told.promised_at END,
       amount = CASE WHEN told.group_id IS NULL THEN g.amount ELSE money.amount END,
       currency = COALESCE(told.currency, g.currency),
       customers_count = COALESCE(told.customers_count, g.customers_count),
       ended_at = CASE WHEN told.group_id IS NULL THEN COALESCE(g.ended_at, %(now)s) END, updated_at = %(now)s
  FROM unnest(%(groups)s::bigint[]) AS touched(id)
  LEFT JOIN told ON told.group_id = touched.id
  LEFT JOIN money ON money.group_id = touched.id
 WHERE g.id = touched.id
   AND (told.group_id IS NOT NULL OR g.ended_at IS NULL)
RETURNING g.id, g.cases_count

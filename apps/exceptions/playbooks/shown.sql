-- When the data of cases first showed what their playbooks wait for.
--
-- %(cases)s     bigint[]  the cases
-- {{answered}}  rows      the approval kinds, each with the type of exception that it answers

WITH cases AS MATERIALIZED (
  SELECT c.id, c.connection_id, c.type, c.workflow, c.model, c.odoo_id, c.opened_at, COALESCE(c.resolved_at, 'infinity') AS until
    FROM exceptions_exceptioncase c
   WHERE c.id = ANY(%(cases)s)
), seen AS (
  SELECT h.case_id, 'owned' AS shows, h.at FROM cases c JOIN exceptions_caseholding h ON h.case_id = c.id AND h.is_owned
   UNION ALL
  SELECT c.id, moment.shows, moment.at
    FROM cases c
    JOIN (VALUES {{answered}}) AS kind(name, type) ON kind.type = c.type
    JOIN approvals_request q ON q.connection_id = c.connection_id AND q.model = c.model AND q.odoo_id = c.odoo_id AND q.kind = kind.name
   CROSS JOIN LATERAL (VALUES ('asked', q.requested_at),
                              ('decided', CASE WHEN q.status IN ('approved', 'rejected') THEN q.decided_at END)) AS moment(shows, at)
   WHERE COALESCE(q.decided_at, 'infinity') > c.opened_at
   UNION ALL
  SELECT c.id, moment.shows, moment.at
    FROM cases c
    JOIN outbox_command o ON o.lane = c.connection_id || ':' || c.model || ':' || c.odoo_id AND o.decision LIKE 'exception:' || c.id || ':%%'
     AND o.is_undone IS NOT TRUE
   CROSS JOIN LATERAL (VALUES ('applied', o.created_at),
                              ('carried_out', CASE WHEN o.status = 'done' THEN o.done_at END)) AS moment(shows, at)
   UNION ALL
  SELECT m.case_id, 'commented', m.at FROM cases c JOIN exceptions_comment m ON m.case_id = c.id
   UNION ALL
  SELECT c.id, 'moved', t.at
    FROM cases c
    JOIN workflows_transition t
      ON t.connection_id = c.connection_id AND t.model = c.model AND t.odoo_id = c.odoo_id AND t.workflow = c.workflow
     AND t.seen_at > c.opened_at
)
-- What happened before the case opened counts from its opening.
SELECT s.case_id, s.shows, GREATEST(min(s.at), c.opened_at) AS at
  FROM seen s
  JOIN cases c ON c.id = s.case_id
 WHERE s.at <= c.until
 GROUP BY s.case_id, s.shows, c.opened_at

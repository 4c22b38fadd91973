-- Approvals and exceptions that waited for one person, who then answered several in one sitting; a row each. Its time is the wait.
--
-- %(since)s      timestamptz  begin of the time
-- %(until)s      timestamptz  end of the time
-- %(workflows)s  text[]       the workflows that are asked for
-- %(long)s       bigint       seconds of working time from which on it waited long
-- %(several)s    integer      so many that waited long make a batch
-- {{seen}}       boolean      whether the person may see the record with position p
-- {{worked}}     bigint       seconds of the working time of team v.team between moments v.begins and v.ends, within the time
-- {{clocked}}    boolean      whether team v.team has no working hours, so that its time is all time

answer AS (
  -- Asked is who is asked in a step: when the step before was decided, or what was wanted first was given.
  SELECT q.connection_id, q.workflow, q.model, q.odoo_id, a.user_id, a.decided_at AS ends,
         GREATEST(q.requested_at,
                  (SELECT max(e.decided_at) FROM approvals_step f JOIN approvals_assignment e ON e.step_id = f.id
                    WHERE f.request_id = q.id AND f.position < s.position),
                  (SELECT max(i.answered_at) FROM approvals_inquiry i
                    WHERE i.request_id = q.id AND i.wants_changes AND i.answered_at < a.decided_at)) AS begins
    FROM approvals_request q
    JOIN approvals_step s ON s.request_id = q.id
    JOIN approvals_assignment a ON a.step_id = s.id AND a.decision <> ''
   WHERE (q.decided_at > %(since)s OR q.status = 'pending') AND a.decided_at > %(since)s AND a.decided_at <= %(until)s
     AND q.workflow = ANY(%(workflows)s)
   UNION ALL
  -- What somebody had owned for longer was worked on, and did not wait for the sitting.
  SELECT c.connection_id, c.workflow, c.model, c.odoo_id, split_part(e.actor, ':', 2)::bigint, c.resolved_at, c.opened_at
    FROM exceptions_exceptioncase c
    JOIN audit_entry e ON e.subject = 'exception:' || c.id AND e.action = 'exception.resolved' AND e.actor LIKE 'user:%%'
     AND e.at = c.resolved_at
   WHERE c.status = 'resolved' AND c.resolved_at > %(since)s AND c.resolved_at <= %(until)s AND c.workflow = ANY(%(workflows)s)
     AND (c.owned_at IS NULL OR c.owned_at > c.resolved_at - interval '10 minutes')
), visible AS (
  SELECT a.*, (SELECT min(t.slug) FROM accounts_team_members m JOIN accounts_team t ON t.id = m.team_id WHERE m.user_id = a.user_id)
         AS team
    FROM answer a
    JOIN workflows_position p ON p.connection_id = a.connection_id AND p.workflow = a.workflow AND p.odoo_id = a.odoo_id AND {{seen}}
), waited AS (
  SELECT v.*, {{worked}} AS seconds, {{clocked}} AS is_by_clock,
         v.ends - lag(v.ends) OVER (PARTITION BY v.user_id ORDER BY v.ends) > interval '10 minutes' AS is_later
    FROM visible v
), sitting AS (
  SELECT w.*, count(*) FILTER (WHERE w.is_later) OVER (PARTITION BY w.user_id ORDER BY w.ends) AS number FROM waited w
), batch AS (
  SELECT s.*, count(*) FILTER (WHERE s.seconds >= %(long)s) OVER (PARTITION BY s.user_id, s.number) AS size FROM sitting s
), facts AS (
  SELECT b.connection_id, b.workflow, b.model, b.odoo_id, ARRAY[b.user_id::text] AS part, b.ends AS at, 1 AS times, b.seconds,
         b.is_by_clock
    FROM batch b
   WHERE b.size >= %(several)s AND b.seconds >= %(long)s
), sample AS (
  SELECT DISTINCT b.connection_id, b.workflow, b.odoo_id FROM batch b
)

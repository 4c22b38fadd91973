-- Exceptions and approvals that were handed to and fro between two people, or two teams: there, back, and there again. Its time is from
-- the first of these hand-overs to the last, in the working time of the exception's team.
--
-- %(since)s      timestamptz  begin of the time
-- %(until)s      timestamptz  end of the time
-- %(workflows)s  text[]       the workflows that are asked for
-- {{seen}}       boolean      whether the person may see the record with position p
-- {{worked}}     bigint       seconds of the working time of team v.team between moments v.begins and v.ends, within the time
-- {{clocked}}    boolean      whether team v.team has no working hours, so that its time is all time

entry AS MATERIALIZED (
  -- The trail is read backwards to the begin of the time, and no further.
  SELECT e.sequence, e.at, e.action, e.subject, split_part(e.subject, ':', 2)::bigint AS subject_id, e.data
    FROM audit_entry e
   WHERE e.action IN ('exception.assigned', 'approval.delegated') AND e.at > %(since)s AND e.at <= %(until)s
     AND e.sequence > COALESCE((SELECT b.sequence FROM audit_entry b WHERE b.at <= %(since)s ORDER BY b.sequence DESC LIMIT 1), 0)
), held AS (
  SELECT e.subject, e.sequence, 1 AS place, e.at, 'person' AS kind, e.data ->> 'owner' AS holder
    FROM entry e WHERE e.action = 'exception.assigned' AND e.data ->> 'owner' IS NOT NULL
   UNION ALL
  SELECT e.subject, e.sequence, 1, e.at, 'team', e.data ->> 'team'
    FROM entry e WHERE e.action = 'exception.assigned' AND e.data ->> 'team' IS NOT NULL
   UNION ALL
  SELECT e.subject, e.sequence, x.place, e.at, 'person', x.holder
    FROM entry e, LATERAL (VALUES (0, e.data ->> 'from'), (1, e.data ->> 'to')) AS x(place, holder)
   WHERE e.action = 'approval.delegated' AND x.holder IS NOT NULL
), given AS (
  SELECT h.*, lag(h.holder) OVER (PARTITION BY h.subject, h.kind ORDER BY h.sequence, h.place) AS holder_before FROM held h
), passed AS (
  SELECT g.*, g.holder = lag(g.holder, 2) OVER onward AND g.holder_before = lag(g.holder_before, 2) OVER onward AS is_swing,
         lag(g.at) OVER onward AS at_before, lag(g.at, 2) OVER onward AS at_first
    FROM given g
   WHERE g.holder IS DISTINCT FROM g.holder_before
  WINDOW onward AS (PARTITION BY g.subject, g.kind ORDER BY g.sequence, g.place)
), swing AS (
  SELECT p.*, lag(p.is_swing) OVER (PARTITION BY p.subject, p.kind ORDER BY p.sequence, p.place) AS is_on FROM passed p
), about AS (
  SELECT DISTINCT e.subject, COALESCE(c.connection_id, q.connection_id) AS connection_id, COALESCE(c.workflow, q.workflow) AS workflow,
         COALESCE(c.model, q.model) AS model, COALESCE(c.odoo_id, q.odoo_id) AS odoo_id, t.slug AS team
    FROM entry e
    LEFT JOIN exceptions_exceptioncase c ON e.action = 'exception.assigned' AND c.id = e.subject_id
    LEFT JOIN accounts_team t ON t.id = c.team_id
    LEFT JOIN approvals_request q ON e.action = 'approval.delegated' AND q.id = e.subject_id
), visible AS MATERIALIZED (
  SELECT a.*
    FROM about a
    JOIN workflows_position p ON p.connection_id = a.connection_id AND p.workflow = a.workflow AND p.odoo_id = a.odoo_id AND {{seen}}
   WHERE a.workflow = ANY(%(workflows)s)
), facts AS (
  SELECT v.connection_id, v.workflow, v.model, v.odoo_id,
         ARRAY[v.kind, LEAST(v.holder, v.holder_before), GREATEST(v.holder, v.holder_before)] AS part, v.ends AS at,
         CASE WHEN v.is_on THEN 1 ELSE 3 END AS times, {{worked}} AS seconds, {{clocked}} AS is_by_clock
    FROM (SELECT b.connection_id, b.workflow, b.model, b.odoo_id, b.team, s.kind, s.holder, s.holder_before, s.is_on,
                 CASE WHEN s.is_on THEN s.at_before ELSE s.at_first END AS begins, s.at AS ends
            FROM swing s
            JOIN visible b ON b.subject = s.subject
           WHERE s.is_swing) AS v
), sample AS (
  SELECT DISTINCT b.connection_id, b.workflow, b.odoo_id FROM visible b
)

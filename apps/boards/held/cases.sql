-- The lives and spans of exception cases: from when they opened until they were resolved, or until now.
-- A case is held by the team of its owner; by the approver while an approval that answers it is pending; by Odoo while a command about
-- its record waits there; and by nobody while nobody owns it.
--
-- %(now)s       timestamptz  the moment up to which time counts
-- {{chosen}}    query        the cases, as exceptions_exceptioncase has them
-- {{key}}       text         what of case c, or its subject, sums go by
-- {{answered}}  rows         the approval kinds, each with the type of exception that it answers
-- {{asked}}     multirange   when the approver had request q
-- {{waiting}}   multirange   when command o waited for Odoo

chosen AS MATERIALIZED (
  {{chosen}}
), lives AS MATERIALIZED (
  SELECT c.id::text AS subject, {{key}} AS key, floor(extract(epoch FROM c.opened_at))::bigint AS began,
         c.status = 'resolved' AS is_ended,
         floor(extract(epoch FROM CASE WHEN c.status = 'resolved' THEN c.resolved_at ELSE %(now)s END))::bigint AS until
    FROM chosen c
), owned AS (
  SELECT h.case_id, h.team_id, h.is_owned, floor(extract(epoch FROM h.at))::bigint AS begins,
         COALESCE(lead(floor(extract(epoch FROM h.at))) OVER onward, floor(extract(epoch FROM %(now)s)))::bigint AS ends
    FROM chosen c
    JOIN exceptions_caseholding h ON h.case_id = c.id
  WINDOW onward AS (PARTITION BY h.case_id ORDER BY h.at, h.id)
), spans AS MATERIALIZED (
  SELECT c.id::text AS subject, 1 AS rank, 'approver' AS holder, '' AS team, {{asked}} AS during
    FROM chosen c
    JOIN (VALUES {{answered}}) AS kind(name, type) ON kind.type = c.type
    JOIN approvals_request q ON q.connection_id = c.connection_id AND q.model = c.model AND q.odoo_id = c.odoo_id AND q.kind = kind.name
   UNION ALL
  SELECT c.id::text, 2, 'odoo', '', {{waiting}}
    FROM chosen c
    JOIN outbox_command o ON o.lane = c.connection_id || ':' || c.model || ':' || c.odoo_id AND o.decision <> ''
   UNION ALL
  SELECT h.case_id::text, 4, 'us', t.slug, int8multirange(int8range(h.begins, GREATEST(h.begins, h.ends)))
    FROM owned h
    JOIN accounts_team t ON t.id = h.team_id
   WHERE h.is_owned
)

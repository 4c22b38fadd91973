-- The lives and spans of approval requests: from when they were asked until Odoo shows what follows from the decision, or until now.
-- The approver has one until it is decided, but for the time in which changes are wanted first: then it is the requester's.
--
-- %(now)s      timestamptz  the moment up to which time counts
-- {{chosen}}   query        the requests, as approvals_request has them
-- {{key}}      text         what of request q, or its subject, sums go by
-- {{asked}}    multirange   when the approver had q
-- {{waiting}}  multirange   when command o waited for Odoo
-- {{wanted}}   multirange   when changes were wanted by inquiry i

chosen AS MATERIALIZED (
  {{chosen}}
), lives AS MATERIALIZED (
  SELECT q.id, q.id::text AS subject, {{key}} AS key, floor(extract(epoch FROM q.requested_at))::bigint AS began,
         q.status <> 'pending' AND c.waiting_count = 0 AS is_ended,
         floor(extract(epoch FROM CASE WHEN q.status = 'pending' OR c.waiting_count > 0 THEN %(now)s
                                       ELSE GREATEST(q.decided_at, c.done_at) END))::bigint AS until
    FROM chosen q
   CROSS JOIN LATERAL (
     SELECT count(*) FILTER (WHERE o.done_at IS NULL) AS waiting_count, max(o.done_at) AS done_at
       FROM outbox_command o
      WHERE o.decision = 'approval:' || q.id) AS c
), spans AS MATERIALIZED (
  SELECT q.id::text AS subject, 1 AS rank, 'approver' AS holder, '' AS team, {{asked}} AS during
    FROM chosen q
   UNION ALL
  SELECT q.id::text, 2, 'odoo', '', {{waiting}}
    FROM chosen q
    JOIN outbox_command o ON o.decision = 'approval:' || q.id
   UNION ALL
  SELECT q.id::text, 4, 'us', '', {{wanted}}
    FROM chosen q
    JOIN approvals_inquiry i ON i.request_id = q.id AND i.wants_changes
)

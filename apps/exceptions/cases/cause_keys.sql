-- The cause of each open exception: what its order waits for, what it waits for itself, or its order.
--
-- %(ids)s             bigint[]  the exceptions
-- %(followed)s        text      the kind of cause of an order whose transfers go with it
-- %(followed_model)s  text      Odoo's model of such orders
-- %(holding)s         text[]    the kinds of cause for which others wait for goods

SELECT c.id, c.group_id, c.connection_id, c.company_id, cause.kind, cause.odoo_id, cause.place
  FROM exceptions_exceptioncase c
  LEFT JOIN LATERAL (
    SELECT o.root_kind, o.root_id, o.root_place
      FROM exceptions_exceptioncase o
     WHERE c.follows_id IS NOT NULL AND o.connection_id = c.connection_id AND o.model = %(followed_model)s
       AND o.odoo_id = c.follows_id AND o.status <> 'resolved' AND o.root_kind = ANY(%(holding)s)
     ORDER BY o.severity DESC, o.id
     LIMIT 1) AS up ON TRUE
 CROSS JOIN LATERAL (
   SELECT x.kind, x.odoo_id, x.place
     FROM (VALUES (CASE WHEN c.follows_first THEN 1 ELSE 2 END, up.root_kind, up.root_id, up.root_place),
                  (CASE WHEN c.follows_first THEN 2 ELSE 1 END, NULLIF(c.root_kind, ''), c.root_id, c.root_place),
                  (3, CASE WHEN c.follows_id IS NOT NULL THEN %(followed)s END, c.follows_id, 0)) AS x(rank, kind, odoo_id, place)
    WHERE x.kind IS NOT NULL AND x.odoo_id IS NOT NULL
    ORDER BY x.rank
    LIMIT 1) AS cause
 WHERE c.id = ANY(%(ids)s) AND c.status <> 'resolved'

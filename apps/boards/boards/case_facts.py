"""Facts of the figures that count exceptions: assigned, resolved, and come back."""

# Index exceptions_by_opening. What closed by itself before anybody owned it is nobody's work.
OWNED = """
SELECT c.workflow, c.connection_id, c.model, c.odoo_id, c.opened_at AS at,
       greatest(extract(epoch FROM coalesce(c.owned_at, c.resolved_at, %(now)s) - c.opened_at), 0) AS seconds
  FROM exceptions_exceptioncase c
 WHERE c.opened_at > %(since)s AND {seen} AND (c.owned_at IS NOT NULL OR c.resolved_at IS NULL OR EXISTS (
         SELECT FROM audit_entry e WHERE e.subject = 'exception:' || c.id AND e.action = 'exception.resolved'))"""
# Index exceptions_by_end.
RESOLVED = """
SELECT c.workflow, c.connection_id, c.model, c.odoo_id, c.resolved_at AS at, c.resolved_at <= c.due_at AS is_met
  FROM exceptions_exceptioncase c
 WHERE c.resolved_at > %(since)s AND c.due_at IS NOT NULL AND {seen}"""
OPENED_TO_RESOLVED = """
SELECT c.workflow, c.connection_id, c.model, c.odoo_id, c.resolved_at AS at,
       greatest(extract(epoch FROM c.resolved_at - c.opened_at), 0) AS seconds
  FROM exceptions_exceptioncase c
 WHERE c.resolved_at > %(since)s AND {seen}"""
# Index exceptions_by_record: the same type for the same record again. A week has to have passed before one can tell.
FIRST_TIME = """
SELECT c.workflow, c.connection_id, c.model, c.odoo_id, c.resolved_at + interval '7 days' AS at, NOT EXISTS (
         SELECT FROM exceptions_exceptioncase again
          WHERE again.connection_id = c.connection_id AND again.model = c.model AND again.odoo_id = c.odoo_id
            AND again.type = c.type AND again.id <> c.id AND again.opened_at >= c.resolved_at
            AND again.opened_at < c.resolved_at + interval '7 days') AS is_met
  FROM exceptions_exceptioncase c
 WHERE c.resolved_at > %(since)s - interval '7 days' AND c.resolved_at <= %(now)s - interval '7 days' AND {seen}"""
REPEATED = """
SELECT c.workflow, c.connection_id, c.model, c.odoo_id, c.opened_at AS at, EXISTS (
         SELECT FROM exceptions_exceptioncase earlier
          WHERE earlier.connection_id = c.connection_id AND earlier.model = c.model AND earlier.odoo_id = c.odoo_id
            AND earlier.type = c.type AND earlier.id <> c.id AND earlier.resolved_at <= c.opened_at
            AND earlier.resolved_at > c.opened_at - interval '30 days') AS is_met
  FROM exceptions_exceptioncase c
 WHERE c.opened_at > %(since)s AND {seen}"""

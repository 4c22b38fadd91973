"""Putting up for evaluation what is open, where something changed on which all of it rests."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection as database

from apps.workflows import registry

# What stands in an open stage, is in the queue, or waits for a decision. A record that has ended is judged when it changes.
PUT_UP = """
UPDATE workflows_position p
   SET look_again_at = LEAST(p.look_again_at, %(now)s)
 WHERE p.connection_id = %(connection)s AND p.workflow = ANY(%(workflows)s)
   AND (%(company)s::bigint IS NULL OR p.company_id = %(company)s::bigint)
   AND (p.is_open
        OR EXISTS (SELECT FROM exceptions_exceptioncase e
                    WHERE e.connection_id = p.connection_id AND e.model = p.model AND e.odoo_id = p.odoo_id
                      AND e.status <> 'resolved')
        OR EXISTS (SELECT FROM approvals_request q
                    WHERE q.connection_id = p.connection_id AND q.model = p.model AND q.odoo_id = p.odoo_id
                      AND q.status = 'pending'))
"""


def put_up(connection_id: int, *, now: datetime, workflows: Sequence[str] | None = None, company_id: int | None = None) -> None:
    """Have the open records of a connection evaluated by the next :func:`change_processing.reevaluate_due`.

    Args:
        workflows: theirs alone; none: all that there are.
        company_id: that company's alone; none: all companies'.
    """
    names = list(registry.workflows()) if workflows is None else list(workflows)
    with database.cursor() as cursor:
        cursor.execute(PUT_UP, {"connection": connection_id, "workflows": names, "company": company_id, "now": now})

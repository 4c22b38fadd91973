"""What follows when a parameter is set: what it concerns is evaluated, and Odoo's guards are told."""

from datetime import datetime

from django.db import connection as database
from django.db import transaction

from apps.approvals.policies import guard_policy
from apps.odoo.models import Connection
from apps.pipeline import change_processing
from apps.workflows import registry
from apps.workflows.models import ParameterValue

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


def apply_due(*, now: datetime) -> int:
    """Put up for evaluation what the parameters that were set since the last call concern; how many were.

    :func:`change_processing.reevaluate_due` evaluates it, a batch at a time. Nothing is lost where either breaks off.
    """
    waiting = list(ParameterValue.objects.filter(applied_at=None).order_by("set_at", "id"))
    known = registry.parameters()
    for value in waiting:
        names = [workflow.name for workflow in known[value.name].workflows] if value.name in known else []
        concerned = [value.connection_id] if value.connection_id else Connection.objects.order_by("pk").values_list("pk", flat=True)
        for connection_id in concerned:
            with transaction.atomic():
                change_processing.one_at_a_time(connection_id)
                with database.cursor() as cursor:
                    cursor.execute(
                        PUT_UP, {"connection": connection_id, "workflows": names, "company": value.company_id, "now": now}
                    )
        ParameterValue.objects.filter(pk=value.pk).update(applied_at=now)
    if waiting:
        guard_policy.publish(now=now)
    return len(waiting)

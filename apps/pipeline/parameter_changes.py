"""What follows when a parameter or a time zone is set: what it concerns is evaluated, and Odoo's guards are told."""

from datetime import datetime

from django.db import transaction

from apps.approvals.policies import guard_policy
from apps.odoo.models import Connection
from apps.pipeline import change_processing, open_records
from apps.workflows import registry
from apps.workflows.models import ParameterValue


def apply_due(*, now: datetime) -> int:
    """Put up for evaluation what the parameters and time zones that were set since the last call concern; how many parameters.

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
                open_records.put_up(connection_id, now=now, workflows=names, company_id=value.company_id)
        ParameterValue.objects.filter(pk=value.pk).update(applied_at=now)
    for connection in Connection.objects.exclude(zone_set_at=None):
        with transaction.atomic():
            change_processing.one_at_a_time(connection.pk)
            open_records.put_up(connection.pk, now=now)
            # One that was set meanwhile is put up by the next call.
            Connection.objects.filter(pk=connection.pk, zone_set_at=connection.zone_set_at).update(zone_set_at=None)
    if waiting:
        guard_policy.publish(now=now)
    return len(waiting)

"""Whether what people see of a company is what an evaluation of all its records would say now."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from apps.approvals.models import Request
from apps.approvals.models import Status as RequestStatus
from apps.exceptions.models import ExceptionCase, Status
from apps.mirror import registry as mirror
from apps.pipeline import change_processing
from apps.workflows import registry
from apps.workflows.models import Position
from tests.world import World


def seen() -> dict[tuple[Any, ...], Any]:
    """Return what is open as people see it: positions, cases with their evidence, requests with their facts."""
    found: dict[tuple[Any, ...], Any] = {}
    for one in Position.objects.filter(is_open=True):
        found["position", one.workflow, one.odoo_id] = (one.stage, one.name, one.amount, one.partner_name, one.look_again_at)
    for case in ExceptionCase.objects.exclude(status=Status.RESOLVED):
        found["case", case.type, case.odoo_id] = (case.severity, case.amount, dict(case.evidence))
    for request in Request.objects.filter(status=RequestStatus.PENDING):
        found["request", request.kind, request.odoo_id] = (request.amount, dict(request.context))
    return found


def stale(world: World) -> dict[tuple[Any, ...], Any]:
    """Return what differs once all records are evaluated anew: what is seen, and what should be. Nothing is kept of it."""
    before = seen()
    with transaction.atomic():
        for workflow in registry.workflows().values():
            ids = mirror.models()[workflow.odoo_model].objects.values_list("odoo_id", flat=True)
            change_processing.evaluate(workflow.name, world.connection.pk, dict.fromkeys(ids), now=world.now)
        after = seen()
        transaction.set_rollback(True)
    return {
        key: _difference(before.get(key), after.get(key))
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key)
    }


def _difference(before: Any, after: Any) -> Any:
    if before is None or after is None:
        return before, after
    found: list[Any] = []
    for old, new in zip(before, after, strict=True):
        if isinstance(old, Mapping):
            found += [(name, old.get(name), new.get(name)) for name in old.keys() | new.keys() if old.get(name) != new.get(name)]
        elif old != new:
            found.append((old, new))
    return found

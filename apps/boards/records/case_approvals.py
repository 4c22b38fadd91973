"""The approvals that answer an exception: with whom one waits and until when, or who would be asked for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext

from apps.accounts import access
from apps.accounts.models import User
from apps.accounts.permissions import may_work_exceptions
from apps.approvals import queries, step_names
from apps.approvals.models import Assignment, Request, Status, Step, StepStatus
from apps.approvals.requests import available_requests, permissions
from apps.approvals.requests.expected_steps import ExpectedStep
from apps.exceptions.models import ExceptionCase
from apps.exceptions.models import Status as CaseStatus
from apps.workflows import registry


@dataclass(frozen=True, kw_only=True)
class Running:
    """A step that waits: its name, who has not answered, and until when."""

    name: str
    people: Sequence[str]
    due_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class CaseApproval:
    """One approval kind that answers the exception.

    Attributes:
        pending: the request that waits; ``running`` are its steps that do.
        may_recall: the reader asked for it, and may take it back.
        steps: where nothing waits, the steps that it would go through.
    """

    title: str
    pending: Request | None = None
    running: Sequence[Running] = ()
    may_recall: bool = False
    steps: Sequence[ExpectedStep] = ()


def of_case(case: ExceptionCase, *, by: User, now: datetime) -> list[CaseApproval]:
    """Return the approvals that wait, and to who works exceptions also those that they could ask for."""
    kinds = [kind for _, kind in registry.approvals_over(case.model) if kind.exception == case.type]
    if not kinds or case.status == CaseStatus.RESOLVED:
        return []
    access_scope = access.scope_of(by)
    waiting = {
        one.kind: one
        for one in queries.of_record(case.connection_id, case.model, case.odoo_id, access_scope).filter(status=Status.PENDING)
    }
    can_ask = may_work_exceptions(by) and not waiting.keys() >= {kind.name for kind in kinds}
    available = available_requests.of_record(case.connection, case.model, case.odoo_id, by=by, now=now) if can_ask else []
    steps = {one.kind.name: one.steps for one in available}
    found = []
    for kind in kinds:
        title, request = gettext(kind.title), waiting.get(kind.name)
        if request is not None:
            running, may_recall = _running(request), not permissions.why_not_recall(request, by)
            found.append(CaseApproval(title=title, pending=request, running=running, may_recall=may_recall))
        elif kind.name in steps:
            found.append(CaseApproval(title=title, steps=steps[kind.name]))
    return found


def _running(request: Request) -> list[Running]:
    return [
        Running(
            name=step_names.told(step.name),
            people=[str(row.user) for row in step.assignments.all() if _is_asked(row, step)],
            due_at=step.due_at,
        )
        for step in request.steps.all()
        if step.status == StepStatus.PENDING
    ]


def _is_asked(row: Assignment, step: Step) -> bool:
    return row.is_active and not row.decision and row.lapsed_at is None and row.level <= step.level

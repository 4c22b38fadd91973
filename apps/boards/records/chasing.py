"""The suggested actions that bring on an approval for which an exception's record waits: remind, ask the next level."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop

from apps.accounts.models import User
from apps.accounts.permissions import POLICY_MAKERS, may_work_exceptions
from apps.approvals import step_names
from apps.approvals.models import Request, Status
from apps.approvals.requests import chasing
from apps.core import sentences
from apps.exceptions.cases import own_actions
from apps.exceptions.cases.own_actions import OwnAction
from apps.exceptions.models import ExceptionCase
from apps.workflows import registry
from apps.workflows.offers import Option

REMIND = gettext_noop("Remind {people} of {kind}, due {due:moment}")


NEXT_LEVEL = gettext_noop("Ask the next level of {steps} for {kind} now, due {due:moment}")


def _pending(case: ExceptionCase) -> list[tuple[Request, dict[str, Any]]]:
    """Return what waits for a decision about the record, each with what is said of it."""
    of_it = {"connection_id": case.connection_id, "model": case.model, "odoo_id": case.odoo_id}
    found = []
    for request in Request.objects.filter(**of_it, status=Status.PENDING).order_by("due_at", "id"):
        if declared := registry.approval_kind(request.kind, request.model):
            said = {"kind": sentences.compose(declared.title, {}), "due": request.due_at.isoformat()}
            found.append((request, said))
    return found


def _waiting(case: ExceptionCase, now: datetime) -> Sequence[Option]:
    found = []
    for request, said in _pending(case):
        people = [str(user) for _, those in chasing.to_remind(request, now=now) for user in those]
        if people:
            told = sentences.compose(REMIND, {**said, "people": ", ".join(dict.fromkeys(people))})
            found.append(Option(key=str(request.pk), told=told, columns={}))
    return found


def _above(case: ExceptionCase, now: datetime) -> Sequence[Option]:
    found = []
    for request, said in _pending(case):
        names = [step_names.part_of_sentence(step.name) for step in chasing.can_go_up(request)]
        if names:
            told = sentences.compose(NEXT_LEVEL, {**said, "steps": {"each": names, "by": ", "}})
            found.append(Option(key=str(request.pk), told=told, columns={}))
    return found


def _may_re_route(user: User) -> bool:
    return user.role in POLICY_MAKERS


def _go_up(case: ExceptionCase, option: Option, by: User, now: datetime) -> None:
    chasing.ask_next_level(int(option.key), by=by, now=now)


def _chase(case: ExceptionCase, option: Option, by: User, now: datetime) -> None:
    chasing.chase(int(option.key), by=by, now=now)


own_actions.register(
    OwnAction(
        name="chase_approver",
        title=gettext_noop("Remind the approver"),
        does=gettext_noop("They are told in the tower and by the ways that they chose"),
        options=_waiting,
        do=_chase,
        may=may_work_exceptions,
    )
)
own_actions.register(
    OwnAction(
        name="ask_next_level",
        title=gettext_noop("Ask the next level"),
        does=gettext_noop("Those who were asked before are told, and may still answer"),
        options=_above,
        do=_go_up,
        may=_may_re_route,
    )
)

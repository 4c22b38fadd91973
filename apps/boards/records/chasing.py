"""The suggested action that reminds the approvers on whom an exception's record waits."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext_noop

from apps.accounts.models import User
from apps.accounts.permissions import may_work_exceptions
from apps.approvals.models import Request, Status
from apps.approvals.requests import chasing
from apps.core import sentences
from apps.exceptions.cases import own_actions
from apps.exceptions.cases.own_actions import OwnAction
from apps.exceptions.models import ExceptionCase
from apps.workflows import registry
from apps.workflows.offers import Option

REMIND = gettext_noop("Remind {people} of {kind}, due {due:moment}")


def _waiting(case: ExceptionCase, now: datetime) -> Sequence[Option]:
    pending = Request.objects.filter(
        connection_id=case.connection_id, model=case.model, odoo_id=case.odoo_id, status=Status.PENDING
    )
    found = []
    for request in pending.order_by("due_at", "id"):
        people = [str(user) for _, those in chasing.to_remind(request, now=now) for user in those]
        declared = registry.approval_kind(request.kind, request.model)
        if people and declared:
            values = {
                "people": ", ".join(dict.fromkeys(people)),
                "kind": sentences.compose(declared.title, {}),
                "due": request.due_at.isoformat(),
            }
            found.append(Option(key=str(request.pk), told=sentences.compose(REMIND, values), columns={}))
    return found


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

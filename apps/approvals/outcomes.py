"""What a decision will do in Odoo, in words and as commands."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext, gettext_noop

from apps.approvals.models import Request
from apps.core.actor import Actor
from apps.odoo.guards import ASK
from apps.outbox import enqueue
from apps.outbox.models import Command
from apps.workflows import registry
from apps.workflows.declare import ApprovalKind, OdooCall

UNDECIDED = {"decided_by": gettext_noop("you"), "reason": gettext_noop("your reason")}


def kind_of(request: Request) -> ApprovalKind:
    """The declared approval kind of a request. Raises KeyError where no workflow declares it any more."""
    declared = registry.approval_kind(request.kind, request.model)
    if declared is None:
        raise KeyError(request.kind)
    return declared


def is_declared(request: Request) -> bool:
    """Whether a workflow still declares what the request asks for."""
    return registry.approval_kind(request.kind, request.model) is not None


def describe(request: Request) -> tuple[list[str], list[str]]:
    """What Odoo will be told on yes and on no, each as a list of steps in words."""
    kind = kind_of(request)
    context = {**request.context, **{name: gettext(word) for name, word in UNDECIDED.items()}, "record_name": request.record_name}
    return _titles(kind.on_approval, context), _titles(kind.on_rejection, context)


def _titles(calls: Sequence[OdooCall], context: Mapping[str, Any]) -> list[str]:
    # The answer on what was asked is between the tower and its own rows.
    return [
        str(enqueue.fill(gettext(call.title), context))
        for call in calls
        if call.model != ASK and all(context.get(name) for name in (call.record, call.only_if) if name)
    ]


def matters(request: Request) -> str:
    """The one line that matters; the question where the kind declares none, or the request is older than the line."""
    kind = kind_of(request)
    try:
        return str(enqueue.fill(gettext(kind.matters), {**request.context, "record_name": request.record_name})) or question(
            request
        )
    except enqueue.ContextMissingError:
        return question(request)


def question(request: Request) -> str:
    """What is asked, in one sentence."""
    return str(enqueue.fill(gettext(kind_of(request).question), {**request.context, "record_name": request.record_name}))


def tell_odoo(
    request: Request, calls: Sequence[OdooCall], *, by: Actor, reason: str, now: datetime,
    not_before: datetime | None = None,
) -> list[Command]:  # fmt: skip
    """Enqueue what follows from the request, with who decided and why; the first may run from ``not_before`` on."""
    context = {**request.context, "record_name": request.record_name, "decided_by": by.name, "reason": reason}
    return enqueue.commands(
        calls, connection=request.connection, model=request.model, odoo_id=request.odoo_id, context=context,
        decision=f"approval:{request.pk}", by=by, now=now, not_before=not_before,
    )  # fmt: skip

"""What a decision will do in Odoo, in words and as commands."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext, gettext_noop

from apps.approvals.models import Request, Status
from apps.approvals.requests import facts
from apps.core import sentences
from apps.core.actor import Actor
from apps.core.words import money
from apps.mirror import registry as mirror
from apps.odoo.guards import ASK
from apps.outbox import enqueue
from apps.outbox.models import Command
from apps.workflows import engine, placeholders, registry, subjects
from apps.workflows.declare import ApprovalKind, OdooCall
from apps.workflows.guard_requests import LIFT

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
        _said(call.title, context)
        for call in calls
        if call.model != ASK and all(context.get(name) for name in (call.record, call.only_if) if name)
    ]


def _said(template: str, context: Mapping[str, Any]) -> str:
    """Return the template filled; without the figures that a request lacks which is older than the template."""
    try:
        return str(enqueue.fill(gettext(template), context))
    except enqueue.ContextMissingError:
        return sentences.filled(gettext(template), context)


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
    """Return what is asked, in one sentence; in general words where the request is older than the sentence."""
    context = {**request.context, "record_name": request.record_name}
    try:
        return str(enqueue.fill(gettext(kind_of(request).question), context))
    except enqueue.ContextMissingError:
        return gettext("Release %(record_name)s?") % {"record_name": request.record_name}


def withdrawal_calls(request: Request, *, now: datetime) -> Sequence[OdooCall]:
    """Return what Odoo is told when a request is withdrawn: never anything that undoes a rejection of the same.

    Where the last decision about the record was a no, its hold stays and its answer on the ask stays, however many requests
    came after it. The hold is lifted only where its reason is gone: somebody still asks, and nothing is broken any more.
    """
    kind = kind_of(request)
    of_it = {"connection": request.connection_id, "model": request.model, "odoo_id": request.odoo_id, "kind": request.kind}
    decided = Request.objects.filter(**of_it, status__in=[Status.APPROVED, Status.REJECTED]).order_by("-decided_at", "-pk").first()
    if decided is None or decided.status != Status.REJECTED:
        return kind.on_withdrawal
    answers = [call.record for call in kind.on_withdrawal if call.model == ASK and call.record]
    state = answers[0].replace("ask_id", "ask_state") if answers else ""
    is_same_ask = bool(answers) and request.context.get(answers[0]) == decided.context.get(answers[0])
    is_reason_gone = (
        not is_same_ask
        and bool(state)
        and bool(
            engine.look(
                registry.workflows()[request.workflow],
                connection_id=request.connection_id,
                odoo_ids=[request.odoo_id],
                now=now,
                condition=kind.possible & Q(**{state: "open"}),
            )
        )
    )
    calls = []
    for call in kind.on_withdrawal:
        if call.model == ASK and is_same_ask:
            continue
        if call == LIFT and not is_reason_gone:
            calls += _hold_again(kind, decided)
            continue
        calls.append(call)
    return calls


def _hold_again(kind: ApprovalKind, decided: Request) -> list[OdooCall]:
    """Return the writes that mark the record as it was left by the rejection; the words are those of the rejection."""
    context = {
        **decided.context,
        "record_name": decided.record_name,
        "decided_by": str(decided.decided_by or ""),
        "reason": decided.reason,
    }
    return [
        replace(call, arguments=enqueue.fill(call.arguments, context), expect=enqueue.fill(call.expect, context))
        for call in kind.on_rejection
        if call.method == "write" and not call.model and "x_ct_hold" in call.arguments.get("vals", {})
    ]


def is_gone(connection_id: int, model: str, odoo_id: Any) -> bool:
    """Return whether the tower has found a record gone from Odoo. One that it does not mirror is not known to be gone."""
    mirrored = mirror.models().get(model)
    if mirrored is None or not odoo_id:
        return False
    return mirrored.objects.filter(connection=connection_id, odoo_id=odoo_id).exclude(deleted_at=None).exists()


def _of_what_is_there(request: Request, calls: Sequence[OdooCall]) -> list[OdooCall]:
    """Return ``calls`` without those about a record that is gone; those on records of their own stay, such as the ask."""
    is_record_gone = is_gone(request.connection_id, request.model, request.odoo_id)
    kept = []
    for call in calls:
        target = request.context.get(call.record) if call.record else None
        if call.record and call.model and target not in (None, ""):
            if not is_gone(request.connection_id, call.model, target):
                kept.append(call)
        elif not is_record_gone:
            kept.append(call)
    return kept


def _columns(request: Request, now: datetime) -> Mapping[str, Any]:
    """Return the columns of the request's record as it stands; none where it is gone."""
    workflow = next((one for one, _ in registry.declarations_of(request.kind) if one.odoo_model == request.model), None)
    if workflow is None:
        return {}
    found = engine.look(workflow, connection_id=request.connection_id, odoo_ids=[request.odoo_id], now=now)
    return found.get(request.odoo_id, {})


def _needed(call: OdooCall) -> set[str]:
    """Return the names without whose values the call does something else: its target, its conditions and its numbers."""
    numbers = {match[1] for match in sentences.PLACEHOLDER.finditer(json.dumps(call.arguments)) if match[2] == "number"}
    return (numbers | placeholders.names([call.require, call.expect]) | {call.record, call.only_if}) - {""}


def tell_odoo(
    request: Request,
    calls: Sequence[OdooCall],
    *,
    by: Actor,
    reason: str,
    now: datetime,
    not_before: datetime | None = None,
) -> list[Command]:
    """Enqueue what follows from the request, with who decided and why; the first may run from ``not_before`` on.

    A request that is older than its kind's calls lacks some of what they name: that is read from the record as it stands; where
    even that has it not, texts leave it out, and a call that needs its value is left out.
    """
    context = {
        "record_url": subjects.url(request.connection.name, request.model, request.odoo_id),
        placeholders.COUNTED: money(request.amount, request.currency),
        **request.context,
        "record_name": request.record_name,
        "decided_by": by.name,
        "reason": reason,
    }
    present = _of_what_is_there(request, calls)
    if missing := placeholders.of_calls(present) - placeholders.OF_DECISION - context.keys():
        columns = _columns(request, now)
        context |= {name: facts.plain(columns[name]) for name in missing & columns.keys()}
        present = [call for call in present if not _needed(call) & (missing - columns.keys())]
        context = {**dict.fromkeys(missing, ""), **context}
    return enqueue.commands(
        present,
        connection=request.connection,
        model=request.model,
        odoo_id=request.odoo_id,
        context=context,
        decision=f"approval:{request.pk}",
        by=by,
        now=now,
        not_before=not_before,
    )

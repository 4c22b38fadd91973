"""Every move a request can make, by people: ask, approve, reject, delegate. What the machine asks is in ``asking``.

The request's row is locked first, so of two people who decide at once one wins and the other is told who and when.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext

from apps.accounts import access
from apps.accounts import permissions as roles
from apps.accounts.models import User
from apps.approvals.errors import AlreadyDecidedError, DecisionRefusedError, NotAskedError
from apps.approvals.models import Assignment, Request, Status, StepStatus
from apps.approvals.requests import closing, delegation, opening, permissions, reevaluation, steps
from apps.approvals.requests.facts import Seen, check_seen, snapshot
from apps.approvals.requests.locking import locked
from apps.approvals.transitions import STEPS
from apps.audit import trail
from apps.core.transactions import atomic_with_retry
from apps.odoo.models import Connection
from apps.workflows import engine, offers, registry

# Kept with what somebody decided on: the assignments that were made because of the decision.
ASKED_INSTEAD = "asked_instead"


def was_said(request: Request, user: User, key: str) -> bool:
    """Whether the person's decision of that key was taken already, also where they undid it since."""
    return Assignment.objects.filter(step__request=request, user=user, key=key).exists()


@atomic_with_retry
def approve(
    request_id: int,
    *,
    by: User,
    reason: str = "",
    now: datetime,
    undo_for: timedelta = timedelta(0),
    key: str = "",
    seen: Seen | None = None,
) -> Request:
    """Say yes. Where it was the last word wanted, Odoo is told; else the next step begins.

    Args:
        undo_for: how long it may be taken back (``undoing.undo``); nothing leaves the tower before.
        key: names this very decision; where it was taken already, also where it was undone since, nothing happens.
        seen: the facts on which it was taken, compared under the row lock with those that are true then.

    Raises:
        AlreadyDecidedError: it no longer waits.
        NotAllowedError: this person may not decide it.
        FactsChangedError: the facts are no longer those that were seen.
    """
    request, assignment = _decide(request_id, by, "approved", reason, now, undo_for, key, seen)
    if assignment is None:
        return request
    step, leaves_at = assignment.step, now + undo_for
    if steps.is_answered(step):
        STEPS.make("approve", step)
        step.save(update_fields=["status"])
        steps.cancel_timers([step])
    if request.steps.filter(status=StepStatus.PENDING).exists():
        # Nobody decides two steps: in those that run beside this one others are asked.
        present = steps.undecided(request)
        reevaluation.reassign(request, now=now, leaves_at=leaves_at)
        if instead := sorted(steps.undecided(request) - present):
            # Undone, they are asked no longer.
            assignment.decided_on = {**(assignment.decided_on or {}), ASKED_INSTEAD: instead}
            assignment.save(update_fields=["decided_on"])
        steps.refresh_due(request)
        return request
    if not steps.begin_next(request, now=now, leaves_at=leaves_at):
        closing.close_request(request, Status.APPROVED, by=by.actor, decided_by=by, reason=reason, now=now, leaves_at=leaves_at)
    return request


@atomic_with_retry
def reject(
    request_id: int,
    *,
    by: User,
    reason: str,
    now: datetime,
    undo_for: timedelta = timedelta(0),
    key: str = "",
    seen: Seen | None = None,
) -> Request:
    """Say no, with a reason. One no settles the request. ``undo_for``, ``key`` and ``seen`` as in :func:`approve`.

    Raises:
        AlreadyDecidedError: it no longer waits.
        NotAllowedError: this person may not decide it.
        DecisionRefusedError: there is no reason, or (FactsChangedError) the facts are no longer those that were seen.
    """
    if not reason.strip():
        raise DecisionRefusedError(gettext("A rejection needs a reason: the requester has to know what to change."))
    request, assignment = _decide(request_id, by, "rejected", reason, now, undo_for, key, seen)
    if assignment is None:
        return request
    STEPS.make("reject", assignment.step)
    assignment.step.save(update_fields=["status"])
    closing.close_request(
        request, Status.REJECTED, by=by.actor, decided_by=by, reason=reason.strip(), now=now, leaves_at=now + undo_for
    )
    return request


def _decide(
    request_id: int, by: User, decision: str, reason: str, now: datetime, undo_for: timedelta, key: str, seen: Seen | None
) -> tuple[Request, Assignment | None]:
    """Note what was said; no assignment where it was noted before under the same key."""
    request = locked(request_id)
    if key and was_said(request, by, key):
        return request, None
    if request.status != Status.PENDING:
        raise AlreadyDecidedError(permissions.settled_sentence(request) + ".")
    assignment = permissions.check_may_decide_request(request, by)
    if seen is not None:
        check_seen(request, seen)
    assignment.decided_on = snapshot(request)
    assignment.decision, assignment.decided_at, assignment.reason = decision, now, reason.strip()
    assignment.undo_until = now + undo_for if undo_for else None
    assignment.key = key
    assignment.save(update_fields=["decision", "decided_at", "reason", "undo_until", "key", "decided_on"])
    trail.record(
        trail.Event(
            action=f"approval.step_{decision}",
            actor=by.actor,
            subject=f"approval:{request.pk}",
            data={"step": assignment.step.name, "reason": reason.strip(), "amount": request.amount},
            about=(request.connection_id, request.company_id),
        ),
        now=now,
    )
    closing.announce(request)
    return request, assignment


@atomic_with_retry
def delegate(request_id: int, *, to: User, by: User, reason: str = "", now: datetime) -> Request:
    """Hand one's own say on this request to somebody who could be asked for it just as well.

    Raises:
        AlreadyDecidedError: it no longer waits.
        NotAllowedError: this person has no say, or ``to`` may not decide it: delegation never widens power.
    """
    request = locked(request_id)
    if request.status != Status.PENDING:
        raise AlreadyDecidedError(permissions.settled_sentence(request) + ".")
    own = permissions.check_may_decide_request(request, by)
    delegation.check_may_take(request, own, to)
    delegation.hand_over(request, own, to, by=by.actor, reason=reason, now=now)
    steps.ask(request, [to], word="asked", key=f"{own.step_id}:delegated:{to.pk}", due_at=request.due_at, now=now)
    closing.announce(request)
    return request


@atomic_with_retry
def recall(request_id: int, *, by: User, reason: str = "", now: datetime) -> Request:
    """Take back what one asked for in the tower, before it is decided: nobody is asked any more, and Odoo is told.

    Raises:
        AlreadyDecidedError: it no longer waits.
        NotAllowedError: somebody else asked for it, or policy did.
    """
    request = locked(request_id)
    if request.status != Status.PENDING:
        raise AlreadyDecidedError(permissions.settled_sentence(request) + ".")
    if refusal := permissions.why_not_recall(request, by):
        raise NotAskedError(refusal)
    closing.close_request(request, Status.CANCELLED, by=by.actor, decided_by=by, reason=reason.strip(), now=now)
    return request


@atomic_with_retry
def ask(
    *, connection_id: int, kind: str, model: str, odoo_id: int, by: User, reason: str, now: datetime, option: str = ""
) -> Request:
    """Ask for an approval here, as the contextual action does in Odoo.

    Args:
        option: what was chosen of what the kind offers; empty leaves it as it is.

    Raises:
        NotAllowedError: this person may not work on records.
        DecisionRefusedError: there is no such kind or record, or nothing to decide about it now.
        AlreadyDecidedError: a request for it waits already.
    """
    roles.check_may_work_exceptions(by)
    if kind not in registry.approval_kinds():
        raise DecisionRefusedError(f"There is no approval kind {kind}; there is {', '.join(registry.approval_kinds())}.")
    declarations = registry.declarations_of(kind)
    workflow, declared = next((one for one in declarations if one[0].odoo_model == model), declarations[0])
    connection = Connection.objects.filter(pk=connection_id).first()
    if connection is None or model != workflow.odoo_model:
        models = " / ".join(one.odoo_model for one, _ in declarations)
        raise DecisionRefusedError(
            gettext("%(title)s is requested for a %(odoo_model)s of a connection.")
            % {"title": gettext(declared.title), "odoo_model": models}
        )
    known = engine.look(workflow, connection_id=connection_id, odoo_ids=[odoo_id], now=now)
    if not known or not access.scope_of(by).sees(connection_id, known[odoo_id]["company_id"]):
        raise DecisionRefusedError(
            gettext("%(model)s %(odoo_id)s is not mirrored from %(connection)s. Check the number, or sync.")
            % {"model": model, "odoo_id": odoo_id, "connection": connection.name}
        )
    rows = engine.look(workflow, connection_id=connection_id, odoo_ids=[odoo_id], now=now, condition=declared.possible)
    if not rows:
        raise DecisionRefusedError(
            gettext("%(title)s can no longer be requested: %(model)s %(odoo_id)s is too far along in Odoo.")
            % {"model": model, "odoo_id": odoo_id, "title": gettext(declared.title)}
        )
    standing = Request.objects.filter(
        connection_id=connection_id, model=model, odoo_id=odoo_id, kind=kind, status=Status.PENDING
    ).first()
    if standing:
        raise AlreadyDecidedError(
            gettext("Request %(standing_id)s for %(record_name)s is already pending.")
            % {"standing_id": standing.pk, "record_name": standing.record_name}
        )
    chosen: Mapping[str, Any] = {}
    if option:
        choice = declared.choice
        offered = offers.options(choice, connection_id=connection_id, odoo_id=odoo_id, now=now) if choice else []
        found = next((one for one in offered if one.key == option), None)
        if choice is None or found is None:
            there = ", ".join(f"{one.key} ({one.text})" for one in offered) or gettext("no options")
            raise DecisionRefusedError(
                gettext("%(title)s cannot be requested with the option %(option)s. Available: %(there)s.")
                % {"title": gettext(declared.title), "option": option, "there": there}
            )
        chosen = {name: found.columns[name] for name in choice.columns}
    return opening.open_request(
        opening.Asking(
            workflow=workflow,
            kind=declared,
            connection=connection,
            odoo_id=odoo_id,
            columns=rows[odoo_id],
            cause=f"{opening.ASKED_HERE}{by.pk}@{now.isoformat(timespec='seconds')}",
            asked_by=str(by),
            user=by,
            reason=reason,
            chosen=chosen,
        ),
        now=now,
    )

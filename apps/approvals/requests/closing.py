"""How a request ends: one function for every end, so that each leaves the same traces."""

from datetime import datetime

from django.utils.translation import gettext

from apps.accounts.models import User
from apps.approvals.models import Assignment, Request, Status
from apps.approvals.requests import decision_commands, steps
from apps.approvals.transitions import REQUESTS
from apps.audit import trail
from apps.core import live, sentences
from apps.core.actor import Actor
from apps.core.words import money
from apps.mirror import identities
from apps.notifications.notify import Message, notify


def close_request(
    request: Request,
    status: Status,
    *,
    by: Actor,
    reason: str,
    now: datetime,
    decided_by: User | None = None,
    leaves_at: datetime | None = None,
) -> None:
    """End a pending request: note it, stop its timers, tell Odoo what follows, tell the people.

    What is told, to Odoo and to people, waits until ``leaves_at`` where the decision can still be taken back.
    The caller holds the request's row lock. Raises TransitionRefusedError where it is not pending.
    """
    REQUESTS.enter(status, request)
    request.decided_at, request.decided_by, request.reason = now, decided_by, reason
    request.reason_sentence = sentences.sentence_of(reason)
    request.save(update_fields=["status", "decided_at", "decided_by", "reason", "reason_sentence"])
    steps.end(request, now=now)
    kind = decision_commands.kind_of(request)
    calls = {
        Status.APPROVED: kind.on_approval,
        Status.REJECTED: kind.on_rejection,
        Status.EXPIRED: kind.on_expiry,
    }.get(status, ())
    if status == Status.CANCELLED:
        calls = decision_commands.withdrawal_calls(request, now=now)
    decision_commands.tell_odoo(request, calls, by=by, reason=reason, now=now, not_before=leaves_at)
    trail.record(
        trail.Event(
            action=f"approval.{status.value}",
            actor=by,
            subject=f"approval:{request.pk}",
            data={"reason": reason, **sentences.kept_beside(reason), "amount": request.amount, "record": request.record_name},
            about=(request.connection_id, request.company_id),
        ),
        now=now,
    )
    _tell_people(request, status, by, reason, now, leaves_at)
    announce(request)


def _tell_people(request: Request, status: Status, by: Actor, reason: str, now: datetime, leaves_at: datetime | None) -> None:
    message = Message(
        kind=f"approval.{status.value}",
        key=f"approval:{request.pk}:{status.value}",
        about=(request.connection_id, request.company_id),
        title=lambda: f"{status.label}: {request.record_name}, {money(request.amount, request.currency)}",
        body=lambda: f"{gettext('By %(name)s.') % {'name': by.name}} {request.told_reason}".strip(),
        path=f"/approvals/{request.pk}/",
    )
    people, addresses = account_owner(request)
    if request.requested_by_user_id and request.requested_by_user:
        people.append(request.requested_by_user)
    if status in (Status.CANCELLED, Status.EXPIRED):
        asked = Assignment.objects.filter(step__request=request, is_active=True, lapsed_at=None).select_related("user")
        people += [assignment.user for assignment in asked]
    unique = {user.pk: user for user in people}
    notify(message, people=unique.values(), addresses=addresses, now=now, leaves_at=leaves_at)


def account_owner(request: Request) -> tuple[list[User], list[str]]:
    """Who looks after the customer: the people here with that Odoo login, else the address that Odoo has."""
    login, email = request.context.get("account_owner_login", ""), request.context.get("account_owner_email", "")
    people = identities.people_named(request.connection_id, login)
    return people, [] if people else [address for address in [email] if "@" in address]


def announce(request: Request) -> None:
    """Tell the open pages that show the request."""
    live.announce(["inbox", f"record:{request.connection_id}:{request.model}:{request.odoo_id}"])

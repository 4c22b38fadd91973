"""Approving many at a time: only what its policy marks as safe for that, each by the same move as if it were alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.approvals.policies import conditions, limits, policy
from apps.approvals.requests import moves, undoing
from apps.approvals.requests.facts import Seen
from apps.core.refusals import Refusal


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one of them; ``problem`` is empty where it was done."""

    request: Request
    problem: str = ""


def is_safe(request: Request) -> bool:
    """Whether the request's own policy, the version that it began with, lets it be approved together with others."""
    is_calm = request.escalated_at is None and request.paused_at is None
    return is_calm and policy.is_bulk_safe(request.policy.rules, limits.amount_of(request), conditions.facts_of(request))


def approve(chosen: Mapping[int, str], *, by: User, key: str, now: datetime, undo_for: timedelta) -> list[Outcome]:
    """Approve those of ``chosen`` (request to the digest of the facts that were shown) that may be; what became of each.

    Each is a transaction of its own: one that is refused stops no other. The caller has checked that they are in sight.
    """
    found = Request.objects.select_related("policy", "connection").in_bulk(chosen)
    outcomes = []
    for number in sorted(found):
        request = found[number]
        if is_safe(request):
            seen = Seen(digest=chosen[number] or "none")
            outcomes.append(_one(request, seen, by=by, key=f"{key}:{number}"[:64], now=now, undo_for=undo_for))
        else:
            outcomes.append(Outcome(request=request, problem=gettext("The policy does not allow bulk approval.")))
    return outcomes


def _one(request: Request, seen: Seen, *, by: User, key: str, now: datetime, undo_for: timedelta) -> Outcome:
    try:
        moves.approve(request.pk, by=by, reason="", now=now, undo_for=undo_for, key=key, seen=seen)
    except Refusal as error:
        return Outcome(request=request, problem=str(error))
    return Outcome(request=request)


def undo(numbers: list[int], *, by: User, now: datetime) -> list[Outcome]:
    """Take back those that can still be; what became of each."""
    outcomes = []
    for request in Request.objects.filter(pk__in=numbers).order_by("pk"):
        try:
            undoing.undo(request.pk, by=by, now=now)
        except Refusal as error:
            outcomes.append(Outcome(request=request, problem=str(error)))
        else:
            outcomes.append(Outcome(request=request))
    return outcomes

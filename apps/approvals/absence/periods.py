"""Being away: what is asked meanwhile goes to the deputy, as far as the deputy may decide it. It never widens power."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext

from apps.accounts import permissions as roles
from apps.accounts.models import User
from apps.approvals.errors import DecisionRefusedError
from apps.approvals.models import Absence, Assignment, Request, Status, StepStatus
from apps.approvals.requests import closing, delegation, steps
from apps.audit import trail
from apps.core.transactions import atomic_with_retry
from apps.timers import due
from apps.timers.models import Timer

TIMER = "approvals.absence"


def current(user: User, *, now: datetime) -> Absence | None:
    """The person's absence that is not over yet, if there is one."""
    return Absence.objects.select_related("deputy").filter(user=user, ended_at=None, until__gt=now).first()


@atomic_with_retry
def begin(user: User, *, deputy: User, starts_at: datetime, until: datetime, now: datetime) -> Absence:
    """Be away from ``starts_at`` to ``until``; the deputy is asked instead. An absence that was set before ends.

    Raises:
        NotAllowedError: this person, or the deputy, may not decide approvals at all.
        DecisionRefusedError: the times or the deputy cannot be.
    """
    roles.check_may_decide(user)
    roles.check_may_decide(deputy)
    if deputy == user or not deputy.is_active:
        raise DecisionRefusedError(gettext("Choose a colleague who is not out of office."))
    if until <= max(starts_at, now):
        raise DecisionRefusedError(gettext("The last day must not be before the first or in the past."))
    User.objects.select_for_update().get(pk=user.pk)
    Absence.objects.filter(user=user, ended_at=None).update(ended_at=now)
    away = Absence.objects.create(user=user, deputy=deputy, starts_at=starts_at, until=until, created_at=now)
    trail.record(
        trail.Event(
            action="absence.begun",
            actor=user.actor,
            subject=f"user:{user.pk}",
            data={"deputy": str(deputy), "from": starts_at, "until": until},
        ),
        now=now,
    )
    due.set_timer(kind=TIMER, key=str(away.pk), due_at=max(starts_at, now), now=now)
    return away


@atomic_with_retry
def end(user: User, *, now: datetime) -> None:
    """Be back. What the deputy was asked meanwhile stays with the deputy."""
    if Absence.objects.filter(user=user, ended_at=None).update(ended_at=now):
        trail.record(trail.Event(action="absence.ended", actor=user.actor, subject=f"user:{user.pk}"), now=now)


@due.handles(TIMER)
def hand_over_what_waits(timers: Sequence[Timer], now: datetime) -> None:
    """When an absence begins: what waits for the person goes to the deputy."""
    for timer in timers:
        away = Absence.objects.filter(pk=int(timer.key), ended_at=None, until__gt=now).first()
        if away is None:
            continue
        waiting = Assignment.objects.filter(
            user=away.user_id, is_active=True, decision="", step__status=StepStatus.PENDING, step__request__status=Status.PENDING
        )
        for request in Request.objects.select_for_update().filter(pk__in=waiting.values("step__request_id")).order_by("pk"):
            for step in request.steps.filter(status=StepStatus.PENDING):
                asked = delegation.replace_absent(request, step, now=now).values()
                steps.ask(request, list(asked), word="asked", key=f"{step.pk}:away:{away.pk}", due_at=request.due_at, now=now)
            closing.announce(request)

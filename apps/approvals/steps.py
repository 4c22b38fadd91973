"""The steps of a request: copied from the policy, begun one position after the other, escalated level by level."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext, gettext_noop

from apps.accounts.models import Role, User
from apps.approvals import handing, policy
from apps.approvals.models import Assignment, Request, Step, StepStatus
from apps.core.words import moment, money
from apps.notifications.tell import Message, tell
from apps.timers import calendars, due

TIMERS = ("approvals.escalate", "approvals.remind")


def lay_out(request: Request, rules: Sequence[dict[str, Any]]) -> list[Step]:
    """Copy the policy's steps into the request, so that a later policy cannot change what already runs."""
    return Step.objects.bulk_create(
        [
            Step(request=request, position=rule.get("position", number), name=rule["name"],
                 needs_all=bool(rule.get("needs_all")), levels={"levels": rule["levels"], "fallback": rule["fallback"]})
            for number, rule in enumerate(rules, start=1)
        ]
    )  # fmt: skip


def begin_next(request: Request, *, now: datetime, leaves_at: datetime | None = None) -> bool:
    """Begin the steps of the next position; False where there is none left, and the request is through.

    Who is asked hears of it from ``leaves_at`` on, where what led here can still be taken back.
    """
    waiting = list(request.steps.filter(status=StepStatus.WAITING).order_by("position", "id"))
    if not waiting:
        return False
    position = waiting[0].position
    for step in waiting:
        if step.position == position:
            step.status = StepStatus.PENDING
            step.save(update_fields=["status"])
            begin_level(request, step, 0, now=now, leaves_at=leaves_at)
    request.current_step = position
    refresh_due(request)
    return True


def begin_level(
    request: Request, step: Step, level: int, *, word: str = "asked", now: datetime, leaves_at: datetime | None = None
) -> list[User]:
    """Ask the people of ``level``, or of the first one after it where somebody may decide; whom.

    Where nobody in the whole chain may decide, administrators are asked, so that no request waits for nobody.
    """
    levels = step.levels["levels"]
    asked: list[User] = []
    while level < len(levels):
        asked = policy.askable(levels[level]["ask"], amount=request.amount, logins=request.involved_logins,
                               connection_id=request.connection_id, company_id=request.company_id,
                               owner_login=str(request.context.get("account_owner_login") or ""))  # fmt: skip
        asked = [user for user in asked if user.pk != request.requested_by_user_id]
        if asked:
            break
        level += 1
    if not asked:
        level = len(levels) - 1
        asked = list(User.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk=request.requested_by_user_id or 0))
    rule = levels[level]
    step.level = level
    team = policy.team_of(rule["ask"])
    step.due_at = calendars.due_after(timedelta(minutes=rule["within_minutes"]), start=now, team=team)
    step.save(update_fields=["level", "due_at"])
    Assignment.objects.bulk_create(
        [Assignment(step=step, user=user, level=level) for user in asked], ignore_conflicts=True
    )
    deputies = handing.replace_absent(request, step, now=now)
    asked = [deputies.get(user.pk, user) for user in asked]
    due.set_timer(kind="approvals.escalate", key=f"step:{step.pk}:{level}", due_at=step.due_at, now=now)
    if rule.get("remind_after_minutes"):
        remind_at = calendars.due_after(timedelta(minutes=rule["remind_after_minutes"]), start=now, team=team)
        due.set_timer(kind="approvals.remind", key=f"step:{step.pk}:{level}", due_at=remind_at, now=now)
    ask(request, asked, word=word, key=f"{step.pk}:{level}", due_at=step.due_at, now=now, leaves_at=leaves_at)
    return asked


def ask(
    request: Request, people: Sequence[User], *, word: str, key: str, due_at: datetime, now: datetime,
    leaves_at: datetime | None = None,
) -> None:  # fmt: skip
    """Tell ``people`` that their word is wanted by ``due_at``: ``word`` is asked, reminded or escalated."""
    openings = {
        "asked": gettext_noop("Your decision"), "reminded": gettext_noop("Still waiting for you"),
        "escalated": gettext_noop("Escalated to you"),
    }  # fmt: skip
    tell(
        Message(kind=f"approval.{word}", key=f"approval:{request.pk}:{word}:{key}",
                about=(request.connection_id, request.company_id),
                title=lambda: f"{gettext(openings[word])}: {request.record_name}, {money(request.amount, request.currency)}",
                body=lambda: gettext("%(partner)s. Due %(moment)s.") % {"partner": request.partner_name, "moment": moment(due_at)},
                path=f"/approvals/{request.pk}/"),
        people=people, now=now, leaves_at=leaves_at,
    )  # fmt: skip


def refresh_due(request: Request) -> None:
    """A request is due when the first of its running steps is."""
    running = [step.due_at for step in request.steps.filter(status=StepStatus.PENDING) if step.due_at]
    if running:
        request.due_at = min(running)
    request.save(update_fields=["due_at", "current_step"])


def end(request: Request, *, now: datetime) -> None:
    """Stop the timers of a request that is settled, and put aside what was not reached."""
    steps = list(request.steps.all())
    cancel_timers(steps)
    request.steps.filter(status__in=[StepStatus.WAITING, StepStatus.PENDING]).update(status=StepStatus.SKIPPED)


def cancel_timers(gone: Sequence[Step]) -> None:
    """Cancel what was to happen if nobody answered in these steps."""
    keys = [f"step:{step.pk}:{level}" for step in gone for level in range(len(step.levels["levels"]))]
    for kind in TIMERS:
        due.cancel(kind=kind, keys=keys)


def revive_timers(running: Sequence[Step]) -> None:
    """Have happen again, at its time, what was cancelled for the present levels of these steps."""
    for kind in TIMERS:
        due.revive(kind=kind, keys=[f"step:{step.pk}:{step.level}" for step in running])

"""The steps of a request: copied from the policy, begun one position after the other, escalated level by level."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext, gettext_noop

from apps.accounts.models import Role, User
from apps.approvals import reasons
from apps.approvals.models import Assignment, Request, Step, StepStatus
from apps.approvals.policies import approvers, policy
from apps.approvals.requests import delegation, permissions
from apps.approvals.transitions import STEPS
from apps.audit import trail
from apps.core import actor, sentences
from apps.core.words import moment, money
from apps.notifications.notify import Message, notify
from apps.timers import due, sla

MACHINE = actor.system("pipeline")
TIMERS = ("approvals.escalate", "approvals.remind")


def lay_out(request: Request, places: Sequence[int]) -> list[Step]:
    """Copy the steps at ``places`` of the policy's version into the request: a later version changes none that runs."""
    rules: list[dict[str, Any]] = list(policy.usable_rules(request.policy)["steps"])
    return Step.objects.bulk_create(
        [
            Step(
                request=request,
                position=position_of(rules, place),
                rule=place,
                name=rules[place]["name"],
                needs_all=bool(rules[place].get("needs_all")),
                levels={"levels": rules[place]["levels"], "fallback": rules[place]["fallback"]},
            )
            for place in places
        ]
    )


def position_of(rules: Sequence[dict[str, Any]], place: int) -> int:
    """Return the position of a policy's step: the one it names, else its number in the policy."""
    return int(rules[place].get("position", place + 1))


def begin_next(request: Request, *, now: datetime, leaves_at: datetime | None = None, why: str = "") -> bool:
    """Begin the steps of the next position; False where there is none left, and the request is through.

    Who is asked hears of it from ``leaves_at`` on, where what led here can still be taken back; ``why`` they are asked anew.
    """
    waiting = list(request.steps.filter(status=StepStatus.WAITING).order_by("position", "id"))
    if not waiting:
        return False
    position = waiting[0].position
    for step in waiting:
        if step.position == position:
            STEPS.make("begin", step)
            step.save(update_fields=["status"])
            begin_level(request, step, 0, now=now, leaves_at=leaves_at, why=why)
    request.current_step = position
    refresh_due(request)
    return True


def begin_level(
    request: Request,
    step: Step,
    level: int,
    *,
    word: str = "asked",
    now: datetime,
    leaves_at: datetime | None = None,
    why: str = "",
) -> list[User]:
    """Ask the people of ``level``, or of the first one after it where somebody may decide; whom.

    Where nobody in the whole chain may decide, administrators are asked, so that no request waits for nobody. Nobody is
    asked who has decided another step.

    Args:
        why: why they are asked anew, in English as it is kept.
    """
    levels = step.levels["levels"]
    asked: list[User] = []
    while level < len(levels):
        asked = can_be_asked(request, step, level)
        if asked:
            break
        level += 1
    if not asked:
        level, why = len(levels) - 1, sentences.in_english(reasons.NOBODY_ELSE)
        asked = administrators(request, step)
        trail.record(
            trail.Event(
                action="approval.administrators_asked",
                actor=MACHINE,
                subject=f"approval:{request.pk}",
                data={"step": step.name, "asked": [str(user) for user in asked]},
                about=(request.connection_id, request.company_id),
            ),
            now=now,
        )
    rule = levels[level]
    cancel_timers([step])
    step.level = level
    team = approvers.team_of(rule["ask"])
    step.due_at = sla.due_after(timedelta(minutes=rule["within_minutes"]), start=now, team=team)
    step.save(update_fields=["level", "due_at"])
    Assignment.objects.bulk_create([Assignment(step=step, user=user, level=level) for user in asked], ignore_conflicts=True)
    deputies = delegation.replace_absent(request, step, now=now)
    asked = [deputies.get(user.pk, user) for user in asked]
    due.set_timer(kind="approvals.escalate", key=f"step:{step.pk}:{level}", due_at=step.due_at, now=now)
    if rule.get("remind_after_minutes"):
        remind_at = sla.due_after(timedelta(minutes=rule["remind_after_minutes"]), start=now, team=team)
        due.set_timer(kind="approvals.remind", key=f"step:{step.pk}:{level}", due_at=remind_at, now=now)
    # Asked anew, they are told anew, though they were told of the same step and level before.
    is_anew = request.facts_changed_at or step.assignments.exclude(lapsed_at=None).exists()
    key = f"{step.pk}:{level}@{int(now.timestamp())}" if is_anew else f"{step.pk}:{level}"
    ask(request, asked, word=word, key=key, due_at=step.due_at, now=now, leaves_at=leaves_at, why=why)
    return asked


def can_be_asked(request: Request, step: Step, level: int) -> list[User]:
    """Return the people of a level who may decide now, without those who have answered in this step already."""
    asked = approvers.can_be_asked(step.levels["levels"][level]["ask"], request)
    may = [user for user in asked if not permissions.decided_step(request, step, user)]
    return _without_answer(step, may)


def administrators(request: Request, step: Step) -> list[User]:
    """Return the administrators who may decide where nobody of the levels may."""
    admins = User.objects.filter(role=Role.ADMIN, is_active=True).order_by("pk")
    return _without_answer(step, [user for user in admins if not permissions.obstacle(request, step, user)])


def ask_more(request: Request, step: Step, people: Sequence[User], *, level: int, now: datetime) -> list[User]:
    """Ask further people of a level that has begun; whom, once the absent are replaced. The step's time stays as it is."""
    Assignment.objects.bulk_create([Assignment(step=step, user=user, level=level) for user in people], ignore_conflicts=True)
    deputies = delegation.replace_absent(request, step, now=now)
    asked = [deputies.get(user.pk, user) for user in people]
    key = f"{step.pk}:{level}@{int(now.timestamp())}"
    ask(request, asked, word="asked", key=key, due_at=step.due_at or now, now=now)
    return asked


def undecided(request: Request) -> set[int]:
    """Return the ids of the assignments that wait for an answer."""
    waiting = Assignment.objects.filter(step__request=request, is_active=True, decision="", lapsed_at=None)
    return set(waiting.values_list("pk", flat=True))


def _without_answer(step: Step, people: Sequence[User]) -> list[User]:
    """Return ``people`` without those who have answered in this step, or have handed it on."""
    rows = step.assignments.filter(lapsed_at=None).exclude(decision="", is_active=True)
    said = set(rows.values_list("user_id", flat=True))
    return [user for user in people if user.pk not in said]


def is_answered(step: Step) -> bool:
    """Return whether the answers that still count are all that the step wants."""
    if not step.assignments.filter(decision="approved", lapsed_at=None).exists():
        return False
    undecided = step.assignments.filter(is_active=True, decision="", level=step.level)
    return not (step.needs_all and undecided.exists())


def ask(
    request: Request,
    people: Sequence[User],
    *,
    word: str,
    key: str,
    due_at: datetime,
    now: datetime,
    leaves_at: datetime | None = None,
    why: str = "",
) -> None:
    """Tell ``people`` that their word is wanted by ``due_at``: ``word`` is asked, reminded or escalated; ``why`` asked anew."""
    openings = {
        "asked": gettext_noop("Your decision"),
        "reminded": gettext_noop("Waiting for you"),
        "escalated": gettext_noop("Escalated to you"),
    }
    notify(
        Message(
            kind=f"approval.{word}",
            key=f"approval:{request.pk}:{word}:{key}",
            about=(request.connection_id, request.company_id),
            title=lambda: f"{gettext(openings[word])}: {request.record_name}, {money(request.amount, request.currency)}",
            body=lambda: " ".join(
                part
                for part in (
                    gettext("%(partner)s. Due %(moment)s.") % {"partner": request.partner_name, "moment": moment(due_at)},
                    f"{reasons.told(why)}." if why else "",
                )
                if part
            ),
            path=f"/approvals/{request.pk}/",
        ),
        people=people,
        now=now,
        leaves_at=leaves_at,
    )


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
    STEPS.make_all("skip", request.steps.all())


def cancel_timers(gone: Sequence[Step]) -> None:
    """Cancel what was to happen if nobody answered in these steps."""
    keys = [f"step:{step.pk}:{level}" for step in gone for level in range(len(step.levels["levels"]))]
    for kind in TIMERS:
        due.cancel(kind=kind, keys=keys)


def revive_timers(running: Sequence[Step]) -> None:
    """Have happen again, at its time, what was cancelled for the present levels of these steps."""
    for kind in TIMERS:
        due.revive(kind=kind, keys=[f"step:{step.pk}:{step.level}" for step in running])

"""What happens to requests when nobody answers: a reminder, the next level, at last the fallback."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext, gettext_noop

from apps.accounts.models import Role, User
from apps.approvals import reasons, step_names
from apps.approvals.models import Request, Status, Step, StepStatus
from apps.approvals.requests import closing, steps
from apps.audit import trail
from apps.core import actor, sentences
from apps.core.actor import Actor
from apps.core.words import money
from apps.notifications.notify import Message, notify
from apps.timers import due
from apps.timers.models import Timer

MACHINE = actor.system("timers")
IN_TIME = gettext_noop("%(silent)s did not answer in time; now assigned to: %(asked)s.")
AT_ONCE = gettext_noop("%(by)s did not wait for %(silent)s; now assigned to: %(asked)s.")


def _running(timer: Timer) -> tuple[Request, Step, int] | None:
    """The step that the timer was set for, if it still runs at that level. Locks the request first, as people do."""
    _, step_id, level = timer.key.split(":")
    found = Step.objects.filter(pk=int(step_id)).values_list("request_id", flat=True).first()
    if found is None:
        return None
    request = Request.objects.select_for_update().get(pk=found)
    step = request.steps.get(pk=int(step_id))
    if request.status != Status.PENDING or step.status != StepStatus.PENDING or step.level != int(level):
        return None
    return request, step, int(level)


@due.handles("approvals.remind")
def remind(timers: Sequence[Timer], now: datetime) -> None:
    """Remind those who were asked and have not answered."""
    for timer in timers:
        running = _running(timer)
        if running is None:
            continue
        request, step, level = running
        asked = [row.user for row in step.assignments.filter(is_active=True, decision="").select_related("user")]
        step.reminded_at = now
        step.save(update_fields=["reminded_at"])
        # A level that began anew since reminds anew.
        key = f"{step.pk}:{level}@{int(now.timestamp())}" if request.facts_changed_at else f"{step.pk}:{level}"
        steps.ask(request, asked, word="reminded", key=key, due_at=step.due_at or now, now=now)
        trail.record(
            trail.Event(
                action="approval.reminded",
                actor=MACHINE,
                subject=f"approval:{request.pk}",
                data={"step": step.name, "asked": [str(user) for user in asked]},
                about=(request.connection_id, request.company_id),
            ),
            now=now,
        )
        closing.announce(request)


@due.handles("approvals.escalate")
def escalate(timers: Sequence[Timer], now: datetime) -> None:
    """Ask the next level; where there is none, the policy's fallback."""
    for timer in timers:
        running = _running(timer)
        if running is None:
            continue
        request, step, level = running
        if level + 1 < len(step.levels["levels"]):
            to_next_level(request, step, by=MACHINE, now=now)
        else:
            _fall_back(request, step, now)


def to_next_level(request: Request, step: Step, *, by: Actor, now: datetime) -> list[User]:
    """Ask the people of the next level instead of those who have not answered; whom. The caller holds the request's row lock."""
    silent = [row.user for row in step.assignments.filter(is_active=True, decision="").select_related("user")]
    request.escalated_at = now
    request.save(update_fields=["escalated_at"])
    asked = steps.begin_level(request, step, step.level + 1, word="escalated", now=now)
    steps.refresh_due(request)
    trail.record(
        trail.Event(
            action="approval.escalated",
            actor=by,
            subject=f"approval:{request.pk}",
            data={
                "step": step.name,
                "level": step.level,
                "from": [str(user) for user in silent],
                "to": [str(user) for user in asked],
            },
            about=(request.connection_id, request.company_id),
        ),
        now=now,
    )
    people, addresses = closing.account_owner(request)
    notify(
        Message(
            kind="approval.escalation",
            key=f"approval:{request.pk}:escalation:{step.pk}:{step.level}",
            about=(request.connection_id, request.company_id),
            title=lambda: (
                gettext("Escalated: %(record)s, %(amount)s")
                % {"record": request.record_name, "amount": money(request.amount, request.currency)}
            ),
            body=lambda: (
                gettext(IN_TIME if by == MACHINE else AT_ONCE)
                % {"by": by.name, "silent": ", ".join(map(str, silent)), "asked": ", ".join(map(str, asked))}
            ),
            path=f"/approvals/{request.pk}/",
        ),
        people=[*silent, *people],
        addresses=addresses,
        now=now,
    )
    closing.announce(request)
    return asked


def _fall_back(request: Request, step: Step, now: datetime) -> None:
    fallback = step.levels["fallback"]
    status = Status.REJECTED if fallback == "reject" else Status.EXPIRED
    closing.close_request(
        request,
        status,
        by=MACHINE,
        reason=sentences.in_english(reasons.NOBODY_ANSWERED, step=step_names.part_of_sentence(step.name)),
        now=now,
    )
    managers = list(User.objects.filter(role__in=[Role.MANAGER, Role.ADMIN], is_active=True))
    notify(
        Message(
            kind="approval.fell_back",
            key=f"approval:{request.pk}:fallback",
            about=(request.connection_id, request.company_id),
            title=lambda: (
                gettext("Not decided in time: %(record)s, %(amount)s")
                % {"record": request.record_name, "amount": money(request.amount, request.currency)}
            ),
            body=lambda: gettext(
                "Not decided in time; the record stays held in Odoo. Request approval again, or follow up yourself."
            ),
            path=f"/approvals/{request.pk}/",
        ),
        people=managers,
        now=now,
    )

"""Reminding those who have to decide, or asking the next level at once, because somebody waits for it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext

from apps.accounts import permissions as roles
from apps.accounts.models import User
from apps.approvals.errors import AlreadyDecidedError, DecisionRefusedError, SegregationError
from apps.approvals.models import Request, Status, Step, StepStatus
from apps.approvals.requests import closing, permissions, steps, timers
from apps.approvals.requests.locking import locked
from apps.audit import trail
from apps.core.transactions import atomic_with_retry

# Nobody is reminded of the same more often than that.
AT_LEAST = timedelta(hours=1)


def to_remind(request: Request, *, now: datetime) -> list[tuple[Step, list[User]]]:
    """Return the running steps whose people have not answered, and were not reminded lately; none where it was just asked."""
    if request.status != Status.PENDING or now < request.requested_at + AT_LEAST:
        return []
    running = request.steps.filter(status=StepStatus.PENDING).order_by("position", "id")
    found = [(step, _silent(step)) for step in running if step.reminded_at is None or now >= step.reminded_at + AT_LEAST]
    return [(step, people) for step, people in found if people]


def _silent(step: Step) -> list[User]:
    rows = step.assignments.filter(is_active=True, decision="", lapsed_at=None).select_related("user").order_by("id")
    return [row.user for row in rows]


@atomic_with_retry
def chase(request_id: int, *, by: User, now: datetime) -> Sequence[User]:
    """Remind those who have to decide; whom.

    Raises:
        NotAllowedError: this person may not work exceptions.
        AlreadyDecidedError: it no longer waits.
        DecisionRefusedError: they were reminded a moment ago, or nobody is asked.
    """
    roles.check_may_work_exceptions(by)
    request = locked(request_id)
    if request.status != Status.PENDING:
        raise AlreadyDecidedError(permissions.settled_sentence(request) + ".")
    waiting = to_remind(request, now=now)
    if not waiting:
        raise DecisionRefusedError(
            gettext("%(record_name)s: those who decide were asked or reminded less than an hour ago.")
            % {"record_name": request.record_name}
        )
    reminded: list[User] = []
    for step, people in waiting:
        step.reminded_at = now
        step.save(update_fields=["reminded_at"])
        key = f"{step.pk}:{step.level}:chased@{int(now.timestamp())}"
        steps.ask(request, people, word="reminded", key=key, due_at=step.due_at or now, now=now)
        trail.record(
            trail.Event(
                action="approval.reminded",
                actor=by.actor,
                subject=f"approval:{request.pk}",
                data={"step": step.name, "asked": [str(user) for user in people]},
                about=(request.connection_id, request.company_id),
            ),
            now=now,
        )
        reminded += people
    closing.announce(request)
    return reminded


def can_go_up(request: Request) -> list[Step]:
    """Return the running steps whose policy has another level to ask."""
    if request.status != Status.PENDING or request.paused_at:
        return []
    running = request.steps.filter(status=StepStatus.PENDING).order_by("position", "id")
    return [step for step in running if step.level + 1 < len(step.levels["levels"])]


@atomic_with_retry
def ask_next_level(request_id: int, *, by: User, now: datetime) -> Sequence[User]:
    """Ask the next level of each running step that has one, instead of waiting until the present one is over; whom.

    Raises:
        NotAllowedError: this person may not make policies, or would be asked: nobody brings a decision to their own desk.
        AlreadyDecidedError: it no longer waits.
        DecisionRefusedError: policy has no further level.
    """
    roles.check_may_make_policy(by)
    request = locked(request_id)
    if request.status != Status.PENDING:
        raise AlreadyDecidedError(permissions.settled_sentence(request) + ".")
    above = can_go_up(request)
    if not above:
        raise DecisionRefusedError(
            gettext("%(record_name)s: the policy has no further level to ask.") % {"record_name": request.record_name}
        )
    asked = [user for step in above for user in timers.to_next_level(request, step, by=by.actor, now=now)]
    if by in asked:
        raise SegregationError(
            gettext("You would be asked yourself; someone else must bring %(record_name)s on.")
            % {"record_name": request.record_name}
        )
    return asked

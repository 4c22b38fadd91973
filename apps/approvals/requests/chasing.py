"""Reminding those who have to decide, because somebody waits for it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext

from apps.accounts import permissions as roles
from apps.accounts.models import User
from apps.approvals.errors import AlreadyDecidedError, DecisionRefusedError
from apps.approvals.models import Request, Status, Step, StepStatus
from apps.approvals.requests import closing, permissions, steps
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

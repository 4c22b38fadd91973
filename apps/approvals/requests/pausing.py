"""Stopping and restarting the time that those who decide have, while a request waits for somebody else."""

from datetime import datetime

from apps.approvals.models import Request, StepStatus
from apps.approvals.policies import approvers
from apps.approvals.requests import steps
from apps.core import actor
from apps.timers import due, sla

MACHINE = actor.system("pipeline")


def pause(request: Request, *, now: datetime) -> None:
    """Stop reminders and escalation; what is left of the time is kept. The caller holds the request's row lock."""
    steps.cancel_timers(list(request.steps.filter(status=StepStatus.PENDING)))
    request.paused_at = now
    request.save(update_fields=["paused_at"])


def resume(request: Request, *, now: datetime) -> None:
    """Let the time run on: each running step has as much working time left as when it was stopped."""
    stopped = request.paused_at
    if stopped is None:
        return
    for step in request.steps.filter(status=StepStatus.PENDING):
        team = approvers.team_of(step.levels["levels"][step.level]["ask"])
        key = f"step:{step.pk}:{step.level}"
        for kind in steps.TIMERS:
            was_due = due.last_cancelled(kind=kind, key=key)
            if was_due is None or (kind == "approvals.remind" and was_due <= stopped):
                continue
            left = sla.time_between(stopped, was_due, team=team)
            due.set_timer(kind=kind, key=key, due_at=sla.due_after(left, start=now, team=team), now=now)
        if step.due_at:
            left = sla.time_between(stopped, step.due_at, team=team)
            step.due_at = sla.due_after(left, start=now, team=team)
            step.save(update_fields=["due_at"])
    request.paused_at = None
    request.save(update_fields=["paused_at"])
    steps.refresh_due(request)

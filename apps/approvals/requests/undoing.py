"""Taking a decision back in the seconds before anything is told, to Odoo or to people.

The decision is recorded at once. What follows from it lies in the outbox and among the messages with a time before which
it does not leave, so a crash loses neither the decision nor the chance to undo it. Of an undo and the worker that carries
the decision out one wins: both change the same rows under conditions.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext, gettext_noop

from apps.accounts.models import User
from apps.approvals.errors import AlreadyDecidedError
from apps.approvals.models import Assignment, Request, Status, Step, StepStatus
from apps.approvals.requests import closing, moves, steps
from apps.approvals.requests.locking import locked
from apps.approvals.transitions import REQUESTS, STEPS
from apps.audit import trail
from apps.core import sentences
from apps.core.transactions import atomic_with_retry
from apps.intake import refresh_requests
from apps.notifications.notify import withdraw
from apps.outbox import enqueue

# To see it and press; one second more for the way of a press on a phone.
SHOWN_FOR = timedelta(seconds=settings.UNDO_SECONDS)
UNDO_FOR = SHOWN_FOR + timedelta(seconds=1)
UNDONE = gettext_noop("The decision was undone before it was sent")


def was_undone() -> Q:
    """The commands of decisions that were undone. Of what ended before that was stored, the words tell."""
    return Q(is_undone=True) | Q(is_undone=None, problem__in=sentences.wordings_of(UNDONE))


def undoable(request: Request, user: User, *, now: datetime) -> Assignment | None:
    """The person's decision on the request that they may still take back, if there is one."""
    own = Assignment.objects.filter(step__request=request, user=user, undo_until__gt=now, lapsed_at=None)
    return own.exclude(decision="").first()


@atomic_with_retry
def undo(request_id: int, *, by: User, now: datetime) -> Request:
    """Take back one's own decision: the request waits again as it did before.

    Raises:
        AlreadyDecidedError: it is too late, or there is nothing of this person to take back.
    """
    request = locked(request_id)
    said = undoable(request, by, now=now)
    if said is None:
        raise AlreadyDecidedError(
            gettext("Too late to undo: %(record_name)s has been sent to Odoo.") % {"record_name": request.record_name}
        )
    if request.status != Status.PENDING:
        _reopen(request, said)
    elif not _undo_next_step(request, said):
        raise AlreadyDecidedError(
            gettext("A later step has already been decided; %(record_name)s continues from there.")
            % {"record_name": request.record_name}
        )
    changed = (
        Assignment.objects.filter(pk=said.pk, undo_until__gt=now, lapsed_at=None)
        .exclude(decision="")
        .update(decision="", decided_at=None, undo_until=None, reason="", decided_on=None)
    )
    if changed != 1:
        raise AlreadyDecidedError(
            gettext("Too late to undo: %(record_name)s has been sent to Odoo.") % {"record_name": request.record_name}
        )
    _go_on(request, said.step)
    _ask_again_beside(request, said)
    withdraw(f"approval:{request.pk}:")
    trail.record(
        trail.Event(
            action="approval.undone",
            actor=by.actor,
            subject=f"approval:{request.pk}",
            data={"step": said.step.name, "decision": said.decision, "reason": said.reason},
            about=(request.connection_id, request.company_id),
        ),
        now=now,
    )
    # What changed in Odoo while it was settled changed nothing here: it is looked at now.
    refresh_requests.add(
        connection_id=request.connection_id, model=request.model, odoo_ids=[request.odoo_id], source="undo", now=now
    )
    closing.announce(request)
    return request


def _reopen(request: Request, said: Assignment) -> None:
    """Make a settled request pending again, if nothing of it has left and no other has taken its place."""
    of_it = {"connection": request.connection_id, "model": request.model, "odoo_id": request.odoo_id, "kind": request.kind}
    if request.decided_at != said.decided_at or request.decided_by_id != said.user_id:
        raise AlreadyDecidedError(gettext("%(record_name)s was closed by a later decision.") % {"record_name": request.record_name})
    if Request.objects.filter(**of_it, status=Status.PENDING).exists():
        raise AlreadyDecidedError(
            gettext("A newer request for %(record_name)s is pending; decide that one.") % {"record_name": request.record_name}
        )
    made_at = request.decided_at
    assert made_at is not None
    if not enqueue.withdraw_all(f"approval:{request.pk}", made_at=made_at, because=sentences.in_english(UNDONE)):
        raise AlreadyDecidedError(
            gettext("Too late: the decision on %(record_name)s is being sent to Odoo.") % {"record_name": request.record_name}
        )
    REQUESTS.make("undo", request)
    request.decided_at, request.decided_by, request.reason = None, None, ""
    request.save(update_fields=["status", "decided_at", "decided_by", "reason"])


def _undo_next_step(request: Request, said: Assignment) -> bool:
    """Send the steps that began because of the decision back to waiting; False where somebody has answered in them."""
    step = said.step
    later = request.steps.filter(position__gt=step.position, is_required=True)
    # What was answered before the decision, and kept when the facts changed, did not begin because of it.
    said_since = Assignment.objects.filter(step__in=later, lapsed_at=None, decided_at__gte=said.decided_at).exclude(decision="")
    if said_since.exists():
        return False
    begun = list(later.exclude(status__in=[StepStatus.WAITING, StepStatus.APPROVED]))
    Assignment.objects.filter(step__in=begun, decision="", lapsed_at=None).delete()
    steps.cancel_timers(begun)
    begun_rows = request.steps.filter(pk__in=[one.pk for one in begun])
    STEPS.make_all("undo", begun_rows, to=StepStatus.WAITING, due_at=None, level=0)
    return True


def _go_on(request: Request, step: Step) -> None:
    """Have the steps of the decided position run again, and the later ones wait, with their timers."""
    put_aside = request.steps.filter(status=StepStatus.SKIPPED, is_required=True)
    STEPS.make_all("undo", put_aside.filter(position__gt=step.position), to=StepStatus.WAITING)
    STEPS.make_all("undo", put_aside.filter(position=step.position), to=StepStatus.PENDING)
    STEPS.make_all("undo", request.steps.filter(pk=step.pk), to=StepStatus.PENDING)
    request.current_step = step.position
    steps.refresh_due(request)
    if request.paused_at:
        return  # it waits for changes again
    steps.revive_timers(list(request.steps.filter(status=StepStatus.PENDING)))


def _ask_again_beside(request: Request, said: Assignment) -> None:
    """Ask the person again in the steps beside, where they were no longer asked because of the decision.

    Those who were asked in their place because of it are asked no longer, unless they have answered.
    """
    running = request.steps.filter(status=StepStatus.PENDING)
    lapsed = Assignment.objects.filter(step__in=running, user=said.user_id, decision="", lapsed_at=said.decided_at)
    for row in lapsed.select_related("step"):
        if Assignment.objects.filter(step=row.step_id, user=said.user_id, lapsed_at=None).exists():
            continue
        instead = (said.decided_on or {}).get(moves.ASKED_INSTEAD, [])
        Assignment.objects.filter(pk__in=instead, step=row.step_id, decision="", lapsed_at=None).delete()
        row.lapsed_at, row.lapsed_because, row.lapse_sentence, row.is_active = None, "", None, True
        row.save(update_fields=["lapsed_at", "lapsed_because", "lapse_sentence", "is_active"])
        if row.step.level > row.level and not row.step.assignments.filter(lapsed_at=None, level__gt=row.level).exists():
            steps.cancel_timers([row.step])
            row.step.level = row.level
            row.step.save(update_fields=["level"])
            steps.revive_timers([row.step])

"""Move exceptions from the queue: one at once, thousands as a job, and undo either.

A job is rows in the database: whichever worker is awake does a chunk of them in one transaction, so one that dies loses
nothing and nothing is done twice. Each exception has a result of its own; what could not be done says why.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection as database
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext, gettext_noop

from apps.accounts import access, permissions
from apps.accounts.models import Team, User
from apps.core.refusals import Refusal
from apps.core.transactions import atomic_with_retry
from apps.core.wake import wake
from apps.exceptions import types
from apps.exceptions.cases import cause_groups, moves
from apps.exceptions.cases.moves import Change, Made, MoveRefusedError
from apps.exceptions.models import BulkJob, BulkJobItem, ExceptionCase, JobState, Outcome, Status
from apps.exceptions.transitions import BULK_JOB_ITEMS, BULK_JOBS, transitions_of
from apps.notifications.notify import Message, notify
from apps.timers import due

CHUNK = 200
# More than anybody looks through, and still done within minutes.
MOST = 50_000
# Whoever moved an exception may undo it within this time, as long as nobody has moved it since.
UNDONE_WITHIN = timedelta(days=1)

DONE = {
    "assign": gettext_noop("assigned"),
    "acknowledge": gettext_noop("acknowledged"),
    "snooze": gettext_noop("snoozed"),
    "resolve": gettext_noop("resolved"),
}


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Count the items of a job by outcome."""

    done: int
    refused: int
    undone: int
    kept: int
    waiting: int


def change_for(move: str, arguments: Mapping[str, Any], *, by: User, now: datetime) -> Change:
    """Return the change that a move makes, with its arguments.

    Raises NotAllowedError, MoveRefusedError: it cannot be made by this person, or not with these arguments.
    """
    permissions.check_may_work_exceptions(by, of_integration=True)
    if move == "acknowledge":
        return moves.acknowledging(by)
    if move == "snooze":
        return moves.snoozing(datetime.fromisoformat(arguments["until"]), now=now)
    if move == "resolve":
        return moves.resolving(arguments["resolution"], now=now)
    if move == "assign":
        owner = User.objects.filter(pk=arguments["owner"]).first() if arguments.get("owner") else None
        team = Team.objects.filter(pk=arguments["team"]).first() if arguments.get("team") else None
        return moves.assigning(owner, team, arguments.get("note", ""))
    raise MoveRefusedError(gettext("There is no action %(move)s.") % {"move": move})


@atomic_with_retry
def do_one(case_id: int, *, move: str, arguments: Mapping[str, Any], by: User, now: datetime, seen: str = "") -> BulkJob:
    """Move one exception now.

    Raises NotAllowedError, MoveRefusedError.
    """
    change = change_for(move, arguments, by=by, now=now)
    made = moves.make(change, [case_id], by=by, now=now, seen={case_id: seen} if seen else None)[0]
    if made.refusal is not None:
        raise made.refusal
    job = BulkJob.objects.create(
        by=by, move=move, arguments=dict(arguments), state=JobState.DONE, total=1, created_at=now, ended_at=now
    )
    BulkJobItem.objects.create(job=job, case_id=case_id, outcome=Outcome.DONE, before=made.before, after=made.after)
    _notify_owner(job, change, made, now=now)
    return job


@atomic_with_retry
def begin(
    cases: QuerySet[ExceptionCase],
    *,
    move: str,
    arguments: Mapping[str, Any],
    by: User,
    now: datetime,
    groups: Sequence[int] = (),
) -> BulkJob:
    """Begin a job that moves all of ``cases`` that are not resolved; a worker starts once this is committed.

    Args:
        groups: the cause groups that are meant as a whole; an owner of their exceptions owns them, and what joins them later.

    Raises NotAllowedError, MoveRefusedError (also where there are none, or more than :data:`MOST`).
    """
    change = change_for(move, arguments, by=by, now=now)
    chosen = cases.exclude(status=Status.RESOLVED).order_by().values("id")[: MOST + 1]
    job = BulkJob.objects.create(by=by, move=move, arguments=dict(arguments), total=0, created_at=now)
    # A view that names what there is not is known to hold nothing without being asked for.
    with suppress(EmptyResultSet), database.cursor() as cursor:
        sql, values = chosen.query.sql_with_params()
        cursor.execute(
            "INSERT INTO exceptions_bulkjobitem (job_id, case_id, outcome, reason, before, after)"
            f" SELECT %s, chosen.id, '', '', '{{}}', '{{}}' FROM ({sql}) AS chosen",
            [job.pk, *values],
        )
        job.total = cursor.rowcount
    if not 0 < job.total <= MOST:
        raise MoveRefusedError(
            gettext("Choose at least one that is not resolved.")
            if job.total == 0
            else gettext("More than %(MOST)s selected. Narrow the view first.") % {"MOST": f"{MOST:,}"}
        )
    job.save(update_fields=["total"])
    if move == "assign" and groups:
        cause_groups.assign(groups, owner=change.owner, by=by, now=now)
    wake("exceptions.work")
    return job


def work(*, now: datetime) -> bool:
    """Work off one chunk of a waiting job in one transaction. Return True if there may be more. Safe beside other workers."""
    with transaction.atomic():
        job = (
            BulkJob.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("by")
            .filter(state__in=[JobState.WAITING, JobState.UNDOING])
            .order_by("created_at")
            .first()
        )
        if job is None:
            return False
        if job.state == JobState.WAITING:
            _do_chunk(job, now=now)
        else:
            _undo_chunk(job, now=now)
    return True


def _do_chunk(job: BulkJob, *, now: datetime) -> None:
    items = {item.case_id: item for item in job.items.filter(outcome=Outcome.WAITING).order_by("case_id")[:CHUNK]}
    try:
        change = change_for(job.move, job.arguments, by=job.by, now=now)
        made = moves.make(change, list(items), by=job.by, now=now)
    except Refusal as error:
        # What was allowed when it was asked for is not any more.
        change, made = None, [Made(case_id=case_id, case=None, refusal=error) for case_id in items]
    for one in made:
        item = items[one.case_id]
        BULK_JOB_ITEMS.make("refuse" if one.refused else "do", item)
        item.reason, item.before, item.after = one.refused[:400], dict(one.before), dict(one.after)
    BulkJobItem.objects.bulk_update(items.values(), ["outcome", "reason", "before", "after"])
    if len(items) < CHUNK:
        BULK_JOBS.make("finish", job)
        job.ended_at = now
        job.save(update_fields=["state", "ended_at"])
        done = progress(job).done
        if change is not None and change.owner is not None and change.owner != job.by and done:
            message = Message(
                kind="exception.assigned",
                key=f"bulk-job:{job.pk}",
                about=None,
                title=lambda: gettext("%(by)s assigned you %(n)s exceptions") % {"by": job.by, "n": done},
                body=str(change.data.get("note", "")),
                path="/exceptions/?owner=me",
            )
            notify(message, people=[change.owner], now=now)


def _notify_owner(job: BulkJob, change: Change, made: Made, *, now: datetime) -> None:
    case = made.case
    if change.owner is None or change.owner == job.by or case is None:
        return
    message = Message(
        kind="exception.assigned",
        key=f"bulk-job:{job.pk}",
        about=moves.about(case),
        title=lambda: (
            gettext("%(by)s assigned you %(record)s: %(type)s")
            % {"by": job.by, "record": case.record_name, "type": types.title_of(case.type)}
        ),
        body=str(change.data.get("note", "")),
        path=f"/exceptions/{case.pk}/",
    )
    notify(message, people=[change.owner], now=now)


@atomic_with_retry
def undo(job_id: UUID, *, by: User, now: datetime) -> BulkJob:
    """Undo a job of ``by``: one exception at once, many by a worker. What was moved since stays as it is.

    Raises MoveRefusedError: it is not theirs, it still runs, it was undone already, or it is too long ago; or, of one
    exception, it has been moved since.
    """
    job = BulkJob.objects.select_for_update(of=("self",)).select_related("by").filter(pk=job_id, by=by).first()
    if job is None:
        raise MoveRefusedError(gettext("There is no such action of yours to undo."))
    if job.state != JobState.DONE:
        raise MoveRefusedError(gettext("Still running.") if job.state == JobState.WAITING else gettext("It was undone already."))
    if now - job.created_at > UNDONE_WITHIN:
        raise MoveRefusedError(gettext("Undo is possible for one day only. Change the exceptions individually."))
    BULK_JOBS.make("undo", job)
    job.ended_at = None
    job.save(update_fields=["state", "ended_at"])
    if job.total == 1:
        _undo_chunk(job, now=now)
        kept = job.items.filter(outcome=Outcome.KEPT).first()
        if kept is not None:
            raise MoveRefusedError(kept.reason)
    else:
        wake("exceptions.work")
    return job


def _undo_chunk(job: BulkJob, *, now: datetime) -> None:
    items = {item.case_id: item for item in job.items.filter(outcome=Outcome.DONE).order_by("case_id")[:CHUNK]}
    locked = ExceptionCase.objects.select_for_update(of=("self",)).select_related("connection", "team", "owner")
    cases = {case.pk: case for case in locked.filter(id__in=items).order_by("id")}
    back = []
    for case_id, item in items.items():
        case = cases[case_id]
        item.reason = _cannot_be_undone(case, item, job.by)
        BULK_JOB_ITEMS.make("keep" if item.reason else "undo", item)
        if not item.reason:
            _restore(case, item.before, now=now)
            back.append(case)
    _reset_timers(back, now=now)
    moves.save(back, action="exception.undone", data={"job": str(job.pk), "move": job.move}, by=job.by, now=now)
    BulkJobItem.objects.bulk_update(items.values(), ["outcome", "reason"])
    if len(items) < CHUNK:
        BULK_JOBS.make("finish_undo", job)
        job.ended_at = now
        job.save(update_fields=["state", "ended_at"])


def _cannot_be_undone(case: ExceptionCase, item: BulkJobItem, by: User) -> str:
    if not access.scope_of(by).sees(*moves.about(case)):
        return gettext("There is no exception %(case_id)s.") % {"case_id": case.pk}
    if moves.taken_down(case) != item.after:
        return gettext("%(record_name)s has changed since and stays %(status)s.") % {
            "record_name": case.record_name,
            "status": case.get_status_display().lower(),
        }
    if case.status == Status.RESOLVED and _has_opened_anew(case):
        return gettext("%(record_name)s: a new exception has opened meanwhile; this one stays resolved.") % {
            "record_name": case.record_name
        }
    return ""


def _has_opened_anew(case: ExceptionCase) -> bool:
    same = Q(connection=case.connection_id, model=case.model, odoo_id=case.odoo_id, type=case.type, cause=case.cause)
    return ExceptionCase.objects.filter(same).exclude(status=Status.RESOLVED).exists()


def _restore(case: ExceptionCase, before: Mapping[str, Any], *, now: datetime) -> None:
    transitions_of(case).make("undo", case, to=before["status"])
    for name, value in before.items():
        is_moment = name in ("snoozed_until", "resolved_at") and value
        setattr(case, name, datetime.fromisoformat(value) if is_moment else value)
    if case.status == Status.SNOOZED and case.snoozed_until and case.snoozed_until <= now:
        # The time it was snoozed until has come meanwhile.
        transitions_of(case).make("wake", case)
        case.snoozed_until = None
    case.updated_at, case.version = now, case.version + 1


def _reset_timers(cases: Sequence[ExceptionCase], *, now: datetime) -> None:
    for case in cases:
        if case.due_at and case.breached_at is None:
            due.set_timer(kind="exceptions.breach", key=f"exception:{case.pk}", due_at=case.due_at, now=now)


def progress(job: BulkJob) -> Progress:
    """Return how far the job is."""
    counted = dict(job.items.order_by().values_list("outcome").annotate(n=Count("id")))
    return Progress(
        done=counted.get(Outcome.DONE, 0),
        refused=counted.get(Outcome.REFUSED, 0),
        undone=counted.get(Outcome.UNDONE, 0),
        kept=counted.get(Outcome.KEPT, 0),
        waiting=counted.get(Outcome.WAITING, 0),
    )

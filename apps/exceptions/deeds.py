"""What people do to exceptions from the queue: to one at once, to thousands as a job, and taking it back.

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
from apps.core.transactions import atomic_with_retry
from apps.core.wake import wake
from apps.exceptions import moves, types
from apps.exceptions.models import Deed, DeedRow, ExceptionCase, Status
from apps.exceptions.moves import Change, Made, MoveRefusedError
from apps.notifications.notify import Message, notify
from apps.timers import due

CHUNK = 200
# More than anybody looks through, and still done within minutes.
MOST = 50_000
# What was done can be taken back by whoever did it, for as long as it still stands as they left it.
TAKEN_BACK_WITHIN = timedelta(days=1)

DONE = {
    "assign": gettext_noop("assigned"), "acknowledge": gettext_noop("acknowledged"), "snooze": gettext_noop("snoozed"),
    "resolve": gettext_noop("resolved"),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a deed is."""

    done: int
    refused: int
    taken_back: int
    kept: int
    waiting: int


def change_of(move: str, arguments: Mapping[str, Any], *, by: User, now: datetime) -> Change:
    """The move that a deed makes.

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
    raise MoveRefusedError(gettext("There is no move %(move)s.") % {"move": move})


@atomic_with_retry
def do_one(case_id: int, *, move: str, arguments: Mapping[str, Any], by: User, now: datetime, seen: str = "") -> Deed:
    """Do it to one exception now.

    Raises NotAllowedError, MoveRefusedError.
    """
    change = change_of(move, arguments, by=by, now=now)
    made = moves.make(change, [case_id], by=by, now=now, seen={case_id: seen} if seen else None)[0]
    if made.refused:
        raise moves.refusal(made)
    deed = Deed.objects.create(by=by, move=move, arguments=dict(arguments), state=Deed.State.DONE, total=1, created_at=now,
                               ended_at=now)  # fmt: skip
    DeedRow.objects.create(deed=deed, case_id=case_id, outcome=DeedRow.Outcome.DONE, before=made.before, after=made.after)
    _tell_owner(deed, change, made, now=now)
    return deed


@atomic_with_retry
def begin(cases: QuerySet[ExceptionCase], *, move: str, arguments: Mapping[str, Any], by: User, now: datetime) -> Deed:
    """Have it done to all of ``cases`` that are not resolved now; a worker begins as soon as this is committed.

    Raises NotAllowedError, MoveRefusedError (also where there are none, or more than :data:`MOST`).
    """
    change_of(move, arguments, by=by, now=now)
    chosen = cases.exclude(status=Status.RESOLVED).order_by().values("id")[: MOST + 1]
    deed = Deed.objects.create(by=by, move=move, arguments=dict(arguments), total=0, created_at=now)
    # A view that names what there is not is known to hold nothing without being asked for.
    with suppress(EmptyResultSet), database.cursor() as cursor:
        sql, values = chosen.query.sql_with_params()
        cursor.execute(
            "INSERT INTO exceptions_deedrow (deed_id, case_id, outcome, told, before, after)"
            f" SELECT %s, chosen.id, '', '', '{{}}', '{{}}' FROM ({sql}) AS chosen",
            [deed.pk, *values],
        )
        deed.total = cursor.rowcount
    if not 0 < deed.total <= MOST:
        raise MoveRefusedError(gettext("Choose at least one that is not resolved.") if deed.total == 0 else
                               gettext("These are more than %(MOST)s. Narrow the view first.") % {"MOST": f"{MOST:,}"})  # fmt: skip
    deed.save(update_fields=["total"])
    wake("exceptions.work")
    return deed


def work(*, now: datetime) -> bool:
    """Do one chunk of what waits, in one transaction; whether there may be more. Safe to call from several workers."""
    with transaction.atomic():
        deed = (
            Deed.objects.select_for_update(skip_locked=True, of=("self",)).select_related("by")
            .filter(state__in=[Deed.State.WAITING, Deed.State.TAKING_BACK]).order_by("created_at").first()
        )  # fmt: skip
        if deed is None:
            return False
        if deed.state == Deed.State.WAITING:
            _do_chunk(deed, now=now)
        else:
            _take_back_chunk(deed, now=now)
    return True


def _do_chunk(deed: Deed, *, now: datetime) -> None:
    rows = {row.case_id: row for row in deed.rows.filter(outcome=DeedRow.Outcome.WAITING).order_by("case_id")[:CHUNK]}
    try:
        change = change_of(deed.move, deed.arguments, by=deed.by, now=now)
        made = moves.make(change, list(rows), by=deed.by, now=now)
    except (permissions.NotAllowedError, MoveRefusedError) as error:
        # What was allowed when it was asked for is not any more.
        change, made = None, [Made(case_id=case_id, case=None, refused=str(error)) for case_id in rows]
    for one in made:
        row = rows[one.case_id]
        row.outcome = DeedRow.Outcome.REFUSED if one.refused else DeedRow.Outcome.DONE
        row.told, row.before, row.after = one.refused[:400], dict(one.before), dict(one.after)
    DeedRow.objects.bulk_update(rows.values(), ["outcome", "told", "before", "after"])
    if len(rows) < CHUNK:
        deed.state, deed.ended_at = Deed.State.DONE, now
        deed.save(update_fields=["state", "ended_at"])
        done = progress(deed).done
        if change is not None and change.owner is not None and change.owner != deed.by and done:
            message = Message(kind="exception.assigned", key=f"deed:{deed.pk}", about=None,
                              title=lambda: gettext("%(by)s gave you %(n)s exceptions") % {"by": deed.by, "n": done},
                              body=str(change.data.get("note", "")),
                              path="/exceptions/?owner=me")  # fmt: skip
            notify(message, people=[change.owner], now=now)


def _tell_owner(deed: Deed, change: Change, made: Made, *, now: datetime) -> None:
    case = made.case
    if change.owner is None or change.owner == deed.by or case is None:
        return
    message = Message(kind="exception.assigned", key=f"deed:{deed.pk}", about=moves.about(case),
                      title=lambda: gettext("%(by)s gave you %(record)s: %(type)s") % {
                          "by": deed.by, "record": case.record_name, "type": types.title_of(case.type)},
                      body=str(change.data.get("note", "")), path=f"/exceptions/{case.pk}/")  # fmt: skip
    notify(message, people=[change.owner], now=now)


@atomic_with_retry
def take_back(deed_id: UUID, *, by: User, now: datetime) -> Deed:
    """Take back what ``by`` did: at once for one exception, by a worker for many. What was moved since stays as it is.

    Raises MoveRefusedError: it is not theirs, it still runs, it was taken back already, or it is too long ago; or, of one
    exception, it has been moved since.
    """
    deed = Deed.objects.select_for_update(of=("self",)).select_related("by").filter(pk=deed_id, by=by).first()
    if deed is None:
        raise MoveRefusedError(gettext("You have done nothing of that number."))
    if deed.state != Deed.State.DONE:
        raise MoveRefusedError(
            gettext("It still runs.") if deed.state == Deed.State.WAITING else gettext("It was taken back already.")
        )
    if now - deed.created_at > TAKEN_BACK_WITHIN:
        raise MoveRefusedError(gettext("That is more than a day ago. Move the exceptions themselves."))
    deed.state, deed.ended_at = Deed.State.TAKING_BACK, None
    deed.save(update_fields=["state", "ended_at"])
    if deed.total == 1:
        _take_back_chunk(deed, now=now)
        kept = deed.rows.filter(outcome=DeedRow.Outcome.KEPT).first()
        if kept is not None:
            raise MoveRefusedError(kept.told)
    else:
        wake("exceptions.work")
    return deed


def _take_back_chunk(deed: Deed, *, now: datetime) -> None:
    rows = {row.case_id: row for row in deed.rows.filter(outcome=DeedRow.Outcome.DONE).order_by("case_id")[:CHUNK]}
    locked = ExceptionCase.objects.select_for_update(of=("self",)).select_related("connection", "team", "owner")
    cases = {case.pk: case for case in locked.filter(id__in=rows).order_by("id")}
    back = []
    for case_id, row in rows.items():
        case = cases[case_id]
        row.told = _cannot_be_taken_back(case, row, deed.by)
        row.outcome = DeedRow.Outcome.KEPT if row.told else DeedRow.Outcome.TAKEN_BACK
        if not row.told:
            _restore(case, row.before, now=now)
            back.append(case)
    _reset_timers(back, now=now)
    moves.save(back, action="exception.taken_back", data={"deed": str(deed.pk), "move": deed.move}, by=deed.by, now=now)
    DeedRow.objects.bulk_update(rows.values(), ["outcome", "told"])
    if len(rows) < CHUNK:
        deed.state, deed.ended_at = Deed.State.TAKEN_BACK, now
        deed.save(update_fields=["state", "ended_at"])


def _cannot_be_taken_back(case: ExceptionCase, row: DeedRow, by: User) -> str:
    if not access.scope_of(by).sees(*moves.about(case)):
        return gettext("There is no exception %(case_id)s.") % {"case_id": case.pk}
    if moves.taken_down(case) != row.after:
        return gettext("%(record_name)s has been moved since, so it stays %(status)s.") % {
            "record_name": case.record_name,
            "status": case.get_status_display().lower(),
        }
    if case.status == Status.RESOLVED and _has_opened_anew(case):
        return gettext("%(record_name)s: it has opened anew meanwhile, so this one stays resolved.") % {
            "record_name": case.record_name
        }
    return ""


def _has_opened_anew(case: ExceptionCase) -> bool:
    same = Q(connection=case.connection_id, model=case.model, odoo_id=case.odoo_id, type=case.type, cause=case.cause)
    return ExceptionCase.objects.filter(same).exclude(status=Status.RESOLVED).exists()


def _restore(case: ExceptionCase, before: Mapping[str, Any], *, now: datetime) -> None:
    for name, value in before.items():
        is_moment = name in ("snoozed_until", "resolved_at") and value
        setattr(case, name, datetime.fromisoformat(value) if is_moment else value)
    if case.status == Status.SNOOZED and case.snoozed_until and case.snoozed_until <= now:
        # The time it was snoozed until has come meanwhile.
        case.status, case.snoozed_until = Status.OPEN, None
    case.updated_at, case.version = now, case.version + 1


def _reset_timers(cases: Sequence[ExceptionCase], *, now: datetime) -> None:
    for case in cases:
        if case.due_at and case.breached_at is None:
            due.set_timer(kind="exceptions.breach", key=f"exception:{case.pk}", due_at=case.due_at, now=now)


def progress(deed: Deed) -> Progress:
    """How far it is."""
    counted = dict(deed.rows.order_by().values_list("outcome").annotate(n=Count("id")))
    return Progress(
        done=counted.get(DeedRow.Outcome.DONE, 0), refused=counted.get(DeedRow.Outcome.REFUSED, 0),
        taken_back=counted.get(DeedRow.Outcome.TAKEN_BACK, 0), kept=counted.get(DeedRow.Outcome.KEPT, 0),
        waiting=counted.get(DeedRow.Outcome.WAITING, 0),
    )  # fmt: skip

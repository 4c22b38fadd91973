"""Every move an exception can make, by people. What the machine raises and closes is in ``raising``.

Each move looks at the exception under a lock and changes it only if it is still what the move starts from: of two people who
press at once, one wins and the other is told who that was, and when. One exception and thousands move by the same function.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models.functions import Lower
from django.utils.translation import gettext

from apps.accounts import access, permissions
from apps.accounts.models import Team, User
from apps.audit import trail
from apps.audit.models import Entry
from apps.core import live
from apps.core.refusals import Problem, Refusal
from apps.core.transactions import atomic_with_retry
from apps.core.words import moment
from apps.exceptions import integration, resolutions, types
from apps.exceptions.cases import cause_groups
from apps.exceptions.models import Comment, ExceptionCase, Severity, ShowInOdoo, Status
from apps.exceptions.odoo_activities import posting as odoo_activities
from apps.exceptions.transitions import transitions_of
from apps.notifications.notify import Message, notify
from apps.odoo.models import Connection
from apps.timers import due
from apps.workflows import subjects

# What a person did and what came before, so that it can be taken back as long as nothing else has happened.
TAKEN_DOWN = ("status", "owner_id", "team_id", "snoozed_until", "resolved_at", "resolution")
WRITTEN = ("status", "owner", "owned_at", "team", "snoozed_until", "resolved_at", "resolution", "closed_itself")
MENTION = re.compile(r"(?<![\w@])@([\w.+-]+)")
MOST_MENTIONED = 20


class MoveRefusedError(Refusal):
    """The exception cannot make this move now; the message says why."""

    problem = Problem(
        "exception_move_refused",
        409,
        "Exception cannot make this move",
        meaning="The exception has moved on since it was read, or the move lacks what it needs.",
        remedy="Read the exception again; the sentence says who changed it, or what is missing.",
    )


@dataclass(frozen=True, kw_only=True)
class Change:
    """A move as it is made, of one exception or of many.

    Attributes:
        action: as the trail names it, ``exception.assigned``.
        move: its name in the table of transitions, which says from which states it starts and to which it leads.
        values: what else it writes, the same for all; ``owner_if_none`` is the owner of those that have none.
        data: what the trail keeps.
        owner: who is to own it, and so must be able to see it.
    """

    action: str
    move: str
    values: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)
    owner: User | None = None
    owner_if_none: User | None = None


@dataclass(frozen=True, kw_only=True)
class Made:
    """What became of one exception: it moved, or ``refusal`` says why not."""

    case_id: int
    case: ExceptionCase | None
    refusal: Refusal | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)

    @property
    def refused(self) -> str:
        """The sentence of the refusal; nothing where it moved."""
        return str(self.refusal or "")


def about(case: ExceptionCase) -> tuple[int, int | None]:
    """The connection and the company that it belongs to."""
    return case.connection_id, case.company_id


def announce(cases: Iterable[ExceptionCase]) -> None:
    """Tell the open pages that show the exceptions."""
    live.announce(["queue", *(subjects.topic(case.connection_id, case.model, case.odoo_id) for case in cases)])


def as_seen(case: ExceptionCase) -> str:
    """Its state and owner, as a page carries them: whoever moves it says what they saw, and is told if that is over."""
    return f"{case.status}:{case.owner_id or ''}"


def make(
    change: Change, case_ids: Collection[int], *, by: User, now: datetime, seen: Mapping[int, str] | None = None
) -> list[Made]:
    """Make one move with all of ``case_ids``, in the caller's transaction; what became of each, in their order.

    Each is locked and looked at before it is moved: of two people who press at once the second finds what the first has
    done, and is told who it was and when.

    Args:
        seen: what the person saw of each (:func:`as_seen`), where that matters.

    Raises NotAllowedError.
    """
    permissions.check_may_work_exceptions(by, of_integration=True)
    locked = ExceptionCase.objects.select_for_update(of=("self",)).select_related("connection", "team", "owner")
    cases = {case.pk: case for case in locked.filter(id__in=case_ids).order_by("id")}
    lasts = _last_entries([pk for pk, case in cases.items() if _stands_against(case, change, seen)])
    made, moved = [], []
    for case_id in case_ids:
        case = cases.get(case_id)
        if case is None or not access.scope_of(by).sees(*about(case)):
            missing = MoveRefusedError(gettext("There is no exception %(case_id)s.") % {"case_id": case_id})
            made.append(Made(case_id=case_id, case=None, refusal=missing))
            continue
        if forbidden := _forbidden(case, change, by):
            made.append(Made(case_id=case_id, case=case, refusal=forbidden))
            continue
        if _stands_against(case, change, seen):
            last = lasts.get(case_id)
            # What one did oneself a moment ago is known to the person, if not to their page yet.
            is_own = last is not None and last.actor == str(by.actor) and not _stands_against(case, change, None)
            if not is_own:
                made.append(Made(case_id=case_id, case=case, refusal=MoveRefusedError(_why_not(case, change, last))))
                continue
        before = taken_down(case)
        transitions_of(case).make(change.move, case)
        for name, value in change.values.items():
            setattr(case, name, value)
        if change.owner_if_none is not None and case.owner_id is None:
            case.owner = change.owner_if_none
        if case.owner_id is not None and case.owned_at is None:
            case.owned_at = now
        case.updated_at, case.version = now, case.version + 1
        moved.append(case)
        made.append(Made(case_id=case_id, case=case, before=before, after=taken_down(case)))
    save(moved, action=change.action, data=change.data, by=by, now=now)
    return made


def save(cases: Sequence[ExceptionCase], *, action: str, data: Mapping[str, Any], by: User, now: datetime) -> None:
    """Write locked exceptions as they are now, with one entry each on the trail, their timers, and what Odoo shows."""
    if not cases:
        return
    ExceptionCase.objects.bulk_update(cases, [*WRITTEN, "updated_at", "version"])
    done = [f"exception:{case.pk}" for case in cases if case.status == Status.RESOLVED]
    due.cancel(kind="exceptions.breach", keys=done)
    due.cancel(kind="exceptions.wake", keys=done)
    for case in cases:
        if case.status == Status.SNOOZED and case.snoozed_until:
            due.set_timer(kind="exceptions.wake", key=f"exception:{case.pk}", due_at=case.snoozed_until, now=now)
    trail.record_all(
        [
            trail.Event(action=action, actor=by.actor, subject=f"exception:{case.pk}", data=dict(data), about=about(case))
            for case in cases
        ],
        now=now,
    )
    cause_groups.follow(cases, now=now)
    odoo_activities.sync(cases, now=now)
    announce(cases)


def taken_down(case: ExceptionCase) -> dict[str, Any]:
    """What a move may change of it, as JSON can carry it."""
    values = {name: getattr(case, name) for name in TAKEN_DOWN}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def _forbidden(case: ExceptionCase, change: Change, by: User) -> Refusal | None:
    """Why this person may not move this exception, or may not give it to that owner; None where they may."""
    try:
        for person in filter(None, [by, change.owner]):
            permissions.check_may_work_exceptions(person, of_integration=case.type in integration.TYPES)
    except permissions.NotAllowedError as error:
        return error
    if change.owner is not None and not access.scope_of(change.owner).sees(*about(case)):
        return permissions.OutsideScopeError(
            gettext("%(owner)s has no access to the company of %(record_name)s. Choose someone who has.")
            % {"owner": change.owner, "record_name": case.record_name}
        )
    return None


def _stands_against(case: ExceptionCase, change: Change, seen: Mapping[int, str] | None) -> bool:
    if case.status not in transitions_of(case).sources(change.move):
        return True
    return seen is not None and case.pk in seen and seen[case.pk] != as_seen(case)


def _last_entries(case_ids: Collection[int]) -> dict[int, Entry]:
    """What was last done to each."""
    if not case_ids:
        return {}
    subjects_of = [f"exception:{pk}" for pk in case_ids]
    entries = Entry.objects.filter(subject__in=subjects_of).order_by("subject", "-sequence").distinct("subject")
    return {int(entry.subject.partition(":")[2]): entry for entry in entries}


def _why_not(case: ExceptionCase, change: Change, last: Entry | None) -> str:
    verb = change.action.split(".")[1]
    who = f" ({last.actor_name}, {moment(last.at)})" if last else ""
    if case.status not in transitions_of(case).sources(change.move):
        state = case.get_status_display().lower()
        if case.resolved_at:
            state = gettext("%(state)s since %(at)s: %(resolution)s") % {
                "state": state,
                "at": moment(case.resolved_at),
                "resolution": resolutions.told(case.resolution),
            } + (f" ({last.actor_name})" if last else "")
        else:
            state += who
        return gettext("Exception %(case_id)s (%(record_name)s) is %(state)s, so it cannot be %(verb)s.") % {
            "case_id": case.pk,
            "record_name": case.record_name,
            "state": state,
            "verb": gettext(verb),
        }
    owner = gettext("owner: %(owner)s") % {"owner": case.owner} if case.owner else gettext("it is unassigned")
    return gettext("Changed meanwhile%(who)s: %(record_name)s is now %(status)s, and %(owner)s. Check it again.") % {
        "who": who,
        "record_name": case.record_name,
        "status": case.get_status_display().lower(),
        "owner": owner,
    }


def one(change: Change, case_id: int, *, by: User, now: datetime, seen: str = "") -> ExceptionCase:
    """Make one move with one exception. Raises NotAllowedError, MoveRefusedError."""
    made = make(change, [case_id], by=by, now=now, seen={case_id: seen} if seen else None)[0]
    if made.refusal is not None:
        raise made.refusal
    assert made.case is not None
    return made.case


def assigning(owner: User | None, team: Team | None = None, note: str = "") -> Change:
    """The move to ``owner`` (none: to nobody), and to ``team`` where one is named."""
    return Change(
        action="exception.assigned",
        move="assign",
        owner=owner,
        values={"owner": owner} | ({"team": team} if team else {}),
        data={"owner": str(owner) if owner else None, "team": team.slug if team else None}
        | ({"note": note.strip()[:1000]} if note.strip() else {}),
    )


def acknowledging(by: User) -> Change:
    """The move of somebody who says that they work on it; whoever acknowledges an unowned exception owns it."""
    return Change(action="exception.acknowledged", move="acknowledge", owner_if_none=by, values={"snoozed_until": None})


def snoozing(until: datetime, *, now: datetime) -> Change:
    """The move aside until ``until``. Raises MoveRefusedError where that is past."""
    if until <= now:
        raise MoveRefusedError(gettext("Snooze until a time in the future."))
    return Change(action="exception.snoozed", move="snooze", data={"until": until.isoformat()}, values={"snoozed_until": until})


def resolving(resolution: str, *, now: datetime) -> Change:
    """The move out of the queue by hand. Raises MoveRefusedError without a word on how it ended."""
    if not resolution.strip():
        raise MoveRefusedError(gettext("Enter a resolution: it helps with similar exceptions."))
    return Change(
        action="exception.resolved",
        move="resolve",
        data={"resolution": resolution.strip()[:300]},
        values={"resolved_at": now, "resolution": resolution.strip()[:300], "closed_itself": False, "snoozed_until": None},
    )


@atomic_with_retry
def assign(
    case_id: int, *, owner: User | None, by: User, now: datetime, team: Team | None = None, note: str = "", seen: str = ""
) -> ExceptionCase:
    """Give the exception to ``owner`` (none: to nobody), and to ``team`` where one is named, with a note for them.

    Raises:
        NotAllowedError: this person may not work exceptions, or ``owner`` may not, or may not see this one.
        MoveRefusedError: it is resolved, somebody was quicker than ``seen``, or there is none of that number.
    """
    case = one(assigning(owner, team, note), case_id, by=by, now=now, seen=seen)
    if owner is not None and owner != by:
        message = Message(
            kind="exception.assigned",
            key=f"exception:{case.id}:assigned:{case.version}",
            about=about(case),
            title=lambda: (
                gettext("%(by)s assigned you %(record)s: %(type)s")
                % {"by": by, "record": case.record_name, "type": types.title_of(case.type)}
            ),
            body=note.strip(),
            path=f"/exceptions/{case.id}/",
        )
        notify(message, people=[owner], now=now)
    return case


@atomic_with_retry
def acknowledge(case_id: int, *, by: User, now: datetime, seen: str = "") -> ExceptionCase:
    """Say that somebody works on it; whoever acknowledges an unowned exception owns it.

    Raises NotAllowedError, MoveRefusedError.
    """
    return one(acknowledging(by), case_id, by=by, now=now, seen=seen)


@atomic_with_retry
def snooze(case_id: int, *, until: datetime, by: User, now: datetime, seen: str = "") -> ExceptionCase:
    """Set it aside until ``until``; its SLA runs on.

    Raises NotAllowedError, MoveRefusedError (also when ``until`` is past).
    """
    return one(snoozing(until, now=now), case_id, by=by, now=now, seen=seen)


@atomic_with_retry
def resolve(case_id: int, *, resolution: str, by: User, now: datetime, seen: str = "") -> ExceptionCase:
    """Close it by hand, saying how. If its condition still holds at the next change of the record, it opens anew.

    Raises NotAllowedError, MoveRefusedError (also without a resolution).
    """
    return one(resolving(resolution, now=now), case_id, by=by, now=now, seen=seen)


@atomic_with_retry
def show_in_odoo(
    connection: Connection, *, is_on: bool, severity: Severity, types_off: Sequence[str], an_hour: int, by: User, now: datetime
) -> ShowInOdoo:
    """Say what of the queue ``connection`` shows from now on; what it shows already is kept in step to its end.

    Raises NotAllowedError.
    """
    permissions.check_may_integrate(by)
    values = {"is_on": is_on, "severity": severity, "types_off": sorted(types_off), "an_hour": an_hour}
    chosen, _ = ShowInOdoo.objects.update_or_create(connection=connection, defaults=values)
    trail.record(
        trail.Event(action="connection.shows_exceptions", actor=by.actor, subject=f"connection:{connection.name}", data=values),
        now=now,
    )
    return chosen


@atomic_with_retry
def comment(case_id: int, *, text: str, by: User, now: datetime) -> Comment:
    """Write something on it; also once it is resolved. Whoever is named with an @, and may see it, is told.

    Raises NotAllowedError, MoveRefusedError (without text).
    """
    if not text.strip():
        raise MoveRefusedError(gettext("Enter a comment."))
    target = ExceptionCase.objects.filter(pk=case_id).values_list("connection_id", "company_id").first()
    # Who may not see it is not told, and not named as told.
    people = [user for user in access.those_who_see(mentioned(text), *target) if user != by] if target else []
    data = {"text": text} | ({"mentioned": [user.username for user in people]} if people else {})
    case = one(Change(action="exception.commented", move="comment", values={}, data=data), case_id, by=by, now=now)
    written = Comment.objects.create(case=case, author=by, text=text.strip(), at=now)
    message = Message(
        kind="exception.mentioned",
        key=f"comment:{written.pk}",
        about=about(case),
        body=text.strip(),
        title=lambda: gettext("%(by)s mentioned you on %(record)s") % {"by": by, "record": case.record_name},
        path=f"/exceptions/{case.pk}/",
    )
    notify(message, people=people, now=now)
    return written


def mentioned(text: str) -> list[User]:
    """The people whom a text names, as ``@name``; a full stop behind a name is not of it."""
    names = {name.rstrip(".-").lower() for name in MENTION.findall(text)}
    people = User.objects.filter(is_active=True).annotate(name=Lower("username"))
    return list(people.filter(name__in=sorted(names)[:MOST_MENTIONED])) if names else []

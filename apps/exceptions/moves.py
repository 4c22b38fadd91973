"""Every move an exception can make, by people. What the machine raises and closes is in ``raising``.

Each move is one conditional update that must change one row: of two people who press at once, one wins and the other is
told what happened meanwhile.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from apps.accounts import permissions, sight
from apps.accounts.models import Team, User
from apps.audit import trail
from apps.core import live
from apps.core.actor import Actor
from apps.exceptions import in_odoo, integration, remedies, types
from apps.exceptions.models import Comment, ExceptionCase, Severity, ShowInOdoo, Status
from apps.notifications.tell import Message, tell
from apps.odoo.models import Connection
from apps.outbox import enqueue
from apps.timers import due
from apps.workflows import registry, subjects

UNRESOLVED = [Status.OPEN, Status.ACKNOWLEDGED, Status.SNOOZED]


class MoveRefusedError(Exception):
    """The exception cannot make this move now; the message says why."""


def actor_of(user: User) -> Actor:
    """The person as the audit trail names them."""
    return Actor(kind="user", id=str(user.pk), name=str(user))


def about(case: ExceptionCase) -> tuple[int, int | None]:
    """The connection and the company that it belongs to."""
    return case.connection_id, case.company_id


def announce(case: ExceptionCase) -> None:
    """Tell the open pages that show the exception."""
    live.announce(["queue", f"record:{case.connection_id}:{case.model}:{case.odoo_id}"])


def _check_may_work(case_id: int, user: User) -> None:
    """Raises NotAllowedError unless the person may work this exception."""
    of_integration = ExceptionCase.objects.filter(id=case_id, type__in=integration.TYPES).exists()
    permissions.check_may_work_exceptions(user, of_integration=of_integration)


def _move(
    case_id: int, *, by: User, now: datetime, action: str, from_: list[Status], data: dict[str, Any], **changes: Any
) -> ExceptionCase:
    _check_may_work(case_id, by)
    changed = ExceptionCase.objects.filter(id=case_id, status__in=from_).update(
        updated_at=now, version=F("version") + 1, **changes
    )
    case = ExceptionCase.objects.select_related("connection", "team", "owner").filter(id=case_id).first()
    if case is None or not sight.of(by).sees(*about(case)):
        raise MoveRefusedError(f"There is no exception {case_id}.")
    if changed != 1:
        raise MoveRefusedError(
            f"Exception {case.id} ({case.record_name}) is {case.get_status_display().lower()}"
            + (f" since {case.resolved_at:%Y-%m-%d %H:%M} UTC: {case.resolution}" if case.resolved_at else "")
            + f", so it cannot be {action.split('.')[1]}."
        )
    event = trail.Event(action=action, actor=actor_of(by), subject=f"exception:{case.id}", data=data, about=about(case))
    trail.record(event, now=now)
    in_odoo.follow([case], now=now)
    announce(case)
    return case


@transaction.atomic
def assign(case_id: int, *, owner: User | None, by: User, now: datetime, team: Team | None = None) -> ExceptionCase:
    """Give the exception to ``owner`` (none: to nobody), and to ``team`` where one is named.

    Raises:
        NotAllowedError: this person may not work exceptions, or ``owner`` may not, or may not see this one.
        MoveRefusedError: it is resolved, or there is none of that number.
    """
    if owner is not None:
        _check_may_work(case_id, owner)
    changes: dict[str, Any] = {"owner": owner} | ({"team": team} if team else {})
    case = _move(case_id, by=by, now=now, action="exception.assigned", from_=UNRESOLVED,
                 data={"owner": str(owner) if owner else None, "team": team.slug if team else None}, **changes)  # fmt: skip
    if owner is not None and not sight.of(owner).sees(*about(case)):
        raise permissions.NotAllowedError(f"{owner} may not see the company of {case.record_name}. Choose somebody who may.")
    if owner is not None and owner != by:
        message = Message(kind="exception.assigned", key=f"exception:{case.id}:assigned:{case.version}", about=about(case),
                          title=f"{by} gave you {case.record_name}: {types.title_of(case.type)}",
                          path=f"/exceptions/{case.id}/")  # fmt: skip
        tell(message, people=[owner], now=now)
    return case


@transaction.atomic
def acknowledge(case_id: int, *, by: User, now: datetime) -> ExceptionCase:
    """Say that somebody works on it; whoever acknowledges an unowned exception owns it.

    Raises NotAllowedError, MoveRefusedError.
    """
    _check_may_work(case_id, by)
    ExceptionCase.objects.filter(id=case_id, owner=None).exclude(status=Status.RESOLVED).update(owner=by)
    return _move(case_id, by=by, now=now, action="exception.acknowledged", from_=[Status.OPEN, Status.SNOOZED], data={},
                 status=Status.ACKNOWLEDGED, snoozed_until=None)  # fmt: skip


@transaction.atomic
def snooze(case_id: int, *, until: datetime, by: User, now: datetime) -> ExceptionCase:
    """Set it aside until ``until``; its SLA runs on.

    Raises NotAllowedError, MoveRefusedError (also when ``until`` is past).
    """
    if until <= now:
        raise MoveRefusedError("An exception can only be snoozed until a moment in the future.")
    case = _move(case_id, by=by, now=now, action="exception.snoozed", from_=UNRESOLVED,
                 data={"until": until.isoformat()}, status=Status.SNOOZED, snoozed_until=until)  # fmt: skip
    due.set_timer(kind="exceptions.wake", key=f"exception:{case.id}", due_at=until, now=now)
    return case


@transaction.atomic
def resolve(case_id: int, *, resolution: str, by: User, now: datetime) -> ExceptionCase:
    """Close it by hand, saying how. If its condition still holds at the next change of the record, it opens anew.

    Raises NotAllowedError, MoveRefusedError (also without a resolution).
    """
    if not resolution.strip():
        raise MoveRefusedError("Say how it was resolved: whoever meets the next one will want to know.")
    case = _move(case_id, by=by, now=now, action="exception.resolved", from_=UNRESOLVED,
                 data={"resolution": resolution}, status=Status.RESOLVED, resolved_at=now,
                 resolution=resolution.strip()[:300])  # fmt: skip
    due.cancel(kind="exceptions.breach", keys=[f"exception:{case.id}"])
    due.cancel(kind="exceptions.wake", keys=[f"exception:{case.id}"])
    return case


@transaction.atomic
def take(case_id: int, *, remedy: str, option: str, by: User, now: datetime) -> ExceptionCase:
    """Take a way out that the exception offers: Odoo is told, and the exception closes itself once that has worked.

    Raises:
        NotAllowedError: this person may not work exceptions.
        MoveRefusedError: it is resolved, the way out is not offered any more, or somebody has taken it already.
    """
    case = _move(case_id, by=by, now=now, action="exception.remedied", from_=UNRESOLVED,
                 data={"remedy": remedy, "option": option}, status=Status.ACKNOWLEDGED, snoozed_until=None)  # fmt: skip
    found = registry.exception_types().get(case.type)
    declared = next((one for one in found[1].remedies if one.name == remedy), None) if found else None
    if declared is None:
        raise MoveRefusedError(f"{case.type} has no remedy {remedy}.")
    decision = remedies.decision_of(case, remedy, option)
    earlier = next((command for command in remedies.commands_of(case) if command.decision == decision), None)
    if earlier is not None:
        raise MoveRefusedError(f"{earlier.created_by} has done this on {earlier.created_at:%Y-%m-%d at %H:%M} UTC.")
    chosen = next((one for one in remedies.options_of(case, declared, now=now) if one.key == option), None)
    if chosen is None:
        raise MoveRefusedError(f"{declared.title}: this is not possible any more. See what is offered now.")
    enqueue.commands(
        declared.calls, connection=case.connection, model=case.model, odoo_id=case.odoo_id,
        context={
            **chosen.columns, "record_name": case.record_name, "decided_by": str(by),
            "record_url": subjects.url(case.connection.name, case.model, case.odoo_id),
        },
        decision=decision, by=actor_of(by), now=now,
    )  # fmt: skip
    return case


@transaction.atomic
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
        trail.Event(action="connection.shows_exceptions", actor=actor_of(by), subject=f"connection:{connection.name}",
                    data=values), now=now,
    )  # fmt: skip
    return chosen


@transaction.atomic
def comment(case_id: int, *, text: str, by: User, now: datetime) -> Comment:
    """Write something on it; also once it is resolved.

    Raises NotAllowedError, MoveRefusedError (without text).
    """
    if not text.strip():
        raise MoveRefusedError("A comment needs a text.")
    case = _move(case_id, by=by, now=now, action="exception.commented", from_=list(Status), data={"text": text})
    return Comment.objects.create(case=case, author=by, text=text.strip(), at=now)

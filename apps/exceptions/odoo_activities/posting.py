"""The exception where Odoo's users work: a note and one activity on the Odoo record, in step with the queue.

All of it goes through the outbox, in the transaction of the move that it follows from. What is said and what is not:

- a note when the exception is shown first; the message that finishing the activity leaves when it is resolved;
- one activity, made once and then written in place when its owner, due date, severity or state changes. New evidence alone
  writes nothing: the link shows it;
- nothing below the connection's severity, nothing of a first reading but what is high or critical, and no more new ones
  an hour than the connection allows, the worst first. One that was left out is shown when it is next moved.
- of exceptions that one record has caused each has its note, and that record the one activity (:mod:`.causes`);
- what a person finished or deleted in Odoo stays so: commands find the activity by its mark, and end where there is none.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Any

from django.conf import settings
from django.db.models import Q, prefetch_related_objects
from django.utils import translation
from django.utils.translation import gettext_noop

from apps.accounts.models import User
from apps.core import actor, sentences
from apps.core.words import moment, money
from apps.exceptions import integration
from apps.exceptions.models import ExceptionCase, Severity, ShowInOdoo, Shown, Status
from apps.exceptions.odoo_activities import calls, causes
from apps.exceptions.types import evidence_of
from apps.mirror import registry as mirror
from apps.mirror.models.res_users import OdooUser
from apps.odoo.models import Connection
from apps.outbox import enqueue
from apps.workflows import registry
from apps.workflows.declare import OdooCall

MACHINE = actor.system("exceptions")
HOUR = timedelta(hours=1)
LINES_OF_EVIDENCE = 6
# The columns in which Odoo's models keep the person responsible.
RESPONSIBLE = ("user_id", "invoice_user_id")


def sync(cases: Sequence[ExceptionCase], *, now: datetime, quiet: Collection[int] = ()) -> None:
    """Bring Odoo in step with ``cases`` as they stand now, in the caller's transaction; call it after every move.

    Args:
        quiet: ids of those raised though their record had not changed (a first reading): shown from high on only.
    """
    by_connection: dict[int, list[ExceptionCase]] = {}
    for case in cases:
        by_connection.setdefault(case.connection_id, []).append(case)
    for connection_id, own in by_connection.items():
        _follow(Connection.objects.get(pk=connection_id), own, now=now, quiet=quiet)


def _follow(connection: Connection, cases: Sequence[ExceptionCase], *, now: datetime, quiet: Collection[int]) -> None:
    known_there = {one.case_id: one for one in Shown.objects.filter(case__in=cases)}
    # One whose activity was finished and that a person then took back stays finished in Odoo.
    shown = {pk: one for pk, one in known_there.items() if one.ended_at is None}
    grouped = causes.groups_of(cases, connection)
    resolved = [case for case in cases if case.status == Status.RESOLVED and case.pk in shown]
    standing = [case for case in cases if case.status != Status.RESOLVED]
    fresh = _to_show([case for case in standing if case.pk not in known_there], connection, now=now, quiet=quiet)
    if resolved:
        _finish(resolved, shown, connection, now=now)
    known = [case for case in standing if case.pk in shown]
    if known or fresh:
        contexts = _contexts([*known, *fresh], connection, now)
        changed = [case for case in known if shown[case.pk].mark and _values(contexts[case.pk]) != shown[case.pk].values]
        _change(changed, shown, contexts, connection, now)
        _note_alone([case for case in fresh if case.pk in grouped], contexts, connection, now)
        _make([case for case in fresh if case.pk not in grouped], contexts, connection, now)
    causes.sync({case.group_id for case in cases} | set(grouped.values()), connection, now=now)


def _to_show(
    cases: Sequence[ExceptionCase], connection: Connection, *, now: datetime, quiet: Collection[int]
) -> list[ExceptionCase]:
    """Which of the open ``cases`` that Odoo does not show yet it is to show now."""
    # A trouble of the link is told beside it, and never through it: what could not be written would be written about.
    told_there = [case for case in cases if case.type not in integration.TYPES]
    with_activities = [case for case in told_there if connection.has_activities(case.model)]
    if not with_activities or not connection.is_provisioned:
        return []
    chosen = ShowInOdoo.for_connection(connection)
    if not chosen.is_on:
        return []
    wanted = [
        case
        for case in with_activities
        if case.severity >= max(chosen.severity, Severity.HIGH if case.pk in quiet else Severity.LOW)
        and case.type not in chosen.types_off
    ]
    if not wanted:
        return []
    left = chosen.an_hour - Shown.objects.filter(case__connection=connection, at__gt=now - HOUR).count()
    wanted.sort(key=lambda case: (-case.severity, -(case.amount or 0), case.pk))
    return wanted[: max(left, 0)]


def _note_alone(
    cases: Sequence[ExceptionCase], contexts: Mapping[int, Mapping[str, Any]], connection: Connection, now: datetime
) -> None:
    """Note on its record what another record has caused, which has the activity."""
    made = enqueue.many([_order(case, [calls.POST], connection, contexts[case.pk]) for case in cases], by=MACHINE, now=now)
    notes = {command.decision: str(command.pk) for command in made}
    Shown.objects.bulk_create(Shown(case=case, mark="", values={"note": notes.get(_decision(case), "")}, at=now) for case in cases)


def _make(cases: Sequence[ExceptionCase], contexts: Mapping[int, Mapping[str, Any]], connection: Connection, now: datetime) -> None:
    made = enqueue.many(
        [_order(case, [calls.POST, calls.MAKE], connection, contexts[case.pk]) for case in cases], by=MACHINE, now=now
    )
    marks = {command.decision: str(command.pk) for command in made if command.method == "create"}
    Shown.objects.bulk_create(
        Shown(case=case, mark=marks[_decision(case)], values=_values(contexts[case.pk]), at=now) for case in cases
    )


def _change(
    cases: Sequence[ExceptionCase],
    shown: Mapping[int, Shown],
    contexts: Mapping[int, Mapping[str, Any]],
    connection: Connection,
    now: datetime,
) -> None:
    if not cases:
        return
    # Of several changes that Odoo has not heard of yet only the last is worth a call.
    enqueue.withdraw([_changes(case) for case in cases], because=gettext_noop("Superseded by a later change"), now=now)
    orders = []
    for case in cases:
        row = shown[case.pk]
        row.values = _values(contexts[case.pk])
        orders.append(_order(case, [calls.CHANGE], connection, {**contexts[case.pk], "mark": row.mark}, decision=_changes(case)))
    enqueue.many(orders, by=MACHINE, now=now)
    Shown.objects.bulk_update([shown[case.pk] for case in cases], ["values"])


def _finish(cases: Sequence[ExceptionCase], shown: Mapping[int, Shown], connection: Connection, *, now: datetime) -> None:
    decisions = [decision for case in cases for decision in (_decision(case), _changes(case))]
    # What Odoo was never told of need not be taken back there.
    taken = {str(pk) for pk in enqueue.withdraw(decisions, because=gettext_noop("Resolved before it was sent to Odoo"), now=now)}
    orders = []
    for case in cases:
        row = shown[case.pk]
        row.ended_at = now
        feedback = f"Resolved: {case.resolution}"
        if not row.mark and row.values.get("note") not in taken:
            note = f"<p><b>{escape(_named(case))}</b>. {escape(feedback)}</p>"
            orders.append(_order(case, [calls.POST], connection, {"title": _title(case), "note": note}))
        elif row.mark and row.mark not in taken:
            context = {"title": _title(case), "mark": row.mark, "feedback": feedback}
            orders.append(_order(case, [calls.FINISH], connection, context))
    enqueue.many(orders, by=MACHINE, now=now)
    Shown.objects.bulk_update([shown[case.pk] for case in cases], ["ended_at"])


def _order(
    case: ExceptionCase, calls: Sequence[OdooCall], connection: Connection, context: Mapping[str, Any], decision: str = ""
) -> enqueue.Order:
    return enqueue.Order(
        calls=calls,
        connection=connection,
        model=case.model,
        odoo_id=case.odoo_id,
        context=context,
        decision=decision or _decision(case),
    )


def _decision(case: ExceptionCase) -> str:
    return f"exception:{case.pk}"


def _changes(case: ExceptionCase) -> str:
    """Apart from the making and the end: a change that was refused must not keep the activity from being finished."""
    return f"exception:{case.pk}:changed"


# Odoo is told in English, whoever made the change.
@translation.override("en")
def _contexts(cases: Sequence[ExceptionCase], connection: Connection, now: datetime) -> dict[int, dict[str, Any]]:
    prefetch_related_objects(cases, "owner", "team")
    users = _users(cases, connection)
    return {
        case.pk: {
            "title": _title(case),
            "summary": _summary(case),
            "note": _note(case),
            "user_id": users[case.pk],
            "deadline": (case.due_at or case.opened_at).date().isoformat(),
        }
        for case in cases
    }


def _values(context: Mapping[str, Any]) -> dict[str, Any]:
    """What a difference of is worth a write to Odoo."""
    return {name: context[name] for name in ("summary", "user_id", "deadline")}


def _title(case: ExceptionCase) -> dict[str, Any]:
    """How the titles of its commands name it, in any language."""
    found = registry.exception_types().get(case.type)
    named = sentences.compose(found[1].title if found else case.type, {})
    return sentences.compose(gettext_noop("{type}, exception {number}"), {"type": named, "number": case.pk})


def _named(case: ExceptionCase) -> str:
    return str(sentences.plain(_title(case)))


def _summary(case: ExceptionCase) -> str:
    due = f", due {moment(case.due_at)}" if case.due_at else ""
    state = {
        Status.ACKNOWLEDGED: ", acknowledged",
        Status.SNOOZED: f", snoozed until {moment(case.snoozed_until)}" if case.snoozed_until else ", snoozed",
    }.get(Status(case.status), "")
    return f"{_named(case)}: {case.get_severity_display().lower()}{due}{state}"


def _note(case: ExceptionCase) -> str:
    link = f"{settings.PUBLIC_URL}/exceptions/{case.pk}/"
    lines = [f"{figure.title}: {figure.text}" for figure in evidence_of(case)][:LINES_OF_EVIDENCE]
    owner = str(case.owner) if case.owner else f"nobody yet, team {case.team.name}"
    listed = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return (
        f"<p><b>{escape(_named(case))}</b>: {escape(money(case.amount, case.currency))} at risk. Owner: {escape(owner)}.</p>"
        f'<ul>{listed}</ul><p><a href="{escape(link)}">Open it in Control Tower</a></p>'
    )


def _users(cases: Sequence[ExceptionCase], connection: Connection) -> dict[int, int]:
    """Whose the activity is in Odoo: the owner's own user there, else who answers for the record, else the tower's login."""
    people = OdooUser.objects.filter(connection=connection, active=True, deleted_at=None)
    owners = User.objects.in_bulk({case.owner_id for case in cases if case.owner_id})
    logins = {user.odoo_login.casefold() for user in owners.values() if user.odoo_login}
    said = Q()
    for login in logins:
        said |= Q(login__iexact=login)
    by_login = {row.login.casefold(): row.odoo_id for row in people.filter(said)} if logins else {}
    responsible = _responsible(cases, connection)
    there = set(people.filter(odoo_id__in=set(responsible.values())).values_list("odoo_id", flat=True))
    users = {}
    for case in cases:
        owner = owners.get(case.owner_id) if case.owner_id else None
        answers = responsible.get((case.model, case.odoo_id))
        users[case.pk] = (
            (by_login.get(owner.odoo_login.casefold()) if owner else None)
            or (answers if answers in there else None)
            or connection.uid
            or 0
        )
    return users


def _responsible(cases: Sequence[ExceptionCase], connection: Connection) -> dict[tuple[str, int], int]:
    found: dict[tuple[str, int], int] = {}
    for model in {case.model for case in cases}:
        mirrored = mirror.models()[model]
        column = next((name for name in RESPONSIBLE if name in mirrored.odoo_fields()), None)
        if column is None:
            continue
        ids = [case.odoo_id for case in cases if case.model == model]
        rows = mirrored._default_manager.filter(connection=connection, odoo_id__in=ids).exclude(**{column: None})
        found |= {(model, odoo_id): user for odoo_id, user in rows.values_list("odoo_id", column)}
    return found

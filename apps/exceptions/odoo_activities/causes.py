"""One activity for what one record has caused: on that record, while any of its exceptions is shown in Odoo.

The exceptions themselves have a note each (:mod:`.posting`), so that forty orders are not forty activities.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Window
from django.db.models.functions import RowNumber
from django.utils import translation
from django.utils.translation import gettext_noop

from apps.core import actor, sentences
from apps.core.words import moment, money
from apps.exceptions.models import CauseGroup, ExceptionCase, Severity, Shown, ShownCause
from apps.exceptions.odoo_activities import calls
from apps.mirror.models.res_users import OdooUser
from apps.odoo.models import Connection
from apps.outbox import enqueue
from apps.workflows import registry
from apps.workflows.declare import OdooCall

MACHINE = actor.system("exceptions")
# So many of what it holds up are named in the note.
NAMED = 10


def groups_of(cases: Sequence[ExceptionCase], connection: Connection) -> dict[int, int]:
    """Return the cause groups of those of ``cases`` whose cause can carry an activity, by the exceptions' numbers."""
    kinds = [name for name, kind in registry.cause_kinds().items() if connection.has_activities(kind.model)]
    grouped = ExceptionCase.objects.filter(pk__in=[case.pk for case in cases], is_grouped=True, group__kind__in=kinds)
    return {pk: group_id for pk, group_id in grouped.values_list("pk", "group") if group_id}


def sync(group_ids: Collection[int | None], connection: Connection, *, now: datetime) -> None:
    """Bring the activities of the groups in step with what they are now, in the caller's transaction."""
    ids = sorted(pk for pk in group_ids if pk)
    if not ids:
        return
    noted = Shown.objects.filter(case__group=OuterRef("pk"), mark="", ended_at=None, case__is_grouped=True)
    found = CauseGroup.objects.filter(pk__in=ids).annotate(is_noted=Exists(noted))
    groups = list(found.select_related("owner", "team", "shown").order_by("pk"))
    shown = {group.pk: group.shown for group in groups if hasattr(group, "shown")}
    standing = [group for group in groups if group.ended_at is None]
    fresh = [group for group in standing if group.pk not in shown and group.cases_count > 1 and vars(group)["is_noted"]]
    known = [group for group in standing if group.pk in shown and shown[group.pk].ended_at is None]
    ended = [group for group in groups if group.ended_at and group.pk in shown and shown[group.pk].ended_at is None]
    contexts = _contexts([*fresh, *known], connection)
    _make(fresh, contexts, connection, now)
    _change([group for group in known if _values(contexts[group.pk]) != shown[group.pk].values], shown, contexts, connection, now)
    _finish(ended, shown, connection, now)


def _make(groups: Sequence[CauseGroup], contexts: Mapping[int, Mapping[str, Any]], connection: Connection, now: datetime) -> None:
    if not groups:
        return
    orders = [_order(group, [calls.MAKE], connection, contexts[group.pk]) for group in groups]
    marks = {command.decision: str(command.pk) for command in enqueue.many(orders, by=MACHINE, now=now)}
    ShownCause.objects.bulk_create(
        ShownCause(group=group, mark=marks[_decision(group)], values=_values(contexts[group.pk]), at=now)
        for group in groups
        if _decision(group) in marks
    )


def _change(
    groups: Sequence[CauseGroup],
    shown: Mapping[int, ShownCause],
    contexts: Mapping[int, Mapping[str, Any]],
    connection: Connection,
    now: datetime,
) -> None:
    if not groups:
        return
    enqueue.withdraw([_changes(group) for group in groups], because=gettext_noop("Superseded by a later change"), now=now)
    orders = []
    for group in groups:
        row = shown[group.pk]
        row.values = _values(contexts[group.pk])
        context = {**contexts[group.pk], "mark": row.mark}
        orders.append(_order(group, [calls.CHANGE], connection, context, decision=_changes(group)))
    enqueue.many(orders, by=MACHINE, now=now)
    ShownCause.objects.bulk_update([shown[group.pk] for group in groups], ["values"])


def _finish(groups: Sequence[CauseGroup], shown: Mapping[int, ShownCause], connection: Connection, now: datetime) -> None:
    if not groups:
        return
    decisions = [decision for group in groups for decision in (_decision(group), _changes(group))]
    taken = {str(pk) for pk in enqueue.withdraw(decisions, because=gettext_noop("Resolved before it was sent to Odoo"), now=now)}
    orders = []
    for group in groups:
        row = shown[group.pk]
        row.ended_at = now
        if row.mark not in taken:
            told = f"Ended: {group.ending.get('closed', 0)} closed by themselves, {group.ending.get('resolved', 0)} resolved."
            orders.append(_order(group, [calls.FINISH], connection, {"title": _title(group), "mark": row.mark, "feedback": told}))
    enqueue.many(orders, by=MACHINE, now=now)
    ShownCause.objects.bulk_update([shown[group.pk] for group in groups], ["ended_at"])


def _order(
    group: CauseGroup, declared: Sequence[OdooCall], connection: Connection, context: Mapping[str, Any], decision: str = ""
) -> enqueue.Order:
    return enqueue.Order(
        calls=declared,
        connection=connection,
        model=group.model,
        odoo_id=group.odoo_id,
        context=context,
        decision=decision or _decision(group),
    )


def _decision(group: CauseGroup) -> str:
    return f"cause-group:{group.pk}"


def _changes(group: CauseGroup) -> str:
    return f"cause-group:{group.pk}:changed"


# Odoo is told in English, whoever made the change.
@translation.override("en")
def _contexts(groups: Sequence[CauseGroup], connection: Connection) -> dict[int, dict[str, Any]]:
    if not groups:
        return {}
    named = _named([group.pk for group in groups])
    logins = {group.owner.odoo_login.casefold() for group in groups if group.owner and group.owner.odoo_login}
    people = OdooUser.objects.filter(connection=connection, active=True, deleted_at=None)
    by_login = {row.login.casefold(): row.odoo_id for row in people if row.login.casefold() in logins} if logins else {}
    return {
        group.pk: {
            "title": _title(group),
            "summary": _summary(group),
            "note": _note(group, named.get(group.pk, [])),
            "user_id": by_login.get(group.owner.odoo_login.casefold() if group.owner else "", connection.uid or 0),
            "deadline": (group.due_at or group.opened_at).date().isoformat(),
        }
        for group in groups
    }


def _values(context: Mapping[str, Any]) -> dict[str, Any]:
    """What a difference of is worth a write to Odoo; not what comes and goes: the link shows it."""
    return {name: context[name] for name in ("summary", "user_id", "deadline")}


def _title(group: CauseGroup) -> dict[str, Any]:
    kind = registry.cause_kinds().get(group.kind)
    return sentences.compose(
        gettext_noop("{type}, cause {number}"),
        {"type": sentences.compose(kind.title if kind else group.kind, {}), "number": group.pk},
    )


def _summary(group: CauseGroup) -> str:
    due = f", due {moment(group.due_at)}" if group.due_at else ""
    return f"{sentences.plain(_title(group))}: {Severity(group.severity).label.lower()}{due}"


def _named(group_ids: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """The costliest records that each group holds up, by name and customer."""
    place = Window(RowNumber(), partition_by=F("group"), order_by=(F("rank"), F("id")))
    of_others = ExceptionCase.objects.filter(group__in=group_ids, is_grouped=True).exclude(odoo_id=F("group__odoo_id"))
    rows = of_others.annotate(place=place).filter(place__lte=NAMED * 2).order_by("group", "place")
    named: dict[int, list[tuple[str, str]]] = {}
    for group_id, record, partner in rows.values_list("group", "record_name", "partner_name"):
        if (record, partner) not in named.setdefault(group_id, []):
            named[group_id].append((record, partner))
    return named


def _note(group: CauseGroup, named: Sequence[tuple[str, str]]) -> str:
    link = f"{settings.PUBLIC_URL}/exceptions/causes/{group.pk}/"
    listed = "".join(f"<li>{escape(', '.join(filter(None, one)))}</li>" for one in named[:NAMED])
    owner = str(group.owner) if group.owner else f"nobody yet, team {group.team.name}"
    return (
        f"<p><b>{escape(str(sentences.plain(_title(group))))}</b>: {group.cases_count} exceptions, "
        f"{escape(money(group.amount, group.currency))} at risk. Owner: {escape(owner)}.</p>"
        f'<ul>{listed}</ul><p><a href="{escape(link)}">Open it in Control Tower</a></p>'
    )

"""What the page of one exception shows. The list of them is in ``listing``."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_low
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext, gettext_noop

from apps.accounts.access import AccessScope, those_who_see
from apps.accounts.models import Team, User
from apps.accounts.permissions import EXCEPTION_WORKERS, INTEGRATORS
from apps.audit.models import Entry
from apps.core import sentences
from apps.core.words import money
from apps.exceptions import integration, resolutions, types
from apps.exceptions.cases import actions
from apps.exceptions.models import Comment, ExceptionCase, Status
from apps.outbox.choices import Status as CommandStatus
from apps.workflows import blockers, impact, registry, subjects
from apps.workflows.models import Position

TIMELINE = 200
TROUBLES = 50
DUE_SOON = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One exception as a list shows it."""

    case: ExceptionCase
    type: str
    stage: str
    ended_by: str | None = None


# How an exception ends: by a person, or by itself when its condition is gone.
ENDS = {"exception.resolved": True, "exception.closed": False}


def ended_by(cases: Iterable[ExceptionCase]) -> dict[int, str]:
    """Return who resolved each of the ``cases`` that have ended, "" where it closed automatically: one query for all."""
    subjects = {f"exception:{case.pk}": case.pk for case in cases if case.status == Status.RESOLVED}
    if not subjects:
        return {}
    entries = Entry.objects.filter(subject__in=list(subjects), action__in=list(ENDS)).order_by("subject", "-sequence")
    return {
        subjects[subject]: name if ENDS[action] else ""
        for subject, action, name in entries.distinct("subject").values_list("subject", "action", "actor_name")
    }


def rows_of(cases: Sequence[ExceptionCase]) -> list[Row]:
    """Return the exceptions as rows, with who resolved those that have ended."""
    ended = ended_by(cases)
    return [
        Row(case=case, type=types.title_of(case.type), stage=stage_title(case.workflow, case.stage), ended_by=ended.get(case.pk))
        for case in cases
    ]


def stage_title(workflow: str, stage: str) -> str:
    """The stage as people read it."""
    known = registry.workflows().get(workflow)
    return next((gettext(one.title) for one in known.stages if one.name == stage), stage) if known else stage


@dataclass(frozen=True, kw_only=True)
class TimelineEntry:
    """One entry of the timeline."""

    at: datetime
    icon: str
    tone: str
    who: str
    what: str
    quote: str = ""


def counts(*, user: User, access_scope: AccessScope, now: datetime) -> dict[str, int]:
    """How many open exceptions there are for this person, in one query."""
    return (
        ExceptionCase.objects.filter(access_scope.of_records())
        .exclude(status=Status.RESOLVED)
        .aggregate(
            mine=Count("id", filter=Q(owner=user)),
            team=Count("id", filter=Q(team__in=user.teams.values("id"))),
            unowned=Count("id", filter=Q(owner=None)),
            due=Count("id", filter=Q(due_at__lte=now + DUE_SOON)),
            all=Count("id"),
        )
    )


def incidents(access_scope: AccessScope) -> list[Row]:
    """What is wrong with the integration now, the worst first, as the queue shows it."""
    cases = ExceptionCase.objects.filter(access_scope.of_records(), type__in=integration.TYPES).exclude(status=Status.RESOLVED)
    worst = cases.select_related("owner", "team", "connection").order_by("-severity", "due_at", "id")[:TROUBLES]
    return [Row(case=case, type=types.title_of(case.type), stage="") for case in worst]


def workers_who_see(connection_id: int, company_id: int | None) -> list[User]:
    """Who may own exceptions of a company."""
    return those_who_see(workers(), connection_id, company_id)


def workers_for(case: ExceptionCase) -> list[User]:
    """Who may own this exception: those who may see it."""
    people = (
        workers()
        if case.type not in integration.TYPES
        else User.objects.filter(role__in=EXCEPTION_WORKERS | INTEGRATORS, is_active=True).order_by("first_name", "username")
    )
    return those_who_see(people, case.connection_id, case.company_id)


MENTIONABLE = 8


def mentionable(case: ExceptionCase, begun: str) -> list[User]:
    """Return at most :data:`MENTIONABLE` active people who may see the case and whose name, or a part of it, begins so."""
    if "\x00" in begun:
        return []
    people = User.objects.filter(is_active=True).order_by("first_name", "username")
    if begun:
        people = people.filter(Q(username__istartswith=begun) | Q(first_name__istartswith=begun) | Q(last_name__istartswith=begun))
    return those_who_see(people, case.connection_id, case.company_id)[:MENTIONABLE]


def workers() -> QuerySet[User]:
    """Who may own an exception."""
    found: QuerySet[User] = User.objects.filter(role__in=EXCEPTION_WORKERS, is_active=True)
    return found.order_by("first_name", "username")


LOOKED_BACK = 500
SIMILAR = 5


@dataclass(frozen=True, kw_only=True)
class Past:
    """How exceptions of the same type ended: the most similar ones, and what most of them have in common.

    Attributes:
        looked_at: how many of the latest the figures rest on.
        endings: how they ended, with how many of them did, the most frequent first.
        median: half of them were over after this long.
    """

    similar: list[tuple[ExceptionCase, str | None]]
    looked_at: int
    endings: list[tuple[str, int]]
    median: timedelta | None


def past_of(case: ExceptionCase, access_scope: AccessScope) -> Past:
    """How others of its type ended: those of the same customer first, then those of as much money."""
    resolved = ExceptionCase.objects.filter(access_scope.of_records(), type=case.type, status=Status.RESOLVED).exclude(pk=case.pk)
    lately = list(
        resolved.order_by("-resolved_at", "-id").values_list(
            "id", "partner_name", "amount", "opened_at", "resolved_at", "resolution"
        )[:LOOKED_BACK]
    )
    money = float(case.amount or 0)
    nearest = sorted(lately, key=lambda row: (row[1] != case.partner_name, abs(float(row[2] or 0) - money)))[:SIMILAR]
    found = ExceptionCase.objects.select_related("owner").defer("evidence").in_bulk([row[0] for row in nearest])
    lengths = [row[4] - row[3] for row in lately if row[4]]
    ended = ended_by(found.values())
    return Past(
        similar=[(found[row[0]], ended.get(row[0])) for row in nearest],
        looked_at=len(lately),
        endings=Counter(row[5] for row in lately).most_common(3),
        median=median_low(lengths) if lengths else None,
    )


def around(case: ExceptionCase, access_scope: AccessScope, *, now: datetime) -> dict[str, Any]:
    """What holds its record up, what that puts at risk, and how others like it ended."""
    position = Position.objects.filter(
        connection_id=case.connection_id, workflow=case.workflow, model=case.model, odoo_id=case.odoo_id
    ).first()
    return {
        "position": position,
        "blockers": blockers.blockers_of(position, now=now) if position else [],
        "impact": impact.impact_of(case.connection_id, case.model, case.odoo_id, now=now),
        "connection": case.connection,
        "past": past_of(case, access_scope),
    }


ICONS = {
    "told": ("send", "done"),
    "opened": ("octagon-alert", "late"),
    "assigned": ("user-check", "calm"),
    "acknowledged": ("eye", "calm"),
    "snoozed": ("bell-off", ""),
    "woken": ("alarm-clock", "risk"),
    "resolved": ("circle-check", "done"),
    "closed": ("cog", "done"),
    "undone": ("undo-2", ""),
    "action_undone": ("undo-2", ""),
    "taken_back": ("undo-2", ""),
    "applied": ("wand-sparkles", "calm"),
    "remedied": ("wand-sparkles", "calm"),
    "breached": ("alarm-clock", "late"),
    "updated": ("refresh-cw", ""),
    "commented": ("message-square", ""),
    "step_done": ("check", "done"),
    "step_skipped": ("minus", ""),
    "step_reopened": ("undo-2", ""),
}


VERBS = {
    "opened": gettext_noop("opened"),
    "acknowledged": gettext_noop("acknowledged"),
    "snoozed": gettext_noop("snoozed"),
    "woken": gettext_noop("ended the snooze"),
    "resolved": gettext_noop("resolved the exception"),
    "closed": gettext_noop("closed automatically"),
    "applied": gettext_noop("applied a suggested action"),
    "action_undone": gettext_noop("undid the suggested action"),
    # Entries of 0.1.0.
    "remedied": gettext_noop("applied a suggested action"),
    "breached": gettext_noop("recorded an SLA breach"),
    "updated": gettext_noop("updated"),
    "step_done": gettext_noop("did a step of the playbook"),
    "step_skipped": gettext_noop("skipped a step of the playbook"),
    "step_reopened": gettext_noop("reopened a step of the playbook"),
    "told": gettext_noop("told the customer"),
}


def _in_words(verb: str, data: dict[str, Any], teams: Mapping[str, str]) -> str:
    if verb == "assigned":
        to = [data.get("owner") or gettext("nobody")] + (
            [gettext("team %(team)s") % {"team": teams.get(data["team"], data["team"])}] if data.get("team") else []
        )
        return gettext("assigned the exception to %(known)s") % {"known": ", ".join(to)}
    if verb == "applied" and sentences.is_sentence(data.get(sentences.BESIDE)):
        return gettext("applied %(said)s") % {"said": sentences.said(data[sentences.BESIDE])}
    # Entries of 0.1.0 are called taken_back.
    if verb in ("undone", "taken_back"):
        return gettext("undid the last action")
    return gettext(VERBS[verb]) if verb in VERBS else verb.replace("_", " ")


def _quoted(entry: Entry) -> str:
    """What was said with a move: as a person wrote it, in the active language where it is the tower's own."""
    if note := entry.data.get("note"):
        return str(note)
    if entry.action == "exception.applied" and entry.data.get("amount"):
        at_risk = money(entry.data["amount"], entry.data.get("currency", ""))
        return gettext("Amount at risk before: %(amount)s") % {"amount": at_risk}
    said = next((str(entry.data[name]) for name in ("resolution", "reason", "because") if entry.data.get(name)), "")
    return resolutions.told(said)


# How what an action tells Odoo ends.
ENDED = {
    CommandStatus.DONE: ("check-check", "done", gettext_noop("confirmed: %(command)s")),
    CommandStatus.REFUSED: ("octagon-alert", "late", gettext_noop("refused: %(command)s")),
    CommandStatus.DEAD: ("octagon-alert", "late", gettext_noop("never confirmed: %(command)s")),
}


def _carried_out(case: ExceptionCase) -> list[TimelineEntry]:
    """What became in Odoo of the actions that were applied."""
    found = []
    for command in actions.commands_of(case):
        if command.done_at and command.status in ENDED:
            icon, tone, words = ENDED[CommandStatus(command.status)]
            what = gettext(words) % {"command": command.told}
            found.append(TimelineEntry(at=command.done_at, icon=icon, tone=tone, who="Odoo", what=what, quote=command.told_problem))
    return found


def timeline_of(case: ExceptionCase) -> list[TimelineEntry]:
    """What happened to it, newest first: the audit trail's entries and what people wrote."""
    happened = [
        TimelineEntry(
            at=comment.at, icon="message-square", tone="", who=str(comment.author), what=gettext("commented"), quote=comment.text
        )
        for comment in Comment.objects.filter(case=case).select_related("author")
    ]
    record = subjects.audit_subject(case.connection.name, case.model, case.odoo_id)
    # What its customer, or those who wait for it, were told since.
    told = Q(subject=record, action="customer.told", at__gte=case.opened_at)
    entries = list(Entry.objects.filter(Q(subject=f"exception:{case.id}") | told).order_by("-sequence")[:TIMELINE])
    teams = dict(Team.objects.values_list("slug", "name")) if any(entry.data.get("team") for entry in entries) else {}
    for entry in entries:
        verb = entry.action.rpartition(".")[2]
        if verb == "commented":
            continue
        icon, tone = ICONS.get(verb, ("circle-dot", ""))
        happened.append(
            TimelineEntry(
                at=entry.at,
                icon=icon,
                tone=tone,
                who=entry.actor_name,
                what=_in_words(verb, entry.data, teams),
                quote=_quoted(entry),
            )
        )
    happened += _carried_out(case)
    if not any(entry.action == "exception.opened" for entry in entries):
        happened.append(
            TimelineEntry(at=case.opened_at, icon="octagon-alert", tone="late", who="Control Tower", what=gettext("opened"))
        )
    return sorted(happened, key=lambda item: item.at, reverse=True)

"""What the exception queue and the page of one exception show."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, F, Q, QuerySet

from apps.accounts.models import Team, User
from apps.accounts.permissions import EXCEPTION_WORKERS, INTEGRATORS
from apps.accounts.sight import Sight, those_who_see
from apps.audit.models import Entry
from apps.core.figures import Figure, figures
from apps.exceptions import integration, types
from apps.exceptions.models import Comment, ExceptionCase, Severity, ShowInOdoo, Shown, Status
from apps.odoo.models import Connection
from apps.workflows import registry
from apps.workflows.models import Position

PAGE = 50
DUE_SOON = timedelta(hours=1)
TIMELINE = 200

# The named views, first the one most people start with; each is nothing but a query string.
VIEWS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("mine", "Mine", {"owner": "me"}),
    ("team", "My team", {"team": "mine"}),
    ("unowned", "Unowned", {"owner": "none"}),
    ("due", "Due within 1 h", {"due": "1h"}),
    ("all", "All open", {}),
    ("resolved", "Resolved", {"status": "resolved"}),
)


@dataclass(frozen=True, kw_only=True)
class View:
    """A tab of the queue."""

    word: str
    query: str
    count: int | None
    is_here: bool


@dataclass(frozen=True, kw_only=True)
class Row:
    """One exception as the queue shows it."""

    case: ExceptionCase
    type: str
    stage: str


@dataclass(frozen=True, kw_only=True)
class Queue:
    """One page of the queue."""

    rows: list[Row]
    views: list[View]
    filters: dict[str, str]
    next_query: str
    is_first: bool


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One entry of the timeline."""

    at: datetime
    icon: str
    tone: str
    who: str
    what: str
    quote: str = ""


def matching(filters: dict[str, str], *, user: User, seen: Sight, now: datetime) -> QuerySet[ExceptionCase]:
    """The exceptions that the query string asks for. An unknown value filters to nothing rather than to everything."""
    cases = ExceptionCase.objects.filter(seen.of_records())
    status = filters.get("status")
    if status == "any":
        pass
    elif status:
        cases = cases.filter(status=status)
    else:
        cases = cases.exclude(status=Status.RESOLVED)
    if kind := filters.get("type"):
        cases = cases.filter(type__startswith="integration.") if kind == integration.WORKFLOW else cases.filter(type=kind)
    if severity := filters.get("severity"):
        cases = cases.filter(severity__gte=int(severity)) if severity.isdecimal() else cases.none()
    team = filters.get("team")
    if team == "mine":
        cases = cases.filter(team__members=user)
    elif team:
        cases = cases.filter(team__slug=team)
    owner = filters.get("owner")
    if owner == "me":
        cases = cases.filter(owner=user)
    elif owner == "none":
        cases = cases.filter(owner=None)
    elif owner:
        cases = cases.filter(owner__username=owner)
    if filters.get("due") == "1h":
        cases = cases.filter(due_at__lte=now + DUE_SOON)
    if words := filters.get("q", "").strip():
        cases = cases.filter(Q(record_name__icontains=words) | Q(partner_name__icontains=words))
    return cases


def _after(cases: QuerySet[ExceptionCase], cursor: str) -> QuerySet[ExceptionCase]:
    """What comes after the row that the cursor names: "<due, ISO or empty>~<id>". A broken cursor starts anew."""
    moment, _, last = cursor.partition("~")
    if not last.isdecimal():
        return cases
    if not moment:
        return cases.filter(due_at=None, id__gt=int(last))
    try:
        due = datetime.fromisoformat(moment)
    except ValueError:
        return cases
    return cases.filter(Q(due_at__gt=due) | Q(due_at=due, id__gt=int(last)) | Q(due_at=None))


def counts(*, user: User, seen: Sight, now: datetime) -> dict[str, int]:
    """How many are in each view, in one query; resolved ones are not counted, they only grow."""
    return ExceptionCase.objects.filter(seen.of_records()).exclude(status=Status.RESOLVED).aggregate(
        mine=Count("id", filter=Q(owner=user)),
        team=Count("id", filter=Q(team__in=user.teams.values("id"))),
        unowned=Count("id", filter=Q(owner=None)),
        due=Count("id", filter=Q(due_at__lte=now + DUE_SOON)),
        all=Count("id"),
    )


def queue(query: dict[str, str], *, user: User, seen: Sight, now: datetime) -> Queue:
    """One page of the queue: most urgent first, and the newest first among what is resolved."""
    filters = {key: value for key, value in query.items() if key != "after" and value}
    cases = matching(filters, user=user, seen=seen, now=now).select_related("owner", "team", "connection")
    cursor = query.get("after", "")
    is_history = filters.get("status") in ("resolved", "any")
    if is_history:
        cases = cases.order_by("-id")
        if cursor.isdecimal():
            cases = cases.filter(id__lt=int(cursor))
    else:
        cases = _after(cases, cursor).order_by(F("due_at").asc(nulls_last=True), "id")
    found = list(cases[: PAGE + 1])
    shown, more = found[:PAGE], len(found) > PAGE
    next_query = ""
    if more:
        last = shown[-1]
        mark = str(last.id) if is_history else f"{last.due_at.isoformat() if last.due_at else ''}~{last.id}"
        next_query = urlencode(filters | {"after": mark})
    numbers = counts(user=user, seen=seen, now=now)
    stages = stages_of(shown)
    return Queue(
        rows=[
            Row(case=case, type=types.title_of(case.type), stage=stages.get((case.connection_id, case.model, case.odoo_id), ""))
            for case in shown
        ],
        views=[
            View(word=word, query=urlencode(wanted), count=numbers.get(name), is_here=filters == wanted)
            for name, word, wanted in VIEWS
        ],
        filters=filters, next_query=next_query, is_first=not cursor,
    )  # fmt: skip


def stages_of(cases: list[ExceptionCase]) -> dict[tuple[int, str, int], str]:
    """Where the records of these exceptions stand now, by connection, model and id: one query."""
    workflows = registry.workflows()
    positions = Position.objects.filter(model__in={case.model for case in cases}, odoo_id__in={case.odoo_id for case in cases})
    titles = {(name, stage.name): stage.title for name, workflow in workflows.items() for stage in workflow.stages}
    return {
        (position.connection_id, position.model, position.odoo_id): titles.get((position.workflow, position.stage), position.stage)
        for position in positions
    }


def choices() -> dict[str, Any]:
    """What the filters offer."""
    return {
        "types": [("integration", "Anything of the integration"), *types.titles().items()],
        "severities": Severity.choices,
        "statuses": Status.choices,
        "teams": Team.objects.order_by("name"),
        "people": workers(),
    }


def troubles(seen: Sight) -> list[Row]:
    """What is wrong with the integration now, the worst first, as the queue shows it."""
    cases = ExceptionCase.objects.filter(seen.of_records(), type__in=integration.TYPES).exclude(status=Status.RESOLVED)
    worst = cases.select_related("owner", "team", "connection").order_by("-severity", "due_at", "id")[:PAGE]
    return [Row(case=case, type=types.title_of(case.type), stage="") for case in worst]


def workers_for(case: ExceptionCase) -> list[User]:
    """Who may own this exception: those who may see it."""
    people = workers() if case.type not in integration.TYPES else User.objects.filter(
        role__in=EXCEPTION_WORKERS | INTEGRATORS, is_active=True
    ).order_by("first_name", "username")  # fmt: skip
    return those_who_see(people, case.connection_id, case.company_id)


def workers() -> QuerySet[User]:
    """Who may own an exception."""
    return User.objects.filter(role__in=EXCEPTION_WORKERS, is_active=True).order_by("first_name", "username")


def evidence_of(case: ExceptionCase) -> list[Figure]:
    """The evidence in the words that the workflow declares for it."""
    declared = types.words_of(case.type) or {key: key.replace("_", " ") for key in case.evidence}
    return list(figures(declared, case.evidence))


def in_odoo(connection: Connection) -> dict[str, Any]:
    """What of the queue ``connection`` shows in Odoo, for its page."""
    chosen = ShowInOdoo.of(connection)
    sentence = "Nothing is shown there."
    if not connection.is_provisioned:
        sentence = "Nothing is shown there until it is provisioned."
    elif chosen.is_on:
        standing = Shown.objects.filter(case__connection=connection, ended_at=None).count()
        sentence = f"{standing} of the open exceptions are shown there now, from {chosen.get_severity_display().lower()} on."
    raising = {workflow.odoo_model for workflow in registry.workflows().values() if workflow.exceptions}
    return {
        "chosen": chosen, "sentence": sentence, "severities": Severity.choices,
        "types": [(name, kind.title) for name, (_, kind) in sorted(registry.exception_types().items())],
        "without": sorted(
            model for model in raising if not connection.lacks(model) and not connection.has_activities(model)
        ) if connection.capabilities.get("models") else [],
    }  # fmt: skip


ICONS = {
    "opened": ("octagon-alert", "late"), "assigned": ("user-check", "calm"), "acknowledged": ("eye", "calm"),
    "snoozed": ("bell-off", ""), "woken": ("alarm-clock", "risk"), "resolved": ("circle-check", "done"),
    "breached": ("alarm-clock", "late"), "updated": ("refresh-cw", ""), "commented": ("message-square", ""),
}  # fmt: skip


def timeline_of(case: ExceptionCase) -> list[Happening]:
    """What happened to it, newest first: the audit trail's entries and what people wrote."""
    happened = [
        Happening(at=comment.at, icon="message-square", tone="", who=str(comment.author), what="wrote", quote=comment.text)
        for comment in Comment.objects.filter(case=case).select_related("author")
    ]
    for entry in Entry.objects.filter(subject=f"exception:{case.id}").order_by("-sequence")[:TIMELINE]:
        verb = entry.action.rpartition(".")[2]
        if verb == "commented":
            continue
        icon, tone = ICONS.get(verb, ("circle-dot", ""))
        told = entry.data.get("resolution") or entry.data.get("reason") or entry.data.get("because") or ""
        happened.append(
            Happening(at=entry.at, icon=icon, tone=tone, who=entry.actor_name, what=verb.replace("_", " "), quote=str(told))
        )
    if not any(item.what == "opened" for item in happened):
        happened.append(Happening(at=case.opened_at, icon="octagon-alert", tone="late", who="Control Tower", what="opened"))
    return sorted(happened, key=lambda item: item.at, reverse=True)

"""The queue as a list: what its query string asks for, a page of it by key, its groups, and the counts of its views.

Everything here costs by what is shown, never by how much is open or has ever been: pages go on from the last row's key in an
index of the order, counts stop at :data:`COUNTED`, and a group shows its first rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import EmptyResultSet
from django.db import connection as database
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.http import QueryDict

from apps.accounts.models import Team, User
from apps.accounts.sight import Sight
from apps.exceptions import integration, types
from apps.exceptions.models import DUE, MONEY, UNRESOLVED, ExceptionCase, SavedView, Severity, Status
from apps.exceptions.screens import Row, workers
from apps.workflows import registry

PAGE = 50
IN_A_GROUP = 5
MOST_GROUPS = 40
# Counting stops here: nobody needs to know whether it is four or five thousand.
COUNTED = 1_000
MOST_VIEWS = 30

# What a query string may say of which exceptions there are to be; the rest of it says how they are shown.
FILTERS = ("q", "type", "severity", "status", "team", "owner", "workflow", "stage", "amount", "due", "connection", "company")
SHOWN_BY = ("sort", "group")
DUE_WITHIN = {
    "late": (timedelta(0), "Late"), "1h": (timedelta(hours=1), "Within 1 h"), "4h": (timedelta(hours=4), "Within 4 h"),
    "24h": (timedelta(hours=24), "Within 24 h"), "7d": (timedelta(days=7), "Within 7 days"),
}  # fmt: skip

# The named views, first the one most people start with; each is nothing but a query string.
VIEWS: tuple[tuple[str, dict[str, str]], ...] = (
    ("Mine", {"owner": "me"}),
    ("My teams", {"team": "mine"}),
    ("Unowned", {"owner": "none"}),
    ("Due within 1 h", {"due": "1h"}),
    ("All open", {}),
    ("Snoozed", {"status": "snoozed"}),
    ("Resolved", {"status": "resolved"}),
)


class Known:
    """The teams and people that a query string may name, each read once a page and only where it is asked for."""

    def __init__(self, user: User) -> None:
        self.user = user

    @cached_property
    def teams(self) -> list[Any]:
        """All teams; ``is_own`` tells those of the person."""
        own = Team.members.through.objects.filter(team=OuterRef("pk"), user=self.user)
        return list(Team.objects.annotate(is_own=Exists(own)).order_by("name"))

    @cached_property
    def workers(self) -> list[User]:
        """Who may own an exception."""
        return list(workers())

    def team_ids(self, wanted: str) -> list[int]:
        """The teams that the query string means: the person's own, or the one of that slug."""
        return [team.pk for team in self.teams if (team.is_own if wanted == "mine" else team.slug == wanted)]


@dataclass(frozen=True, kw_only=True)
class Order:
    """A way to sort: expressions that an index holds, each with how its value stands in a cursor."""

    word: str
    by: Any
    falls: bool = False

    def annotated(self, cases: QuerySet[ExceptionCase]) -> QuerySet[ExceptionCase]:
        """``cases`` in this order, each with the value that it is ordered by as ``key``."""
        signs = "-" if self.falls else ""
        return cases.annotate(key=self.by).order_by(f"{signs}key", f"{signs}id")

    def after(self, cases: QuerySet[ExceptionCase], cursor: str) -> QuerySet[ExceptionCase]:
        """What comes after the row that the cursor names, ``<key>~<id>``. A broken cursor begins anew."""
        text, _, last = cursor.rpartition("~")
        if not last.isascii() or not last.isdecimal() or len(last) > 18:
            return cases
        try:
            key: Any = self._read(text)
        except (ValueError, InvalidOperation):
            return cases
        beyond = "lt" if self.falls else "gt"
        # The first condition is what the index is entered by.
        return cases.filter(**{f"key__{beyond}e": key}).filter(Q(**{f"key__{beyond}": key}) | Q(**{f"id__{beyond}": int(last)}))

    def cursor(self, case: Any) -> str:
        """The cursor of a row of :meth:`annotated`."""
        key = case.key
        return f"{key.astimezone(UTC).isoformat() if isinstance(key, datetime) else key}~{case.id}"

    def _read(self, text: str) -> Any:
        if self is ORDERS["cost"]:
            return int(text)
        if self is ORDERS["money"]:
            number = Decimal(text)
            if not number.is_finite():
                raise ValueError(text)
            return number
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(text)
        return moment


ORDERS = {
    "cost": Order(word="What it costs to wait", by=F("rank")),
    "due": Order(word="Due first", by=DUE),
    "money": Order(word="Most money at risk", by=MONEY, falls=True),
    "age": Order(word="Oldest", by=F("opened_at")),
    "new": Order(word="Newest", by=F("opened_at"), falls=True),
}
ENDED = Order(word="Ended last", by=F("resolved_at"), falls=True)


def matching(filters: Mapping[str, str], *, known: Known, seen: Sight, now: datetime) -> QuerySet[ExceptionCase]:
    """The exceptions that the query string asks for. An unknown value filters to nothing rather than to everything."""
    cases = ExceptionCase.objects.filter(seen.of_records())
    if any("\x00" in value for value in filters.values()):
        return cases.none()
    cases = cases.filter(_by_status(filters.get("status", "")))
    if filters.get("type") == integration.WORKFLOW:
        filters = {**filters, "type": "", "workflow": integration.WORKFLOW}
    for name in ("type", "workflow"):
        if wanted := filters.get(name):
            cases = cases.filter(**{f"{name}__in": wanted.split(",")} if "," in wanted else {name: wanted})
    if stage := filters.get("stage"):
        # "order_to_cash.credit_review", or the stage alone.
        workflow, _, name = stage.rpartition(".")
        cases = cases.filter(Q(stage=name, workflow=workflow) if workflow else Q(stage=name))
    if severity := filters.get("severity"):
        # "3" is high or worse, "only3" high alone.
        only, level = severity.startswith("only"), severity.removeprefix("only")
        worse = int(level) if level.isdecimal() and not only else max(Severity.values)
        cases = cases.filter(severity__in=[one for one in Severity.values if str(one) == level or one > worse])
    cases = cases.filter(_by_people(filters, known))
    if due := filters.get("due"):
        within = DUE_WITHIN.get(due)
        cases = cases.filter(due_at__lte=now + within[0]) if within else cases.none()
    if amount := filters.get("amount"):
        try:
            cases = cases.filter(amount__gte=min(Decimal(amount), Decimal(10**17)))
        except (InvalidOperation, ValueError):
            cases = cases.none()
    if words := filters.get("q", "").strip():
        cases = cases.filter(Q(record_name__icontains=words) | Q(partner_name__icontains=words))
    return cases


def _by_status(status: str) -> Q:
    if status == "any":
        return Q()
    if not status:
        return UNRESOLVED
    # Both are said, so that the indexes of what is open serve.
    return Q(status=status) if status == Status.RESOLVED else Q(status=status) & UNRESOLVED


def _by_people(filters: Mapping[str, str], known: Known) -> Q:
    found = Q()
    team, owner = filters.get("team"), filters.get("owner")
    if team:
        found &= Q(team__in=known.team_ids(team))
    if owner == "me":
        found &= Q(owner=known.user)
    elif owner == "none":
        found &= Q(owner=None)
    elif owner:
        found &= Q(owner__username=owner)
    return found


def is_history(filters: Mapping[str, str]) -> bool:
    """Whether what has ended is listed, the newest first."""
    return filters.get("status") == Status.RESOLVED


@dataclass(frozen=True, kw_only=True)
class Group:
    """The exceptions that have something in common: how many (at most :data:`COUNTED`), and the first of them."""

    word: str
    query: str
    count: int
    rows: Sequence[Row]


@dataclass(frozen=True, kw_only=True)
class View:
    """A tab of the queue. ``id`` where somebody saved it, ``team`` where a team shares it."""

    word: str
    query: str
    count: int | None
    is_here: bool
    id: int | None = None
    team: str = ""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """One page of the queue."""

    rows: Sequence[Row]
    groups: Sequence[Group]
    views: Sequence[View]
    filters: dict[str, str]
    shown_by: dict[str, str]
    sort: str
    group: str
    query: str
    next_query: str
    is_first: bool
    is_history: bool
    total: int


def words_of(count: int | None) -> str:
    """A capped count as people read it."""
    return "" if count is None else f"{COUNTED:,}+" if count > COUNTED else f"{count:,}"


def stage_title(workflow: str, stage: str) -> str:
    """The stage as people read it."""
    known = registry.workflows().get(workflow)
    return next((one.title for one in known.stages if one.name == stage), stage) if known else stage


def row_of(case: ExceptionCase) -> Row:
    """The exception as a row."""
    return Row(case=case, type=types.title_of(case.type), stage=stage_title(case.workflow, case.stage))


def queue(query: Mapping[str, str], *, known: Known, seen: Sight, now: datetime) -> Queue:
    """One page of the queue, or its groups, with the counts of every view in one statement."""
    filters = {key: value for key, value in query.items() if key in FILTERS and value}
    shown_by = {key: value for key, value in query.items() if key in SHOWN_BY and value}
    history = is_history(filters)
    sort = "cost" if shown_by.get("sort") not in ORDERS else shown_by["sort"]
    group = shown_by["group"] if shown_by.get("group") in GROUPED and not history else ""
    order = ENDED if history else ORDERS[sort]
    cases, cursor = matching(filters, known=known, seen=seen, now=now), query.get("after", "")
    rows: list[Row] = []
    next_query = ""
    sets: dict[Any, QuerySet[ExceptionCase]] = {}
    if group:
        sets = _sets(group, cases, known)
    else:
        page = order.annotated(cases).select_related("owner", "team", "connection").defer("evidence")
        found = list((order.after(page, cursor) if cursor else page)[: PAGE + 1])
        rows = [row_of(case) for case in found[:PAGE]]
        if len(found) > PAGE:
            next_query = urlencode(filters | shown_by | {"after": order.cursor(found[PAGE - 1])})
    views, (total, *numbers) = _views(filters, known=known, seen=seen, now=now, beside=[cases, *sets.values()])
    return Queue(
        rows=rows, groups=_grouped(group, cases, sets, numbers, filters, shown_by, order, known) if group else [],
        views=views, filters=filters, shown_by=shown_by, sort=sort, group=group,
        query=urlencode(filters), next_query=next_query, is_first=not cursor, is_history=history, total=total,
    )  # fmt: skip


def counts_of(wanted: Sequence[QuerySet[Any]]) -> list[int]:
    """How many each holds, none counted beyond :data:`COUNTED`: one statement for all."""
    parts: list[str] = []
    values: list[Any] = []
    for cases in wanted:
        try:
            sql, given = cases.order_by().values("pk")[: COUNTED + 1].query.sql_with_params()
        except EmptyResultSet:
            parts.append("(SELECT 0)")
            continue
        parts.append(f"(SELECT count(*) FROM ({sql}) AS counted)")
        values += given
    with database.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", values)
        return [int(number) for number in cursor.fetchone()]


def saved_views(known: Known) -> list[SavedView]:
    """The views that the person saved, and those that their teams share."""
    own = SavedView.objects.filter(Q(owner=known.user, team=None) | Q(team__in=known.team_ids("mine"))).select_related("team")
    return list(own.order_by("team_id", "name", "id")[:MOST_VIEWS])


def _views(
    filters: dict[str, str], *, known: Known, seen: Sight, now: datetime, beside: Sequence[QuerySet[ExceptionCase]]
) -> tuple[list[View], list[int]]:
    """The tabs with what is in each; what has ended is not counted, it only grows. And how many ``beside`` hold."""
    tabs: list[tuple[str, dict[str, str], SavedView | None]] = [(word, wanted, None) for word, wanted in VIEWS]
    tabs += [(view.name, _parsed(view.query), view) for view in saved_views(known)]
    counted = [number for number, (_, wanted, _) in enumerate(tabs) if not is_history(wanted)]
    numbers = counts_of(
        [matching(_only(tabs[number][1], FILTERS), known=known, seen=seen, now=now) for number in counted] + list(beside)
    )
    by_tab = dict(zip(counted, numbers, strict=False))
    return [
        View(
            word=word, query=urlencode(wanted), count=by_tab.get(number), is_here=filters == _only(wanted, FILTERS),
            id=view.pk if view else None, team=str(view.team) if view and view.team else "",
        )
        for number, (word, wanted, view) in enumerate(tabs)
    ], numbers[len(counted) :]  # fmt: skip


def _parsed(query: str) -> dict[str, str]:
    return {name: value for name, value in QueryDict(query).items() if isinstance(value, str)}


def _only(query: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    return {name: value for name, value in query.items() if name in names and value}


# ---- Groups -------------------------------------------------------------------------------------------------------

# What the queue is grouped by → the column whose values are the groups.
GROUPED = {
    "type": "type", "severity": "severity", "team": "team_id", "owner": "owner_id", "stage": "stage", "workflow": "workflow",
    "customer": "partner_name",
}  # fmt: skip


def _sets(group: str, cases: QuerySet[ExceptionCase], known: Known) -> dict[Any, QuerySet[ExceptionCase]]:
    """What there is to group by, each with its exceptions.

    Of customers and stages, those of the costliest rows: nobody reads the thousandth.
    """
    if group == "type":
        # One that no workflow declares any more may still be open.
        values: list[Any] = list(dict.fromkeys([*types.titles(), *_of_the_costliest(group, cases)]))
    elif group == "severity":
        values = list(Severity.values)
    elif group == "team":
        values = [team.pk for team in known.teams]
    elif group == "owner":
        values = [None, *(user.pk for user in known.workers)]
    elif group == "workflow":
        values = [*registry.workflows(), integration.WORKFLOW]
    else:
        values = list(dict.fromkeys(_of_the_costliest(group, cases)))[:MOST_GROUPS]
    column = GROUPED[group]
    return {
        value: cases.filter(**{column: value} if value is not None else {f"{column}__isnull": True})
        for value in values
    }


def _of_the_costliest(group: str, cases: QuerySet[ExceptionCase]) -> QuerySet[Any, Any]:
    return cases.order_by("rank", "id").values_list(GROUPED[group], flat=True)[: COUNTED * 2]


def _grouped(
    group: str, cases: QuerySet[ExceptionCase], sets: dict[Any, QuerySet[ExceptionCase]], numbers: Sequence[int],
    filters: dict[str, str], shown_by: dict[str, str], order: Order, known: Known,
) -> list[Group]:  # fmt: skip
    """The groups that hold any, the one with the costliest first row first."""
    counts = {value: count for value, count in zip(sets, numbers, strict=True) if count}
    if not counts:
        return []
    parts: list[str] = []
    given: list[Any] = []
    for value in counts:
        sql, values = order.annotated(sets[value])[:IN_A_GROUP].values("id").query.sql_with_params()
        parts.append(f"(SELECT part.id FROM ({sql}) AS part)")
        given += values
    first = ExceptionCase.objects.filter(id__in=RawSQL(" UNION ALL ".join(parts), given))
    by_value: dict[Any, list[Row]] = {value: [] for value in counts}
    for case in order.annotated(first).select_related("owner", "team", "connection").defer("evidence"):
        by_value.get(getattr(case, GROUPED[group]), []).append(row_of(case))
    rest = {name: value for name, value in shown_by.items() if name != "group"}
    names, slugs = _names(group, list(counts), known)
    groups = [
        Group(
            word=names.get(value, str(value)), count=count, rows=by_value[value],
            query=urlencode(filters | {"q" if group == "customer" else group: slugs.get(value, str(value))} | rest),
        )
        for value, count in counts.items()
    ]  # fmt: skip
    return sorted(groups, key=lambda one: min((row.case.rank for row in one.rows), default=0))


def _names(group: str, values: Sequence[Any], known: Known) -> tuple[dict[Any, str], dict[Any, str]]:
    """The groups as people read them, and as the query string writes them where that is something else."""
    if group == "team":
        return {team.pk: team.name for team in known.teams}, {team.pk: team.slug for team in known.teams}
    if group == "owner":
        return ({None: "Nobody"} | {user.pk: str(user) for user in known.workers},
                {None: "none"} | {user.pk: user.username for user in known.workers})  # fmt: skip
    if group == "severity":
        return {level: Severity(level).label for level in values}, {level: f"only{level}" for level in values}
    if group == "type":
        return {name: types.title_of(name) for name in values}, {}
    if group == "workflow":
        return {name: workflow.title for name, workflow in registry.workflows().items()} | {integration.WORKFLOW: "Integration"}, {}
    if group == "stage":
        titles = {stage.name: stage.title for workflow in registry.workflows().values() for stage in workflow.stages}
        return {name: titles.get(name, name) or "No stage" for name in values}, {}
    return {name: name or "No customer" for name in values}, {}


def choices(known: Known) -> dict[str, Any]:
    """What the filters offer."""
    workflows = registry.workflows()
    return {
        "types": [(integration.WORKFLOW, "Anything of the integration"), *types.titles().items()],
        "severities": Severity.choices,
        "statuses": Status.choices,
        "workflows": [(workflow.name, workflow.title) for workflow in workflows.values() if workflow.exceptions],
        "stages": [
            (workflow.title, [(f"{workflow.name}.{stage.name}", stage.title) for stage in workflow.stages if stage.is_open])
            for workflow in workflows.values() if workflow.exceptions
        ],
        "dues": [(name, word) for name, (_, word) in DUE_WITHIN.items()],
        "orders": [(name, order.word) for name, order in ORDERS.items()],
        "groupings": [(name, name.capitalize()) for name in GROUPED],
        "teams": known.teams, "own_teams": [team for team in known.teams if team.is_own], "people": known.workers,
    }  # fmt: skip

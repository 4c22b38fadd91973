"""The queue as a list: a page of it by key, or its groups, with the counts of its views.

Everything here costs by what is shown, never by how much is open or has ever been: pages go on from the last row's key in an
index of the order, counts stop at :data:`~apps.exceptions.queue.counts.COUNTED`, and a group shows its first rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext, gettext_noop

from apps.accounts import access
from apps.accounts.access import AccessScope
from apps.core import query_strings
from apps.exceptions import types
from apps.exceptions.cases.rank_explanation import why_first
from apps.exceptions.models import CauseGroup, ExceptionCase, SavedView, Severity, Status
from apps.exceptions.queue import by_cause
from apps.exceptions.queue.counts import counts_of
from apps.exceptions.queue.filters import DUE_WITHIN, FILTERS, SHOWN_BY, Known, is_history, matching, only, parameters
from apps.exceptions.queue.groups import GROUP_WORDS, GROUPED, Group, grouped
from apps.exceptions.queue.orders import ENDED, ORDERS, Order
from apps.exceptions.queue.screens import Row, rows_of
from apps.workflows import registry

PAGE = 50
MOST_EXPORTED, EXPORTED_AT_ONCE = 10_000, 500
MOST_VIEWS = 30
UNGROUPED = "none"

# The named views, first the one most people start with; each is nothing but a query string.
VIEWS: tuple[tuple[str, dict[str, str]], ...] = (
    (gettext_noop("Mine"), {"owner": "me"}),
    (gettext_noop("My teams"), {"team": "mine"}),
    (gettext_noop("Unassigned"), {"owner": "none"}),
    (gettext_noop("Due within 1 h"), {"due": "1h"}),
    (gettext_noop("All open"), {}),
    (gettext_noop("Snoozed"), {"status": "snoozed"}),
    (gettext_noop("Resolved"), {"status": "resolved"}),
)


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

    rows: Sequence[by_cause.Line]
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
    why: str
    problems: Sequence[str] = ()


def problems_of(query: Mapping[str, str], known: Known) -> list[str]:
    """Return what of the query string the queue does not know, one sentence each."""
    shown_by = {
        "sort": query_strings.Parameter(label=gettext("Sort"), is_known=query_strings.one_of(ORDERS)),
        "group": query_strings.Parameter(label=gettext("Group"), is_known=query_strings.one_of([*GROUPED, UNGROUPED])),
    }
    return query_strings.problems_of(query, parameters(known) | shown_by, beside={"after", "case"})


def queue(
    query: Mapping[str, str], *, known: Known, access_scope: AccessScope, now: datetime, problems: Sequence[str] = ()
) -> Queue:
    """One page of the queue, or its groups, with the counts of every view in one statement.

    Of ``problems`` with the query string nothing is listed.
    """
    filters = {key: value for key, value in query.items() if key in FILTERS and value}
    shown_by = {key: value for key, value in query.items() if key in SHOWN_BY and value}
    history = is_history(filters)
    sort = "cost" if shown_by.get("sort") not in ORDERS else shown_by["sort"]
    group = shown_by["group"] if shown_by.get("group") in GROUPED and not history else ""
    # What one record has caused is one line, unless one looks into it or wants each by itself.
    is_by_cause = not group and not history and shown_by.get("group") != UNGROUPED and "cause" not in filters
    cases, cursor = matching(filters, known=known, access_scope=access_scope, now=now), query.get("after", "")
    # What is open comes in the order that was asked for, what has ended after it.
    parts = [(ORDERS[sort], cases)]
    if history:
        ended = matching({**filters, "status": Status.RESOLVED}, known=known, access_scope=access_scope, now=now)
        still_open = matching({**filters, "status": ""}, known=known, access_scope=access_scope, now=now)
        parts = [(ENDED, ended)] if filters["status"] == Status.RESOLVED else [(ORDERS[sort], still_open), (ENDED, ended)]
    rows: list[by_cause.Line] = []
    next_query = ""
    if problems:
        group, parts = "", []
    elif is_by_cause:
        rows, after = by_cause.page(
            cases,
            order=ORDERS[sort],
            cursor=cursor,
            size=PAGE,
            access_scope=access.scope_of(known.user),
            shown=access_scope,
            is_filtered=bool(filters),
        )
        next_query = urlencode(filters | shown_by | {"after": after}) if after else ""
    elif not group:
        found = _page(parts, cursor, access.scope_of(known.user))
        rows = list(rows_of([case for case, _ in found[:PAGE]]))
        if len(found) > PAGE:
            next_query = urlencode(filters | shown_by | {"after": found[PAGE - 1][1]})
    views, numbers = _views(filters, known=known, access_scope=access_scope, now=now, beside=[part for _, part in parts])
    return Queue(
        rows=rows,
        groups=grouped(group, cases, filters, shown_by, ORDERS[sort], known) if group else [],
        views=views,
        filters=filters,
        shown_by=shown_by,
        sort=sort,
        group=group or (UNGROUPED if shown_by.get("group") == UNGROUPED else ""),
        query=urlencode(filters),
        next_query=next_query,
        is_first=not cursor,
        is_history=history,
        total=sum(numbers),
        problems=problems,
        why=why_first(_top(rows[0]), now=now) if rows and sort == "cost" and not history and not cursor else "",
    )


def _top(line: by_cause.Line) -> ExceptionCase | CauseGroup:
    return line.group if isinstance(line, by_cause.GroupRow) else line.case


def export(query: Mapping[str, str], *, known: Known, access_scope: AccessScope, now: datetime) -> Iterator[Row]:
    """Return the rows that the query string asks for, in its order: at most :data:`MOST_EXPORTED`."""
    filters, cursor, left = only(query, FILTERS), "", MOST_EXPORTED
    order = ENDED if filters.get("status") == Status.RESOLVED else ORDERS.get(query.get("sort", ""), ORDERS["cost"])
    cases = matching(filters, known=known, access_scope=access_scope, now=now)
    while left > 0:
        page = list(order.page(cases, cursor, size=EXPORTED_AT_ONCE, access_scope=access.scope_of(known.user)))
        yield from rows_of(page[:left])
        left -= len(page)
        if len(page) < EXPORTED_AT_ONCE:
            return
        cursor = order.cursor(page[-1])


def _page(
    parts: Sequence[tuple[Order, QuerySet[ExceptionCase]]], cursor: str, access_scope: AccessScope
) -> list[tuple[ExceptionCase, str]]:
    """The rows of a page and one more, each with its cursor, from one part after the other.

    A cursor says of which part it is, by a digit before it where that is not the first.
    """
    found: list[tuple[ExceptionCase, str]] = []
    at, mark, text = cursor.partition("!")
    begin = int(at) if mark and at in {str(number) for number in range(len(parts))} else 0
    for number, (order, cases) in enumerate(parts):
        if number < begin or len(found) > PAGE:
            continue
        after = (text if mark else cursor) if number == begin else ""
        page = order.page(cases, after, size=PAGE + 1 - len(found), access_scope=access_scope)
        found += [(case, f"{number}!{order.cursor(case)}" if number else order.cursor(case)) for case in page]
    return found


def saved_views(known: Known) -> list[SavedView]:
    """The views that the person saved, and those that their teams share."""
    own = SavedView.objects.filter(Q(owner=known.user, team=None) | Q(team__in=known.team_ids("mine"))).select_related("team")
    return list(own.order_by("team_id", "name", "id")[:MOST_VIEWS])


def _views(
    filters: dict[str, str], *, known: Known, access_scope: AccessScope, now: datetime, beside: Sequence[QuerySet[ExceptionCase]]
) -> tuple[list[View], list[int]]:
    """The tabs with what is in each; what has ended is not counted, it only grows. And how many ``beside`` hold."""
    tabs: list[tuple[str, dict[str, str], SavedView | None]] = [(gettext(word), wanted, None) for word, wanted in VIEWS]
    tabs += [(view.name, _parsed(view.query), view) for view in saved_views(known)]
    counted = [number for number, (_, wanted, _) in enumerate(tabs) if not is_history(wanted)]
    numbers = counts_of(
        [matching(only(tabs[number][1], FILTERS), known=known, access_scope=access_scope, now=now) for number in counted]
        + list(beside)
    )
    by_tab = dict(zip(counted, numbers, strict=False))
    return [
        View(
            word=word,
            query=urlencode(wanted),
            count=by_tab.get(number),
            is_here=filters == only(wanted, FILTERS),
            id=view.pk if view else None,
            team=str(view.team) if view and view.team else "",
        )
        for number, (word, wanted, view) in enumerate(tabs)
    ], numbers[len(counted) :]


def _parsed(query: str) -> dict[str, str]:
    return {name: value for name, value in QueryDict(query).items() if isinstance(value, str)}


def choices(known: Known) -> dict[str, Any]:
    """What the filters offer."""
    workflows = registry.workflows()
    return {
        "types": types.by_workflow(),
        "severities": Severity.choices,
        "statuses": Status.choices,
        "workflows": [(workflow.name, gettext(workflow.title)) for workflow in workflows.values() if workflow.exceptions],
        "stages": [
            (
                gettext(workflow.title),
                [(f"{workflow.name}.{stage.name}", gettext(stage.title)) for stage in workflow.stages if stage.is_open],
            )
            for workflow in workflows.values()
            if workflow.exceptions
        ],
        "dues": [(name, gettext(word)) for name, (_, word) in DUE_WITHIN.items()],
        "orders": [(name, gettext(order.word)) for name, order in ORDERS.items()],
        "groupings": [(UNGROUPED, gettext("Each by itself")), *((name, gettext(GROUP_WORDS[name])) for name in GROUPED)],
        "teams": known.teams,
        "own_teams": [team for team in known.teams if team.is_own],
        "people": known.workers,
    }

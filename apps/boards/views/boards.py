"""The boards: overview, one workflow, its analysis, comparisons, the records behind each figure, and the wall."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from apps.accounts.permissions import POLICY_MAKERS
from apps.accounts.requests import PersonsRequest
from apps.boards import analysis, blocked_reasons, compare, drawing, eventlog, forecast, kpis, plots, queries
from apps.boards.queries import Narrowed
from apps.boards.views.parts import part, stage_called, workflow_called
from apps.boards.zone import begin_of, zone_in_sight
from apps.core import clock, sheets, streams
from apps.core.query_strings import one_of
from apps.odoo import request_scope
from apps.odoo.page_queries import is_cursor, is_moment, is_number, knows, moment_of, number_of
from apps.workflows import registry
from apps.workflows.models import FlowTally

# What narrows a list of records, in addresses; kept from page to page.
KEPT = ("connection", "company", "late", "due_within", "since_from", "since_to")
WALL_SECONDS = 20


# How far ahead a list may look, and how far back an event log.
MOST_HOURS, MOST_DAYS = 10_000, 36_500
IS_CSV = one_of(["csv"])
IS_PERIOD = one_of(analysis.PERIODS)
IS_ON = one_of(["1"])


def _is_workflow(name: str) -> bool:
    return name in registry.workflows()


def _is_day(text: str) -> bool:
    try:
        return 1970 <= date.fromisoformat(text).year < 2100
    except ValueError:
        return False


def _is_horizon(text: str) -> bool:
    hours = number_of(text)
    return hours is not None and 0 < hours <= MOST_HOURS


def _is_span(text: str) -> bool:
    days = number_of(text)
    return days is not None and 0 < days <= MOST_DAYS


def _is_end(text: str) -> bool:
    """True if a move can begin or end there: a stage of a workflow, today or in its past, or what lies outside of it."""
    if text in ("deleted", "left") or any(text == one.name for found in registry.workflows().values() for one in found.stages):
        return True
    return "\x00" not in text and FlowTally.objects.filter(Q(from_stage=text) | Q(to_stage=text)).exists()


def _days(request: PersonsRequest) -> int:
    asked = request.GET.get("days", "")
    return int(asked) if asked in map(str, analysis.PERIODS) else analysis.PERIODS[1]


@login_required
@require_safe
@knows()
def overview(request: PersonsRequest) -> HttpResponse:
    """All workflows: where does the money wait?"""
    now, shown = clock.now(), request_scope.scope_of(request, request.user)
    boards = [queries.board(workflow, now=now, seen=shown) for workflow in registry.workflows().values()]
    return render(request, "boards/overview.html", {"boards": boards, "worst": queries.worst_of(boards)})


@login_required
@require_safe
@knows()
def figures(request: PersonsRequest) -> HttpResponse:
    """Figures of the business and of the orchestration, told apart."""
    found = kpis.figures(now=clock.now(), seen=request_scope.scope_of(request, request.user))
    kinds = (
        (gettext("Business"), gettext("Customer and vendor service."), kpis.BUSINESS),
        (gettext("Orchestration"), gettext("Handling of exceptions and approvals."), kpis.ORCHESTRATION),
    )
    parts = [(title, text, [one for one in found if one.kpi.kind == kind]) for title, text, kind in kinds]
    return render(request, "boards/figures.html", {"parts": parts, "may_set": request.user.role in POLICY_MAKERS})


@login_required
@require_safe
@knows(workflows=lambda text: all(map(_is_workflow, text.split(","))), seconds=is_number)
def wall(request: PersonsRequest) -> HttpResponse:
    """All boards, one after the other, for a screen that nobody touches."""
    now, shown = clock.now(), request_scope.scope_of(request, request.user)
    asked = [name for name in request.GET.get("workflows", "").split(",") if name in registry.workflows()]
    workflows = [workflow for name, workflow in registry.workflows().items() if not asked or name in asked]
    boards = [queries.board(workflow, now=now, seen=shown) for workflow in workflows]
    seconds = number_of(request.GET.get("seconds"))
    context = {
        # A board on which nothing ever was is left out, unless it was asked for or there is no other.
        "boards": [board for board in boards if asked or board.open_count] or boards,
        "seconds": int(min(max(seconds, 5), 600)) if seconds else WALL_SECONDS,
        "narrowing": request_scope.in_topic(request),
    }
    return render(request, "boards/wall.html", context)


@login_required
@require_safe
@knows(format=IS_CSV)
def board(request: PersonsRequest, workflow: str) -> HttpResponseBase:
    """One workflow, stage by stage, with its bottleneck named."""
    now, found, shown = clock.now(), workflow_called(workflow), request_scope.scope_of(request, request.user)
    drawn = queries.board(found, now=now, seen=shown)
    if request.GET.get("format") == "csv":
        return sheets.answer(request, f"{found.name}-board", *_board_sheet(drawn))
    hours = queries.flow_by_hour(found, now=now, seen=shown)
    context = {"board": drawn, "hours": hours, "chart": plots.by_the_hour(hours), "narrowing": request_scope.in_topic(request)}
    return render(request, part(request, "boards/board.html", "stages"), context)


def _board_sheet(board: queries.Board) -> tuple[list[str], list[list[Any]]]:
    headings = [
        gettext("Stage"),
        gettext("Owner"),
        gettext("Records"),
        gettext("Value"),
        gettext("Currency"),
        gettext("Median age, s"),
        gettext("Oldest, s"),
        gettext("Target, s"),
        gettext("Over target"),
        gettext("Late value"),
        "Arrived, 24 h",
        "Departed, 24 h",
        "As of",
    ]
    return headings, [
        [
            stage.title,
            stage.owner,
            stage.count,
            stage.amount,
            stage.currency,
            stage.median_age_seconds,
            stage.oldest_age_seconds,
            stage.target_seconds,
            stage.over_target,
            stage.late_amount,
            stage.arrived_24h,
            stage.departed_24h,
            board.at,
        ]
        for stage in board.stages
    ]


@login_required
@require_safe
@knows()
def outlook(request: PersonsRequest, workflow: str) -> HttpResponse:
    """What the workflow's records wait for, and the breaches that are expected, as a part of its board."""
    now, found, shown = clock.now(), workflow_called(workflow), request_scope.scope_of(request, request.user)
    waiting = blocked_reasons.of(found, seen=shown)
    worst = queries.board(found, now=now, seen=shown).worst
    context = {
        "workflow": found,
        "waits": waiting,
        "relief": blocked_reasons.relief(waiting, worst),
        "forecast": forecast.of(found, now=now, seen=shown),
        "horizons": forecast.HORIZONS,
        "enough": forecast.ENOUGH,
    }
    return render(request, "boards/outlook.html", context)


@login_required
@require_safe
@knows(late=IS_ON, due_within=_is_horizon, since_from=is_moment, since_to=is_moment, after=is_cursor, format=IS_CSV)
def stage(request: PersonsRequest, workflow: str, stage: str) -> HttpResponseBase:
    """The records behind one figure of a stage, the longest there first."""
    found, now, shown = workflow_called(workflow), clock.now(), request_scope.scope_of(request, request.user)
    within = number_of(request.GET.get("due_within"))
    narrowed = Narrowed(
        only_late=request.GET.get("late") == "1",
        due_within=int(within) if within is not None else None,
        since_from=moment_of(request.GET.get("since_from")),
        since_to=moment_of(request.GET.get("since_to")),
    )
    here = stage_called(found, stage)
    if request.GET.get("format") == "csv":
        records = queries.positions_of(found.name, stage, seen=shown, now=now, narrowed=narrowed)
        return sheets.answer(
            request,
            f"{found.name}-{stage}",
            [
                gettext("Record"),
                gettext("Model"),
                gettext("ID in Odoo"),
                gettext("Connection"),
                gettext("Partner"),
                gettext("Value"),
                gettext("Currency"),
                gettext("In stage since"),
                gettext("Due"),
            ],
            (
                [
                    one.name,
                    one.model,
                    one.odoo_id,
                    one.connection.name,
                    one.partner_name,
                    one.amount,
                    one.currency,
                    one.since,
                    one.due_at,
                ]
                for one in records.iterator(chunk_size=2_000)
            ),
        )
    rows = list(queries.positions_in(found.name, stage, seen=shown, after=request.GET.get("after", ""), now=now, narrowed=narrowed))
    page, query = rows[: queries.PAGE], ""
    kept = {name: request.GET[name] for name in KEPT if request.GET.get(name)}
    if len(rows) > queries.PAGE:
        query = urlencode({"after": f"{page[-1].since.isoformat()}~{page[-1].id}"} | kept)
    context = {
        "workflow": found,
        "stage": here,
        "rows": page,
        "next_query": query,
        "narrowed": narrowed,
        "is_first": "after" not in request.GET,
        "first_query": urlencode(kept),
        "narrowing": request_scope.in_topic(request),
    }
    return render(request, part(request, "boards/stage.html", "list"), context)


@login_required
@require_safe
@knows(days=IS_PERIOD, format=IS_CSV)
def flow(request: PersonsRequest, workflow: str) -> HttpResponseBase:
    """How the workflow has flowed: ages, levels, cycle times, paths and throughput."""
    now, found, days = clock.now(), workflow_called(workflow), _days(request)
    told = analysis.of(found, now=now, days=days, seen=request_scope.scope_of(request, request.user))
    if request.GET.get("format") == "csv":
        return sheets.answer(
            request,
            f"{found.name}-{days}-days",
            [gettext("Part"), gettext("Sample"), gettext("At"), gettext("KPI")],
            _flow_sheet(told),
        )
    charts = {
        "levels": plots.cumulative_flow(told),
        "cycle": plots.cycle_times(told),
        "throughput": plots.throughput(told),
    }
    context = {
        "workflow": found,
        "told": told,
        "charts": charts,
        "periods": analysis.PERIODS,
        "picture": drawing.flow(found, told.paths),
        "ends": [title for title, _ in told.levels],
        "level_rows": [(at, [counts[number] for _, counts in told.levels]) for number, at in enumerate(told.moments)],
    }
    return render(request, "boards/flow.html", context)


def _flow_sheet(told: analysis.Analysis) -> Iterator[list[Any]]:
    for row in told.heat:
        cells = zip(told.headings, row.cells, strict=True)
        yield from ([gettext("Age in %(title)s") % {"title": row.title}, heading, "", cell.count] for heading, cell in cells)
    for title, counts in told.levels:
        yield from ([gettext("Open at end of day"), title, at, count] for at, count in zip(told.moments, counts, strict=True))
    yield from ([gettext("Cycle time"), one.title, "", one.count] for one in told.bins)
    yield from (
        [gettext("Path from %(from_title)s") % {"from_title": path.from_title}, path.to_title, "", path.count]
        for path in told.paths
    )
    for day in told.throughput:
        yield [gettext("In"), "", day.day, day.arrived]
        yield [gettext("Out"), "", day.day, day.departed]


@login_required
@require_safe
@knows(
    day=_is_day, first=is_moment, before=is_cursor, from_=_is_end, to=_is_end, ended=IS_ON, took_from=is_number, took_to=is_number
)
def moves(request: PersonsRequest, workflow: str) -> HttpResponse:
    """The moves behind a figure: a path, a day, or a length of time that the whole way took."""
    found, asked = workflow_called(workflow), request.GET
    last = clock.now()
    try:
        day = date.fromisoformat(asked.get("day", ""))
        zone = zone_in_sight(request_scope.scope_of(request, request.user))
        first = begin_of(day, zone=zone)
        last = min(last, begin_of(day + timedelta(days=1), zone=zone))
    except (ValueError, OverflowError):
        first = moment_of(asked.get("first")) or last - timedelta(days=analysis.PERIODS[1])
    moment, _, number = asked.get("before", "").partition("~")
    before_at = moment_of(moment)
    rows = analysis.moves(
        found,
        first=first,
        last=last,
        seen=request_scope.scope_of(request, request.user),
        from_stage=asked.get("from"),
        to_stage=asked.get("to"),
        is_ended=asked.get("ended") == "1",
        took=(number_of(asked.get("took_from")), number_of(asked.get("took_to"))),
        before=(before_at, int(number)) if before_at and number.isdecimal() and len(number) < 19 else None,
    )
    page, query = rows[: analysis.MOST_RECORDS], ""
    if len(rows) > analysis.MOST_RECORDS:
        kept = {name: value for name, value in asked.items() if name != "before"}
        query = urlencode(kept | {"before": f"{page[-1].at.isoformat()}~{page[-1].id}"})
    context = {
        "workflow": found,
        "rows": page,
        "next_query": query,
        "first": first,
        "last": last,
        "is_ended": asked.get("ended") == "1",
    }
    return render(request, "boards/moves.html", context)


@login_required
@require_safe
@knows(by=one_of(compare.CHOICES), days=IS_PERIOD, format=IS_CSV)
def comparison(request: PersonsRequest, workflow: str) -> HttpResponseBase:
    """One workflow's periods, companies, warehouses or teams beside each other."""
    found, days = workflow_called(workflow), _days(request)
    by = request.GET.get("by", "")
    by = by if by in compare.CHOICES else "period"
    told = compare.of(found, by, now=clock.now(), days=days, seen=request_scope.scope_of(request, request.user))
    if request.GET.get("format") == "csv":
        return sheets.answer(
            request,
            f"{found.name}-by-{by}",
            [
                gettext(compare.CHOICES[by]),
                gettext("Records"),
                gettext("Values"),
                gettext("Over target"),
                gettext("In"),
                gettext("Out"),
                gettext("Median cycle time, s"),
            ],
            (
                [
                    side.title,
                    side.count,
                    ", ".join(f"{amount} {currency}" for currency, amount in side.amounts),
                    side.over_target,
                    side.arrived,
                    side.departed,
                    side.cycle_seconds,
                ]
                for side in told.sides
            ),
        )
    context = {"workflow": found, "told": told, "choices": compare.CHOICES, "periods": analysis.PERIODS}
    return render(request, "boards/compare.html", context)


def _since(request: PersonsRequest, now: datetime) -> datetime | None:
    days = number_of(request.GET.get("days"))
    return now - timedelta(days=days) if days else None


@login_required
@require_safe
@knows(workflow=_is_workflow, days=_is_span)
def ocel(request: PersonsRequest) -> HttpResponseBase:
    """What happened as an object-centric event log, OCEL 2.0 in JSON: of one workflow, or of all."""
    now, name = clock.now(), request.GET.get("workflow", "")
    workflows = [workflow_called(name)] if name else list(registry.workflows().values())
    lines = eventlog.ocel(workflows, first=_since(request, now), now=now, seen=request_scope.scope_of(request, request.user))
    return streams.answer(request, f"{name or 'control-tower'}.jsonocel", "application/json", lines)


@login_required
@require_safe
@knows(workflow=_is_workflow, days=_is_span)
def xes(request: PersonsRequest) -> HttpResponseBase:
    """What happened in one workflow as an event log by cases, XES."""
    now, found = clock.now(), workflow_called(request.GET.get("workflow", ""))
    lines = eventlog.xes([found], first=_since(request, now), now=now, seen=request_scope.scope_of(request, request.user))
    return streams.answer(request, f"{found.name}.xes", "application/xml", lines)

"""Analytics as pages: paths, comparisons, the moves behind a figure, event logs."""

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

from apps.accounts.requests import PersonsRequest
from apps.boards.analytics import analysis, compare, drawing, eventlog, plots
from apps.boards.boards.zone import begin_of, zone_in_sight
from apps.boards.parts import is_workflow, workflow_called
from apps.core import clock, sheets, streams
from apps.core.query_strings import one_of
from apps.odoo import request_scope
from apps.odoo.page_queries import is_cursor, is_day, is_moment, is_number, knows, moment_of, number_of
from apps.workflows import registry
from apps.workflows.models import FlowTally

IS_CSV = one_of(["csv"])
IS_ON = one_of(["1"])
# How far back an event log may look.
MOST_DAYS = 36_500

IS_PERIOD = one_of(analysis.PERIODS)


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
@knows(days=IS_PERIOD, format=IS_CSV)
def flow(request: PersonsRequest, workflow: str) -> HttpResponseBase:
    """How the workflow has flowed: ages, levels, cycle times, paths and throughput."""
    now, found, days = clock.now(), workflow_called(workflow), _days(request)
    told = analysis.analysis_of(found, now=now, days=days, access_scope=request_scope.scope_of(request, request.user))
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
    day=is_day, first=is_moment, before=is_cursor, from_=_is_end, to=_is_end, ended=IS_ON, took_from=is_number, took_to=is_number
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
        access_scope=request_scope.scope_of(request, request.user),
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
    told = compare.comparison_of(found, by, now=clock.now(), days=days, access_scope=request_scope.scope_of(request, request.user))
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
@knows(workflow=is_workflow, days=_is_span)
def ocel(request: PersonsRequest) -> HttpResponseBase:
    """What happened as an object-centric event log, OCEL 2.0 in JSON: of one workflow, or of all."""
    now, name = clock.now(), request.GET.get("workflow", "")
    workflows = [workflow_called(name)] if name else list(registry.workflows().values())
    lines = eventlog.ocel(
        workflows, first=_since(request, now), now=now, access_scope=request_scope.scope_of(request, request.user)
    )
    return streams.answer(request, f"{name or 'control-tower'}.jsonocel", "application/json", lines)


@login_required
@require_safe
@knows(workflow=is_workflow, days=_is_span)
def xes(request: PersonsRequest) -> HttpResponseBase:
    """What happened in one workflow as an event log by cases, XES."""
    now, found = clock.now(), workflow_called(request.GET.get("workflow", ""))
    lines = eventlog.xes([found], first=_since(request, now), now=now, access_scope=request_scope.scope_of(request, request.user))
    return streams.answer(request, f"{found.name}.xes", "application/xml", lines)

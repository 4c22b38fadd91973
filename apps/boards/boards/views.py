"""The boards: overview, one workflow, its analysis, comparisons, the records behind each figure, and the wall."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from apps.accounts.access import AccessScope
from apps.accounts.permissions import POLICY_MAKERS
from apps.accounts.requests import PersonsRequest
from apps.boards.analytics import plots
from apps.boards.boards import blocked_reasons, forecast, kpi_catalogue, kpi_records, kpis, queries
from apps.boards.boards.date_range import DateRange, DateRangeError, date_range
from apps.boards.boards.kpi import BUSINESS, ORCHESTRATION
from apps.boards.boards.kpi_slices import BOARD_SLICES, SLICES, Part
from apps.boards.boards.queries import Narrowed
from apps.boards.boards.slice_choice import ALL_SLICES, FIGURE_SLICES, TOLD_ONLY, choice_for, choice_of, part_in
from apps.boards.boards.slice_choice import problems_of as slice_problems
from apps.boards.models import KpiAlert
from apps.boards.parts import is_workflow, stage_called, workflow_called
from apps.core import clock, sheets
from apps.core.fragments import part
from apps.core.query_strings import one_of
from apps.odoo import request_scope
from apps.odoo.page_queries import is_cursor, is_day, is_moment, is_number, knows, moment_of, number_of, refused
from apps.workflows import registry

# What narrows a list of records, in addresses; kept from page to page.
WHERE, WHICH = ("connection", "company"), ("late", "due_within", "since_from", "since_to")
WALL_SECONDS = 20


# How far ahead a list may look.
MOST_HOURS = 10_000
IS_CSV = one_of(["csv"])
IS_ON = one_of(["1"])


def _is_horizon(text: str) -> bool:
    hours = number_of(text)
    return hours is not None and 0 < hours <= MOST_HOURS


@login_required
@require_safe
@knows()
def overview(request: PersonsRequest) -> HttpResponse:
    """All workflows: where does the money wait?"""
    now, shown = clock.now(), request_scope.scope_of(request, request.user)
    boards = [queries.board(workflow, now=now, access_scope=shown) for workflow in registry.workflows().values()]
    return render(request, "boards/overview.html", {"boards": boards, "worst": queries.worst_of(boards)})


@login_required
@require_safe
@knows(since=is_day, until=is_day, **FIGURE_SLICES)
def figures(request: PersonsRequest) -> HttpResponse:
    """Figures of the business and of the orchestration, told apart, over the days that are asked for."""
    shown = request_scope.scope_of(request, request.user)
    days, problem = _days(request, shown)
    chosen = choice_of(request, shown, SLICES)
    found = kpis.figures(now=days.until, since=days.since, access_scope=shown, part=chosen.part)
    kinds = (
        (gettext("Business"), gettext("Customer and vendor service."), BUSINESS),
        (gettext("Orchestration"), gettext("Handling of exceptions and approvals."), ORCHESTRATION),
    )
    parts = [(title, text, [one for one in found if one.kpi.kind == kind]) for title, text, kind in kinds]
    context = {
        "parts": parts,
        "may_set": request.user.role in POLICY_MAKERS,
        "alerts": set(KpiAlert.objects.filter(user=request.user).values_list("kpi", "workflow")),
        "days": days,
        "problem": problem,
        "kept_query": _kept_query(request, days, chosen.part),
        "slices": chosen,
    }
    return render(request, "boards/figures.html", context, status=400 if problem else 200)


def _days(request: PersonsRequest, shown: AccessScope) -> tuple[DateRange, str]:
    """The days that are asked for, and what is wrong with them; the last thirty where something is."""
    now = clock.now()
    try:
        return date_range(request.GET, access_scope=shown, now=now), ""
    except DateRangeError as error:
        return date_range({}, access_scope=shown, now=now), str(error)


def _kept_query(request: PersonsRequest, days: DateRange, part: Part | None) -> str:
    """What leads from a figure to its records: where one looks, the days and the part that it is of."""
    kept: dict[str, Any] = {name: request.GET[name] for name in ("connection", "company") if request.GET.get(name)}
    kept |= {"since": days.first, "until": days.last} if days.is_asked else {}
    return urlencode(kept | (dict(part.numbers) if part else {}))


@login_required
@require_safe
@knows(
    missed=IS_ON,
    offset=request_scope.is_number,
    since=is_day,
    until=is_day,
    **FIGURE_SLICES,
)
def figure_records(request: PersonsRequest, name: str, workflow: str) -> HttpResponse:
    """The records behind a figure, the worst first."""
    kpi = next((one for one in kpi_catalogue.KPIS if one.name == name), None)
    if kpi is None:
        raise Http404("There is no such figure.")
    offset, only_missed = int(request.GET.get("offset") or 0), request.GET.get("missed") == "1"
    shown = request_scope.scope_of(request, request.user)
    days, problem = _days(request, shown)
    part = part_in(request, shown, SLICES)
    rows = kpi_records.records_behind(
        kpi, workflow, now=days.until, since=days.since, access_scope=shown, part=part, only_missed=only_missed, offset=offset
    )
    size = kpi_records.PAGE_SIZE
    context = {
        "kpi": kpi,
        "unit": kpi.level.unit if kpi.level else kpi.unit,
        "workflow": registry.workflows().get(workflow),
        "rows": rows[:size],
        "only_missed": only_missed,
        "following": offset + size if len(rows) > size else None,
        "days": days,
        "problem": problem,
        "kept_query": _kept_query(request, days, part),
    }
    return render(request, "boards/figure_records.html", context, status=400 if problem else 200)


@login_required
@require_safe
@knows(workflows=lambda text: all(map(is_workflow, text.split(","))), seconds=is_number, **ALL_SLICES)
def wall(request: PersonsRequest) -> HttpResponse:
    """All boards, one after the other, for a screen that nobody touches; of a part, those that know it."""
    now, shown = clock.now(), request_scope.scope_of(request, request.user)
    asked = [name for name in request.GET.get("workflows", "").split(",") if name in registry.workflows()]
    workflows = [
        workflow
        for name, workflow in registry.workflows().items()
        if (not asked or name in asked) and not slice_problems(request, workflow)
    ]
    chosen = choice_for(request, shown, workflows)
    boards = [queries.board(workflow, now=now, access_scope=shown, part=chosen.part) for workflow in workflows]
    seconds = number_of(request.GET.get("seconds"))
    context = {
        # A board on which nothing ever was is left out, unless it was asked for or there is no other.
        "boards": [board for board in boards if asked or board.open_count] or boards,
        "seconds": int(min(max(seconds, 5), 600)) if seconds else WALL_SECONDS,
        "narrowing": TOLD_ONLY if chosen.part else request_scope.in_topic(request),
        "slices": chosen,
    }
    return render(request, "boards/wall.html", context)


@login_required
@require_safe
@knows(format=IS_CSV, **ALL_SLICES)
def board(request: PersonsRequest, workflow: str) -> HttpResponseBase:
    """One workflow, stage by stage, with its bottleneck named: of all in sight, or of a part of the business."""
    now, found, shown = clock.now(), workflow_called(workflow), request_scope.scope_of(request, request.user)
    if problems := slice_problems(request, found):
        return refused(request, problems)
    chosen = choice_for(request, shown, [found])
    drawn = queries.board(found, now=now, access_scope=shown, part=chosen.part)
    if request.GET.get("format") == "csv":
        return sheets.answer(request, f"{found.name}-board", *_board_sheet(drawn))
    hours = queries.flow_by_hour(found, now=now, access_scope=shown, part=chosen.part)
    context = {
        "board": drawn,
        "hours": hours,
        "chart": plots.by_the_hour(hours),
        "narrowing": TOLD_ONLY if chosen.part else request_scope.in_topic(request),
        "slices": chosen,
    }
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
@knows(**ALL_SLICES)
def outlook(request: PersonsRequest, workflow: str) -> HttpResponseBase:
    """What the workflow's records wait for, and the breaches that are expected, as a part of its board."""
    now, found, shown = clock.now(), workflow_called(workflow), request_scope.scope_of(request, request.user)
    if problems := slice_problems(request, found):
        return refused(request, problems)
    chosen = choice_for(request, shown, [found])
    waiting = blocked_reasons.reasons_of(found, access_scope=shown, part=chosen.part)
    worst = queries.board(found, now=now, access_scope=shown, part=chosen.part).worst
    context = {
        "workflow": found,
        "waits": waiting,
        "relief": blocked_reasons.relief(waiting, worst),
        "forecast": forecast.forecast_of(found, now=now, access_scope=shown, part=chosen.part),
        "horizons": forecast.HORIZONS,
        "enough": forecast.ENOUGH,
        "slices": chosen,
    }
    return render(request, "boards/outlook.html", context)


@login_required
@require_safe
@knows(late=IS_ON, due_within=_is_horizon, since_from=is_moment, since_to=is_moment, after=is_cursor, format=IS_CSV, **ALL_SLICES)
def stage(request: PersonsRequest, workflow: str, stage: str) -> HttpResponseBase:
    """The records behind one figure of a stage, the longest there first."""
    found, now, shown = workflow_called(workflow), clock.now(), request_scope.scope_of(request, request.user)
    here = stage_called(found, stage)
    if problems := slice_problems(request, found):
        return refused(request, problems)
    chosen = choice_for(request, shown, [found])
    within = number_of(request.GET.get("due_within"))
    narrowed = Narrowed(
        only_late=request.GET.get("late") == "1",
        due_within=int(within) if within is not None else None,
        since_from=moment_of(request.GET.get("since_from")),
        since_to=moment_of(request.GET.get("since_to")),
        part=chosen.part,
    )
    if request.GET.get("format") == "csv":
        records = queries.positions_of(found, stage, access_scope=shown, now=now, narrowed=narrowed)
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
    rows = list(
        queries.positions_in(found, stage, access_scope=shown, after=request.GET.get("after", ""), now=now, narrowed=narrowed)
    )
    page, query = rows[: queries.PAGE], ""
    kept = {name: request.GET[name] for name in (*WHERE, *BOARD_SLICES, *WHICH) if request.GET.get(name)}
    where = {name: value for name, value in kept.items() if name not in WHICH}
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
        "is_every": where == kept,
        "where_query": urlencode(where),
        "slices": chosen,
    }
    return render(request, part(request, "boards/stage.html", "list"), context)

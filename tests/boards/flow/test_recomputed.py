"""Every figure of a board and of its flow, recomputed from the raw transitions and positions."""

import re
import statistics
from collections import Counter, defaultdict
from datetime import datetime, timedelta

import pytest
from django.test import Client

from apps.accounts.access import EVERYTHING, AccessScope
from apps.accounts.models import User
from apps.boards.analytics import analysis, compare, drawing
from apps.boards.boards import blocked_reasons, figures, queries
from apps.workflows import registry
from apps.workflows.models import Position, Transition
from tests.boards.flow.orders import NAME, scope_of
from tests.world import NOW, World


@pytest.mark.parametrize("company", [None, 2])
def test_a_board_and_its_ages_and_trend_equal_a_recomputation(
    world: World, history: tuple[list[Position], list[Transition]], company: int | None
) -> None:
    places = [one for one in history[0] if company in (None, one.company_id)]
    moves = [one for one in history[1] if company in (None, one.company_id)]
    workflow = registry.workflows()[NAME]
    drawn = queries.board(workflow, now=NOW, access_scope=scope_of(company, world))
    midnight = NOW.replace(hour=0)
    for stage, shown in zip(workflow.stages, drawn.stages, strict=True):
        recent = [one for one in moves if NOW - timedelta(hours=24) < one.at <= NOW]
        assert shown.arrived_24h == sum(one.to_stage == stage.name for one in recent)
        assert shown.departed_24h == sum(one.from_stage == stage.name for one in recent)
        if not stage.is_open:
            continue
        here = [one for one in places if one.stage == stage.name]
        assert shown.count == len(here)
        assert shown.amount == sum(one.amount for one in here)
        assert shown.over_target == sum(1 for one in here if one.due_at and one.due_at < NOW)
        assert shown.late_amount == sum(one.amount for one in here if one.due_at and one.due_at < NOW)
        if not here:
            continue
        ages = [(NOW - one.since) / stage.target for one in here]
        assert shown.median_age_seconds == pytest.approx(statistics.median(ages) * stage.target.total_seconds(), abs=1)
        bands = Counter(0 if age <= 0.5 else 1 if age <= 1 else 2 if age <= 2 else 3 for age in ages)
        assert [band.count for band in shown.ages] == [bands[number] for number in range(4)]
        ends = [midnight - timedelta(days=back) for back in reversed(range(figures.TREND_DAYS))]
        assert shown.trend[-1] == len(here)
        assert shown.trend[:-1] == [
            sum((one.to_stage == stage.name) - (one.from_stage == stage.name) for one in moves if one.at < end) for end in ends
        ]


def test_the_flow_of_a_workflow_equals_a_recomputation(world: World, history: tuple[list[Position], list[Transition]]) -> None:
    places, moves = history
    workflow = registry.workflows()[NAME]
    told = analysis.analysis_of(workflow, now=NOW, days=28, access_scope=EVERYTHING)
    opened = {stage.name for stage in workflow.stages if stage.is_open}
    first = NOW.replace(hour=0) - timedelta(days=27)
    ended = [one for one in moves if one.at >= first and one.from_stage in opened and one.to_stage not in opened]
    began: dict[int, datetime] = {}
    for one in moves:
        began[one.odoo_id] = min(began.get(one.odoo_id, one.at), one.at)
    hours = [(one.at - began[one.odoo_id]).total_seconds() / 3600 for one in ended]
    assert told.ended == len(ended) > 20
    assert told.quantiles[0] == pytest.approx(statistics.median(hours))
    cuts = [number for number, _ in analysis.CUTS]
    assert [one.count for one in told.bins] == [
        sum(low <= hour < high for hour in hours) for low, high in zip([0, *cuts], [*cuts, 1e9], strict=True)
    ]
    paths = Counter((one.from_stage, one.to_stage) for one in moves if one.at >= first)
    assert {(path.from_stage, path.to_stage): path.count for path in told.paths} == paths
    assert any(path.is_back for path in told.paths)
    by_day = Counter(one.at.date() for one in ended)
    assert {day.day: day.departed for day in told.throughput if day.departed} == by_day
    came = Counter(one.at.date() for one in moves if one.at >= first and one.to_stage in opened and one.from_stage not in opened)
    assert {day.day: day.arrived for day in told.throughput if day.arrived} == came
    ages = defaultdict(list)
    for one in places:
        if one.is_open:
            ages[workflow.stage(one.stage).title].append((NOW - one.since).total_seconds() / 3600)
    for row in told.heat:
        assert [cell.count for cell in row.cells] == [
            sum(low < age <= high for age in ages[row.title]) for low, high in zip([-1, *cuts], [*cuts, 1e9], strict=True)
        ]


def test_behind_every_figure_are_as_many_records_as_it_says(world: World, history: object) -> None:
    workflow = registry.workflows()[NAME]
    told = analysis.analysis_of(workflow, now=NOW, days=28, access_scope=EVERYTHING)
    first = NOW.replace(hour=0) - timedelta(days=27)
    for path in told.paths[:5]:
        rows = analysis.moves(
            workflow,
            first=first,
            last=NOW + timedelta(seconds=1),
            access_scope=EVERYTHING,
            from_stage=path.from_stage,
            to_stage=path.to_stage,
        )
        assert len(rows) == min(path.count, analysis.MOST_RECORDS + 1)
    for number, one in enumerate(told.bins):
        cuts = [None, *(hours for hours, _ in analysis.CUTS), None]
        rows = analysis.moves(
            workflow,
            first=first,
            last=NOW + timedelta(seconds=1),
            access_scope=EVERYTHING,
            is_ended=True,
            took=(cuts[number], cuts[number + 1]),
        )
        assert len(rows) == min(one.count, analysis.MOST_RECORDS + 1)


def test_every_path_between_two_stages_is_drawn_once(world: World, history: object) -> None:
    workflow = registry.workflows()[NAME]
    paths = analysis.analysis_of(workflow, now=NOW, days=84, access_scope=EVERYTHING).paths
    picture = drawing.flow(workflow, paths)
    most = 15 * picture.node_width // 100
    assert all(len(node.lines) <= 3 and max(map(len, node.lines)) <= most for node in picture.nodes)
    # A page of 1440 px has so much room beside the rail.
    assert picture.width <= 1_180
    ends = [node.x + picture.node_width for node in picture.nodes]
    assert all(end < after.x for end, after in zip(ends, picture.nodes[1:], strict=False)) and ends[-1] <= picture.width
    assert len(picture.arcs) == sum(path.from_stage != path.to_stage for path in paths)
    assert all(0 <= arc.y <= picture.height for arc in picture.arcs)


def test_cycle_times_are_told_in_days(world: World, history: object) -> None:
    client = Client()
    client.force_login(User.objects.get(username="mia"))
    page = client.get("/boards/order_to_cash/flow/?days=84").content.decode()
    facts = re.search(r'id="cycle-h".*?</dl>', page, re.S)
    assert facts and re.search(r"<dt>Median</dt><dd>\d+ d", facts[0]), facts and facts[0]


def test_a_held_order_waits_for_its_decision_and_its_exception(world: World) -> None:
    world.held_order(amount=6_200)
    waiting = blocked_reasons.reasons_of(registry.workflows()[NAME], access_scope=EVERYTHING)
    assert {(one.what, one.stage_name, one.count) for one in waiting} == {
        ("decision", "credit_review", 1),
        ("exception", "credit_review", 1),
    }
    assert "blocked by an open" in blocked_reasons.relief(waiting, "credit_review")
    assert (
        blocked_reasons.reasons_of(registry.workflows()[NAME], access_scope=AccessScope(frozenset({(world.connection.pk, 9)})))
        == []
    )


def test_periods_and_companies_compare_what_really_moved(world: World, history: tuple[list[Position], list[Transition]]) -> None:
    workflow = registry.workflows()[NAME]
    opened = {stage.name for stage in workflow.stages if stage.is_open}
    last, before = compare.comparison_of(workflow, "period", now=NOW, days=28, access_scope=EVERYTHING).sides
    for side, end in ((last, NOW), (before, NOW - timedelta(days=28))):
        moves = [one for one in history[1] if end - timedelta(days=28) < one.at <= end]
        assert side.departed == sum(one.from_stage in opened and one.to_stage not in opened for one in moves)
        assert side.arrived == sum(one.to_stage in opened and one.from_stage not in opened for one in moves)
    sides = compare.comparison_of(workflow, "company", now=NOW, days=7, access_scope=EVERYTHING).sides
    assert sorted(side.count for side in sides) == sorted(Counter(one.company_id for one in history[0] if one.is_open).values())
    assert sum(
        side.count for side in compare.comparison_of(workflow, "team", now=NOW, days=7, access_scope=EVERYTHING).sides
    ) == sum(one.is_open for one in history[0])

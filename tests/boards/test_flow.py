"""Every figure of flow, forecast and event log, recomputed from the raw transitions and positions."""

import csv
import io
import json
import random
import re
import statistics
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.test import AsyncClient, Client

from apps.accounts.access import EVERYTHING, AccessScope
from apps.accounts.models import User
from apps.boards.analytics import analysis, compare, drawing, eventlog
from apps.boards.boards import blocked_reasons, figures, forecast, queries
from apps.core import clock, sheets
from apps.workflows import registry, tallies
from apps.workflows.models import Position, Transition
from tests.world import NOW, World

NAME = "order_to_cash"
HISTORY_DAYS = 60


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    cache.clear()


@pytest.fixture
def history(world: World) -> tuple[list[Position], list[Transition]]:
    """Six hundred orders that went their ways in two companies, some of them back and forth."""
    dice = random.Random(8)
    stages = registry.workflows()[NAME].stages
    opened, ends = [one for one in stages if one.is_open], [one for one in stages if not one.is_open]
    places, moves = [], []
    for number in range(5_000, 5_600):
        at, before, company = NOW - timedelta(days=dice.uniform(0, HISTORY_DAYS)), "", dice.choice([1, 2])
        path = [*(one for one in opened if dice.random() < 0.6), dice.choice(ends)]
        if dice.random() < 0.3 and len(path) > 2:
            path.insert(2, path[0])
        here = None
        for stage in path:
            if at > NOW:
                break
            moves.append(
                Transition(
                    connection=world.connection,
                    workflow=NAME,
                    model="sale.order",
                    odoo_id=number,
                    from_stage=before,
                    to_stage=stage.name,
                    at=at,
                    seen_at=at,
                    company_id=company,
                    amount=number,
                )
            )
            here, since, before = stage, at, stage.name
            at += (stage.target or timedelta(hours=9)) * dice.lognormvariate(-0.4, 0.8)
        if here:
            places.append(
                Position(
                    connection=world.connection,
                    workflow=NAME,
                    model="sale.order",
                    odoo_id=number,
                    name=f"S{number}",
                    stage=here.name,
                    since=since,
                    is_open=here.is_open,
                    amount=number,
                    currency="EUR",
                    company_id=company,
                    due_at=since + here.target if here.is_open and here.target else None,
                )
            )
    Position.objects.bulk_create(places)
    Transition.objects.bulk_create(moves)
    tallies.fold()
    return places, moves


def of(company: int | None, world: World) -> AccessScope:
    return EVERYTHING if company is None else AccessScope(frozenset({(world.connection.pk, company)}))


@pytest.mark.parametrize("company", [None, 2])
def test_a_board_and_its_ages_and_trend_equal_a_recomputation(
    world: World, history: tuple[list[Position], list[Transition]], company: int | None
) -> None:
    places = [one for one in history[0] if company in (None, one.company_id)]
    moves = [one for one in history[1] if company in (None, one.company_id)]
    workflow = registry.workflows()[NAME]
    drawn = queries.board(workflow, now=NOW, seen=of(company, world))
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
    told = analysis.of(workflow, now=NOW, days=28, seen=EVERYTHING)
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
    told = analysis.of(workflow, now=NOW, days=28, seen=EVERYTHING)
    first = NOW.replace(hour=0) - timedelta(days=27)
    for path in told.paths[:5]:
        rows = analysis.moves(
            workflow,
            first=first,
            last=NOW + timedelta(seconds=1),
            seen=EVERYTHING,
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
            seen=EVERYTHING,
            is_ended=True,
            took=(cuts[number], cuts[number + 1]),
        )
        assert len(rows) == min(one.count, analysis.MOST_RECORDS + 1)


def test_every_path_between_two_stages_is_drawn_once(world: World, history: object) -> None:
    workflow = registry.workflows()[NAME]
    paths = analysis.of(workflow, now=NOW, days=84, seen=EVERYTHING).paths
    picture = drawing.flow(workflow, paths)
    most = 15 * picture.node_width // 100
    assert all(len(node.lines) <= 3 and max(map(len, node.lines)) <= most for node in picture.nodes)
    # A page of 1440 px has so much room beside the rail.
    assert picture.width <= 1_180
    ends = [node.x + picture.node_width for node in picture.nodes]
    assert all(end < after.x for end, after in zip(ends, picture.nodes[1:], strict=False)) and ends[-1] <= picture.width
    assert len(picture.arcs) == sum(path.from_stage != path.to_stage for path in paths)
    assert all(0 <= arc.y <= picture.height for arc in picture.arcs)


def kaplan_meier(stays: list[tuple[float, bool]], age: float) -> float:
    """The chance to last until the target (1) for what has lasted ``age``, by hundredths of the target."""
    beyond = 1.0
    for bucket in range(100):
        at_risk = sum(min(int(lasted * 100), 200) >= bucket for lasted, _ in stays)
        ended = sum(has_ended and int(lasted * 100) == bucket for lasted, has_ended in stays)
        if bucket >= int(age * 100) and ended:
            beyond *= 1 - ended / at_risk
    return beyond


def test_the_expected_breaches_are_those_of_the_survival_curve_of_the_stays(
    world: World, history: tuple[list[Position], list[Transition]]
) -> None:
    workflow = registry.workflows()[NAME]
    stage = workflow.stage("quotation")
    by_record: dict[int, list[Transition]] = defaultdict(list)
    for one in history[1]:
        by_record[one.odoo_id].append(one)
    stays = []
    for moves in by_record.values():
        for one, after in zip(moves, [*moves[1:], None], strict=True):
            if one.to_stage == stage.name:
                stays.append((((after.at if after else NOW) - one.at) / stage.target, after is not None))
    assert sum(ended for _, ended in stays) > forecast.ENOUGH
    due = [one for one in history[0] if one.stage == stage.name and NOW <= one.due_at < NOW + timedelta(hours=24)]
    told = next(one for one in forecast.of(workflow, now=NOW, seen=EVERYTHING).stages if one.stage == stage.name)
    assert told.sample == sum(ended for _, ended in stays)
    assert told.due[24] == len(due) > 0
    assert told.expected[24] == pytest.approx(sum(kaplan_meier(stays, (NOW - one.since) / stage.target) for one in due), abs=0.01)
    assert not told.is_bound


def test_a_bound_is_never_added_to_an_estimate() -> None:
    def stage(*, due: int, expected: float, is_bound: bool) -> forecast.StageForecast:
        return forecast.StageForecast(
            stage="s",
            title="S",
            due=dict.fromkeys(forecast.HORIZONS, due),
            expected=dict.fromkeys(forecast.HORIZONS, expected),
            sample=40,
            is_bound=is_bound,
            tried_on=0,
            tried_expected=0,
            tried_broke=0,
            error=None,
        )

    mixed = forecast.Forecast(
        stages=[stage(due=12, expected=9.6, is_bound=False), stage(due=30, expected=30, is_bound=True)]
    ).outlooks[0]
    assert (mixed.due, mixed.estimated, mixed.expected, mixed.without_estimate) == (42, 12, 9.6, 30)
    unknown = forecast.Forecast(stages=[stage(due=42, expected=42, is_bound=True)]).outlooks[0]
    assert (unknown.due, unknown.estimated, unknown.expected) == (42, 0, 0)


def test_cycle_times_are_told_in_days(world: World, history: object) -> None:
    client = Client()
    client.force_login(User.objects.get(username="mia"))
    page = client.get("/boards/order_to_cash/flow/?days=84").content.decode()
    facts = re.search(r'id="cycle-h".*?</dl>', page, re.S)
    assert facts and re.search(r"<dt>Median</dt><dd>\d+ d", facts[0]), facts and facts[0]


def test_the_forecast_is_tried_on_weeks_that_it_has_not_seen(world: World, history: object) -> None:
    told = forecast.of(registry.workflows()[NAME], now=NOW, seen=EVERYTHING)
    tried = [stage for stage in told.stages if stage.error is not None]
    assert tried
    for stage in tried:
        assert 0 <= stage.tried_broke <= stage.tried_on
        assert abs(stage.tried_expected - stage.tried_broke) <= 14 * stage.error + 1e-6


def test_where_too_few_have_left_a_stage_all_that_fall_due_are_counted(world: World) -> None:
    Position.objects.create(
        connection=world.connection,
        workflow=NAME,
        model="sale.order",
        odoo_id=1,
        name="S1",
        stage="quotation",
        is_open=True,
        since=NOW - timedelta(days=6),
        due_at=NOW + timedelta(hours=5),
        amount=1,
        currency="EUR",
    )
    told = next(one for one in forecast.of(registry.workflows()[NAME], now=NOW, seen=EVERYTHING).stages if one.stage == "quotation")
    assert told.is_bound and told.sample == 0 and told.error is None
    assert (told.expected, told.due) == ({4: 0, 8: 1, 24: 1}, {4: 0, 8: 1, 24: 1})


def test_a_held_order_waits_for_its_decision_and_its_exception(world: World) -> None:
    world.held_order(amount=6_200)
    waiting = blocked_reasons.of(registry.workflows()[NAME], seen=EVERYTHING)
    assert {(one.what, one.stage_name, one.count) for one in waiting} == {
        ("decision", "credit_review", 1),
        ("exception", "credit_review", 1),
    }
    assert "blocked by an open" in blocked_reasons.relief(waiting, "credit_review")
    assert blocked_reasons.of(registry.workflows()[NAME], seen=AccessScope(frozenset({(world.connection.pk, 9)}))) == []


def test_periods_and_companies_compare_what_really_moved(world: World, history: tuple[list[Position], list[Transition]]) -> None:
    workflow = registry.workflows()[NAME]
    opened = {stage.name for stage in workflow.stages if stage.is_open}
    last, before = compare.of(workflow, "period", now=NOW, days=28, seen=EVERYTHING).sides
    for side, end in ((last, NOW), (before, NOW - timedelta(days=28))):
        moves = [one for one in history[1] if end - timedelta(days=28) < one.at <= end]
        assert side.departed == sum(one.from_stage in opened and one.to_stage not in opened for one in moves)
        assert side.arrived == sum(one.to_stage in opened and one.from_stage not in opened for one in moves)
    sides = compare.of(workflow, "company", now=NOW, days=7, seen=EVERYTHING).sides
    assert sorted(side.count for side in sides) == sorted(Counter(one.company_id for one in history[0] if one.is_open).values())
    assert sum(side.count for side in compare.of(workflow, "team", now=NOW, days=7, seen=EVERYTHING).sides) == sum(
        one.is_open for one in history[0]
    )


def test_an_object_centric_log_is_valid_and_complete(world: World, history: tuple[list[Position], list[Transition]]) -> None:
    """By the published structure of OCEL 2.0: every type, object and qualifier is declared, every value of its type."""
    world.order(42)
    world.write(
        "stock.picking",
        500,
        name="WH/OUT/00500",
        state="assigned",
        sale_id=42,
        picking_type_code="outgoing",
        company_id=1,
        partner_id=50,
    )
    log = json.loads("".join(eventlog.ocel(list(registry.workflows().values()), first=None, now=NOW, seen=EVERYTHING)))
    assert set(log) == {"objectTypes", "eventTypes", "objects", "events"}
    declared = {}
    for part in ("objectTypes", "eventTypes"):
        for one in log[part]:
            assert set(one) == {"name", "attributes"}
            declared[part, one["name"]] = {attribute["name"]: attribute["type"] for attribute in one["attributes"]}
            assert set(declared[part, one["name"]].values()) <= {"string", "time", "integer", "float", "boolean"}
    ids = [one["id"] for one in log["objects"]]
    assert len(ids) == len(set(ids))
    kinds = {"string": str, "float": float}
    for part, types in (("objects", "objectTypes"), ("events", "eventTypes")):
        for one in log[part]:
            attributes = declared[types, one["type"]]
            assert all(isinstance(value["value"], kinds[attributes[value["name"]]]) for value in one["attributes"])
            assert all(relation["objectId"] in set(ids) and relation["qualifier"] for relation in one["relationships"])
            times = [one["time"]] if part == "events" else [value["time"] for value in one["attributes"]]
            assert all(datetime.fromisoformat(at).tzinfo == UTC for at in times)
    assert len(log["events"]) == Transition.objects.count() == len({one["id"] for one in log["events"]})
    assert [one["time"] for one in log["events"]] == sorted(one["time"] for one in log["events"])
    transfer = next(one for one in log["objects"] if one["id"] == "main/stock.picking/500")
    assert {"objectId": "main/sale.order/42", "qualifier": "delivers"} in transfer["relationships"]


def test_a_case_centric_log_is_well_formed_xes(world: World, history: tuple[list[Position], list[Transition]]) -> None:
    Position.objects.filter(odoo_id=history[0][0].odoo_id).update(name='<S & "1"\x01>')
    text = "".join(eventlog.xes([registry.workflows()[NAME]], first=None, now=NOW, seen=EVERYTHING))
    root = ET.fromstring(text)
    space = "{http://www.xes-standard.org/}"
    assert root.tag == f"{space}log" and root.get("xes.version") == "1849-2016"
    traces = root.findall(f"{space}trace")
    assert len(traces) == len({one.odoo_id for one in history[1]})
    assert sum(len(trace.findall(f"{space}event")) for trace in traces) == len(history[1])
    for trace in traces:
        keys = [{child.get("key"): child.get("value") for child in event} for event in trace.findall(f"{space}event")]
        assert all(one["concept:name"] and one["lifecycle:transition"] == "complete" for one in keys)
        assert [one["time:timestamp"] for one in keys] == sorted(one["time:timestamp"] for one in keys)


def test_a_log_holds_only_what_its_reader_may_see(world: World, history: tuple[list[Position], list[Transition]]) -> None:
    seen = AccessScope(frozenset({(world.connection.pk, 2)}))
    log = json.loads("".join(eventlog.ocel([registry.workflows()[NAME]], first=None, now=NOW, seen=seen)))
    hidden = {f"main/sale.order/{one.odoo_id}" for one in history[1] if one.company_id == 1}
    assert log["events"] and not hidden & {one["id"] for one in log["objects"]}
    assert "main/res.company/1" not in {one["id"] for one in log["objects"]}


@pytest.mark.django_db(transaction=True)
async def test_a_log_is_sent_while_it_is_read() -> None:
    from asgiref.sync import sync_to_async

    def prepare() -> AsyncClient:
        world = World()
        Transition.objects.bulk_create(
            Transition(
                connection=world.connection,
                workflow=NAME,
                model="sale.order",
                odoo_id=number,
                from_stage="",
                to_stage="quotation",
                at=clock.now() - timedelta(hours=1),
                seen_at=NOW,
                company_id=1,
            )
            for number in range(3_000)
        )
        client = AsyncClient()
        client.force_login(User.objects.create_user("reader", password="a long password", role="manager"))
        return client

    client = await sync_to_async(prepare)()
    answer = await client.get(f"/eventlog/ocel/?workflow={NAME}")
    assert answer.status_code == 200 and answer.is_async
    lots = [lot async for lot in answer]
    assert len(lots) > 5
    assert len(json.loads(b"".join(lots))["events"]) == 3_000


@pytest.fixture
def manager(world: World) -> Iterator[Client]:
    client = Client()
    client.force_login(User.objects.get(username="mia"))
    yield client


def sheet(answer: object) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(text)))


def test_a_sheet_holds_the_figures_and_no_cell_is_a_formula(world: World, manager: Client) -> None:
    world.customer(51, name='=HYPERLINK("http://evil.test")', credit_limit=0)
    world.order(43, partner=51, name="@SUM(1)")
    rows = sheet(manager.get("/boards/order_to_cash/quotation/?format=csv"))
    assert rows[1][0] == "'@SUM(1)" and rows[1][4].startswith("'=HYPERLINK")
    board = sheet(manager.get("/boards/order_to_cash/?format=csv"))
    assert next(row for row in board if row[0] == "Quotation")[2] == "1"
    for path in ("flow", "compare"):
        assert len(sheet(manager.get(f"/boards/order_to_cash/{path}/?format=csv"))) > 1


@pytest.mark.parametrize("value", ["=1", "+1", "-1", "@x", "\tx", "\rx", "  =1", "＝1"])
def test_text_that_a_spreadsheet_would_run_is_kept_as_text(value: str) -> None:
    assert sheets.safe(value) == f"'{value}"
    assert sheets.safe(-5) == -5


@pytest.mark.parametrize(
    "query",
    [
        "?days=x",
        "?since_from=no&due_within=-3&after=x~y",
        "?took_from=nan&before=zz~9&day=2026-13-01",
        "?by=nonsense",
        "?first=9999-99-99",
        "?due_within=1e308",
    ],
)
def test_an_address_that_makes_no_sense_is_refused_and_no_fault(world: World, manager: Client, query: str) -> None:
    for path in ("", "flow/", "moves/", "compare/", "quotation/", "outlook/"):
        assert manager.get(f"/boards/order_to_cash/{path}{query}").status_code == 400

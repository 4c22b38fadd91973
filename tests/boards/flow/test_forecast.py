"""What is expected to fall due, by how long stays in a stage last."""

from collections import defaultdict
from datetime import timedelta

import pytest

from apps.accounts.access import EVERYTHING
from apps.boards.boards import forecast
from apps.workflows import registry
from apps.workflows.models import Position, Transition
from tests.boards.flow.orders import NAME
from tests.world import NOW, World


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
    told = next(one for one in forecast.forecast_of(workflow, now=NOW, access_scope=EVERYTHING).stages if one.stage == stage.name)
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


def test_the_forecast_is_tried_on_weeks_that_it_has_not_seen(world: World, history: object) -> None:
    told = forecast.forecast_of(registry.workflows()[NAME], now=NOW, access_scope=EVERYTHING)
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
    told = next(
        one
        for one in forecast.forecast_of(registry.workflows()[NAME], now=NOW, access_scope=EVERYTHING).stages
        if one.stage == "quotation"
    )
    assert told.is_bound and told.sample == 0 and told.error is None
    assert (told.expected, told.due) == ({4: 0, 8: 1, 24: 1}, {4: 0, 8: 1, 24: 1})

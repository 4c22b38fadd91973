"""Every figure of a board is what the query in docs/boards.md says."""

import random
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from apps.accounts.access import EVERYTHING
from apps.boards.boards import blocked_reasons, figures
from apps.workflows import registry
from apps.workflows.models import Position, Transition
from tests.world import NOW, World

DOCS = Path(__file__).parents[2] / "docs" / "boards.md"


def query(name: str) -> dict[Any, dict[str, Any]]:
    """What the documented query finds, by stage."""
    text = re.search(rf"```sql {name}\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert text, f"docs/boards.md has no query called {name}"
    statement = text[1].replace("%", "%%").replace(":'workflow'", "%(workflow)s").replace("now()", "%(now)s::timestamptz")
    with connection.cursor() as cursor:
        cursor.execute(statement, {"workflow": "order_to_cash", "now": NOW})
        names = [column.name for column in cursor.description]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    beside = next((name for name in ("day", "kind") if name in names), None)
    return {(one["stage"], one[beside]) if beside else one["stage"]: one for one in found}


def test_the_documented_queries_give_the_figures_of_the_board(world: World) -> None:
    dice, workflow = random.Random(21), registry.workflows()["order_to_cash"]
    common = {"connection": world.connection, "workflow": workflow.name, "model": "sale.order"}
    names = [stage.name for stage in workflow.stages]
    for number in range(3_000, 3_250):
        stage, since = workflow.stage(dice.choice(names)), NOW - timedelta(hours=dice.uniform(0, 500))
        Position(
            **common,
            odoo_id=number,
            name=f"S{number}",
            stage=stage.name,
            since=since,
            is_open=stage.is_open,
            due_at=since + stage.target if stage.target else None,
            amount=dice.randint(1, 999),
            currency="EUR",
        ).save()
        Transition(
            **common,
            odoo_id=number,
            from_stage=dice.choice(["", *names]),
            to_stage=stage.name,
            at=NOW - timedelta(hours=dice.uniform(0, 90)),
            seen_at=NOW,
        ).save()
    counted, arrived, departed, trend, ages = (query(name) for name in ("figures", "arrivals", "departures", "trend", "ages"))
    for shown in figures.stages_of(workflow, now=NOW, access_scope=EVERYTHING):
        assert shown.arrived_24h == arrived.get(shown.stage, {}).get("arrived_24h", 0)
        assert shown.departed_24h == departed.get(shown.stage, {}).get("departed_24h", 0)
        if not shown.is_open:
            continue
        told = counted[shown.stage]
        for name in ("count", "amount", "over_target", "late_amount"):
            assert getattr(shown, name) == told[name], (shown.stage, name)
        for name in ("median_age_seconds", "oldest_age_seconds"):
            assert getattr(shown, name) == pytest.approx(float(told[name]), abs=1)
        levels = [max(one["level"], 0) for key, one in sorted(trend.items()) if key[0] == shown.stage]
        assert shown.trend == [*levels, shown.count]
        bands = [ages[shown.stage][name] for name in ("within_half", "within", "within_twice", "beyond")]
        assert [band.count for band in shown.ages] == bands


def test_the_documented_query_tells_what_a_board_says_its_records_wait_for(world: World) -> None:
    for number in (42, 43):
        world.held_order(odoo_id=number)
    told = query("waits")
    assert told and {
        (one.stage_name, one.count)
        for one in blocked_reasons.reasons_of(registry.workflows()["order_to_cash"], access_scope=EVERYTHING)
    } == {(stage, one["count"]) for (stage, _), one in told.items()}
    assert {kind for _, kind in told} == {"order.credit_hold", "credit_override"}

"""The findings are what the plain queries of docs/process-findings.md say, and their declarations stand there."""

import random
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import Role
from apps.boards.findings import catalogue
from apps.workflows import registry
from tests.boards.findings.test_people import answered, hand
from tests.boards.findings.ways import NAME, analyse, forget, parts, went
from tests.boards.lives import NOW, START, opened
from tests.world import World, odoo_time, person

pytestmark = pytest.mark.django_db
DOCS = (Path(__file__).parents[3] / "docs" / "process-findings.md").read_text()
ORDERS = 300


def query(name: str) -> list[dict[str, Any]]:
    """What the documented query finds."""
    text = re.search(rf"```sql {name}\n(.*?)```", DOCS, re.DOTALL)
    steps = re.search(r"\\set steps '(\{.*?\})'", DOCS)
    assert text and steps, f"docs/process-findings.md has no query called {name}"
    statement = text[1].replace("%", "%%").replace("now()", "%(now)s::timestamptz")
    statement = statement.replace(":'workflow'", "%(workflow)s").replace(":'steps'", "%(steps)s")
    with connection.cursor() as cursor:
        cursor.execute(statement, {"workflow": NAME, "steps": steps[1], "now": NOW})
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def by(rows: list[dict[str, Any]], *keys: str) -> dict[tuple[str, ...], dict[str, Any]]:
    """The rows by some of their columns, those of several currencies together."""
    told: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        one = told.setdefault(tuple(row[key] for key in keys), {"count": 0, "times": 0, "amounts": {}})
        one["count"] += row["count"]
        one["times"] += row.get("times", 0)
        one["amounts"][row["currency"]] = row.get("amount")
    return told


@pytest.fixture
def trade(world: World) -> World:
    """Orders of two companies that went many ways, some of them back, some to and fro, some past a step."""
    dice = random.Random(12)
    usual = ["quotation", "waiting_for_stock", "ready_to_pick", "to_invoice", "unpaid", "closed"]
    for number in range(1, ORDERS):
        way = [stage for stage in usual if stage == "closed" or dice.random() > 0.06]
        for _ in range(dice.choice([0, 0, 1, 2])):
            place = dice.randrange(len(way))
            way[place:place] = dice.choices(["quotation", "waiting_for_stock", "ready_to_pick", "credit_review", "expired"], k=3)
        if dice.random() < 0.2:
            way = way[: dice.randrange(1, len(way) + 1)]
        way = [stage for place, stage in enumerate(way) if not place or stage != way[place - 1]]
        begins = dice.uniform(0, 60)
        company = dice.choice([1, 2])
        went(
            world,
            number,
            *((begins + hours, stage) for hours, stage in enumerate(way)),
            amount=dice.randint(1, 900),
            company_id=company,
            currency={1: "EUR", 2: "CHF"}[company],
        )
    analyse()
    return world


def test_the_documented_queries_give_the_findings(trade: World) -> None:
    rework = by(query("rework"), "before", "stage")
    assert len(rework) > 5
    assert {
        part: {"count": one.count, "times": one.times, "amounts": dict(one.amounts)} for part, one in parts("rework").items()
    } == rework
    ping_pong = by(query("ping_pong"), "one", "other")
    assert ping_pong
    assert {tuple(sorted(part)): one.count for part, one in parts("ping_pong").items()} == {
        pair: one["count"] for pair, one in ping_pong.items()
    }


def test_findings_end_also_where_statistics_say_that_nothing_is_there(trade: World) -> None:
    """With a plan for no record at all, one of them took longer than a statement may."""
    known = {name: parts(name) for name in ("rework", "ping_pong", "skipped")}
    forget()

    assert {name: parts(name) for name in known} == known


def test_the_documented_query_gives_the_skipped_steps(world: World) -> None:
    dice = random.Random(5)
    usual = ["quotation", "waiting_for_stock", "ready_to_pick", "to_invoice", "unpaid", "closed"]
    for number in range(1, ORDERS):
        way = [stage for stage in usual[dice.choice([0, 0, 1]) :] if stage == "closed" or dice.random() > 0.1]
        if dice.random() < 0.1:
            way = [*way[:1], "cancelled"]
        went(world, number, *((hours + 1, stage) for hours, stage in enumerate(way)))
    analyse()
    skipped = by(query("skipped"), "stage", "ended_in")

    assert len(skipped) > 2
    assert {part: one.count for part, one in parts("skipped").items()} == {part: one["count"] for part, one in skipped.items()}


def test_the_documented_query_gives_the_changes(world: World) -> None:
    dice = random.Random(7)
    world.now = START
    with world.at_once():
        for number in range(1, 25):
            world.write("sale.order.line", 1_000 + number, order_id=number, product_id=7, product_uom_qty=5, company_id=1)
            world.order(number, amount=number, state="sale", commitment_date=odoo_time(START + timedelta(days=9)))
    for _ in range(3):
        world.advance(hours=2)
        with world.at_once():
            for number in dice.sample(range(1, 25), 9):
                world.write("sale.order.line", 1_000 + number, product_uom_qty=dice.choice([5, 6]))
                world.write("sale.order", number, amount_untaxed=dice.choice([number, 70]))
                world.write("sale.order", number, commitment_date=odoo_time(START + timedelta(days=dice.choice([9, 10]))))
            world.write("sale.order.line", next(world.ids), order_id=dice.randrange(1, 25), product_id=7, product_uom_qty=1)
    changed = by(query("changed"), "kind")

    assert len(changed) == 4
    told = {part: (one.count, one.times) for part, one in parts("changed").items()}
    assert told == {kind: (one["count"], one["times"]) for kind, one in changed.items()}


def test_the_documented_queries_give_the_batches_and_hand_overs(world: World) -> None:
    dice = random.Random(9)
    person("nils", Role.OPERATOR, team="finance")
    at_hours = 5.0
    for number in range(1, 90):
        at_hours += dice.choice([0.05, 0.05, 0.05, 0.4])
        answered(world, number, max(at_hours - dice.uniform(1, 9), 0.1), at_hours, by=dice.choice(["adam", "olga"]))
        if number < 30:
            case = opened(world, number, 1)
            for hours in range(2, 7):
                hand(case, hours, dice.choice(["olga", "nils"]))
    batches, handed = by(query("batches"), "person"), by(query("handed"), "one", "other")

    assert batches and handed
    assert {part: (one.count, one.times) for part, one in parts("batches").items()} == {
        key: (one["count"], one["times"]) for key, one in batches.items()
    }
    assert {part[1:]: one.count for part, one in parts("handed").items()} == {key: one["count"] for key, one in handed.items()}


def test_the_page_has_every_finding_and_the_steps_of_the_workflow() -> None:
    for finding in catalogue.FINDINGS:
        assert f"| {finding.title} (`{finding.name}`) |" in DOCS
    steps = [stage.name for stage in registry.workflows()[NAME].stages if stage.is_step]
    assert f"\\set steps '{{{','.join(steps)}}}'" in DOCS

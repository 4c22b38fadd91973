"""What boards read instead of counting: always the same as counting."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections

from apps.odoo.models import Connection
from apps.workflows import tallies
from apps.workflows.models import FlowTally, Position, StandingTally, Transition
from tests.world import NOW, World

NONE = {"workflows_standingtally": 0, "workflows_flowtally": 0}


def positions(connection: Connection, ids: range, dice: random.Random) -> list[Position]:
    return [
        Position(
            connection=connection,
            workflow="order_to_cash",
            model="sale.order",
            odoo_id=number,
            name=f"S{number:05}",
            stage=dice.choice(["quotation", "credit_review"]),
            since=NOW - timedelta(hours=dice.uniform(0, 99)),
            due_at=dice.choice([None, NOW]),
            is_open=dice.random() < 0.8,
            company_id=dice.choice([None, 1, 2]),
            amount=dice.choice([None, 10, 20]),
            currency=dice.choice(["EUR", "USD"]),
        )
        for number in ids
    ]


def moves(connection: Connection, count: int, dice: random.Random) -> list[Transition]:
    return [
        Transition(
            connection=connection,
            workflow="order_to_cash",
            model="sale.order",
            odoo_id=number,
            from_stage=dice.choice(["", "quotation"]),
            to_stage="credit_review",
            company_id=dice.choice([None, 1]),
            at=NOW - timedelta(hours=dice.uniform(0, 9)),
            seen_at=NOW,
        )
        for number in range(count)
    ]


def test_whatever_is_written_in_whatever_way_is_counted(world: World) -> None:
    dice = random.Random(7)
    Position.objects.bulk_create(positions(world.connection, range(1000, 1200), dice))
    Transition.objects.bulk_create(moves(world.connection, 200, dice))
    assert tallies.differences() == NONE
    assert tallies.fold()
    Position.objects.filter(odoo_id__lt=1050).update(stage="quotation", is_open=True, amount=7)
    Position.objects.filter(odoo_id__gt=1150).delete()
    Transition.objects.filter(odoo_id__lt=20).delete()
    Transition.objects.filter(odoo_id__gt=180).update(at=NOW)
    Position.objects.bulk_create(
        positions(world.connection, range(1100, 1130), dice),
        update_conflicts=True,
        unique_fields=["connection", "workflow", "odoo_id"],
        update_fields=["stage", "since", "is_open", "amount"],
    )
    assert tallies.differences() == NONE
    assert tallies.fold()
    assert tallies.differences() == NONE


def test_what_the_pipeline_moves_is_counted_with_its_company(world: World) -> None:
    world.held_order(amount=6_200)
    world.order(42, amount=6_200, state="cancel")
    world.order(43, state="sale")
    world.write("sale.order", 43, state="cancel")
    assert tallies.differences() == NONE
    assert set(Transition.objects.filter(model="sale.order").values_list("company_id", flat=True)) == {1}


def test_folding_leaves_one_line_a_place_and_none_where_nothing_stands(world: World) -> None:
    row = positions(world.connection, range(1, 2), random.Random(1))[0]
    row.is_open, row.stage = True, "quotation"
    row.save()
    row.stage = "credit_review"
    row.save()
    assert StandingTally.objects.filter(workflow="order_to_cash").count() == 3
    tallies.fold()
    assert [tally.stage for tally in StandingTally.objects.filter(workflow="order_to_cash")] == ["credit_review"]


@pytest.mark.unlinked
def test_a_connection_that_goes_takes_its_counts_along(world: World) -> None:
    other = World("other")
    Position.objects.bulk_create(positions(other.connection, range(1, 30), random.Random(3)))
    Transition.objects.bulk_create(moves(other.connection, 5, random.Random(3)))
    number = other.connection.pk
    Position.objects.filter(connection=number).delete()
    Connection.objects.filter(pk=number)._raw_delete("default")
    assert not StandingTally.objects.filter(connection_id=number).exists()
    Transition.objects.filter(connection_id=number).delete()


@pytest.mark.django_db(transaction=True)
def test_many_who_write_and_fold_at_once_lose_no_count() -> None:
    world = World()
    dice = random.Random(11)
    Position.objects.bulk_create(positions(world.connection, range(400), dice))

    def write(part: int) -> None:
        for turn in range(8):
            Position.objects.filter(odoo_id__gte=part * 100, odoo_id__lt=part * 100 + 100).update(amount=turn, is_open=turn % 2)
            Transition.objects.bulk_create(moves(world.connection, 20, random.Random(part)))

    def fold(_: int) -> None:
        for _turn in range(10):
            tallies.fold()

    def alone(act: Callable[[int], None], part: int) -> None:
        try:
            act(part)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        work = [threads.submit(alone, write, part) for part in range(4)] + [threads.submit(alone, fold, part) for part in range(2)]
        for one in work:
            one.result(60)
    assert tallies.differences() == NONE
    assert FlowTally.objects.filter(workflow="order_to_cash").exists()

"""A warehouse is over capacity when more stands ready than leaves it in a shift, as it was measured."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.exceptions.models import ExceptionCase, Status
from apps.mirror import registry as mirror
from apps.pipeline import change_processing
from apps.workflows import blockers
from apps.workflows.catalogue.warehouse_load import WORKFLOW
from apps.workflows.models import Position
from tests.stages import stages_of
from tests.staleness import stale
from tests.world import World, odoo_time


class EveryWarehouseIsInExactlyOneStage(TestCase):
    @settings(max_examples=50, deadline=None)
    @given(hours=st.one_of(st.none(), st.decimals(min_value=0, max_value=1_000, places=1)))
    def test_whatever_was_measured(self, hours: Decimal | None) -> None:
        assert len(stages_of(WORKFLOW, {"hours_to_clear_quantity": hours}, {"hours_to_clear_quantity": "numeric"})) == 1


@pytest.fixture
def world(world: World) -> World:
    for number, name in ((1, "Hall"), (2, "Annex")):
        world.write("stock.warehouse", number, name=name, company_id=1)
        world.write("stock.picking.type", number, code="outgoing", warehouse_id=number)
    world.write("stock.picking.type", 3, code="incoming", warehouse_id=1)
    world.write("product.product", 30, standard_price=50)
    return world


def deliver(world: World, number: int, *, state: str = "done", days_ago: float = 0, kind: int = 1, lines: int = 1) -> None:
    """A delivery of so many lines, two pieces at 50 each."""
    at = odoo_time(world.now - timedelta(days=days_ago))
    for line in range(lines):
        world.write(
            "stock.move",
            number * 100 + line,
            picking_id=number,
            picking_type_id=kind,
            product_id=30,
            state=state,
            product_uom_qty=2,
            quantity=2,
            date=at,
        )
    world.write(
        "stock.picking",
        number,
        name=f"OUT/{number}",
        picking_type_id=kind,
        state=state,
        company_id=1,
        picking_type_code="incoming" if kind == 3 else "outgoing",
        date_deadline=odoo_time(world.now + timedelta(days=9)),
    )


def stage(warehouse: int = 1) -> str:
    return Position.objects.get(workflow="warehouse_load", odoo_id=warehouse).stage


def case() -> ExceptionCase | None:
    return ExceptionCase.objects.filter(type="warehouse.over_capacity").exclude(status=Status.RESOLVED).first()


@pytest.mark.parametrize("sample", WORKFLOW.samples, ids=lambda sample: sample.stage)
def test_a_sample_lands_where_the_file_says(world: World, sample: Any) -> None:
    world.write("stock.warehouse", 9, company_id=1, **dict(sample.row))
    assert stage(9) == sample.stage


def test_every_dependency_is_mirrored() -> None:
    assert set(mirror.models()) >= {dependency.model for dependency in WORKFLOW.dependencies}


def test_a_warehouse_is_over_capacity_while_more_is_ready_than_it_does_in_a_shift(world: World) -> None:
    deliver(world, 10, days_ago=1, lines=2)
    deliver(world, 11, days_ago=3, lines=4)
    deliver(world, 12, state="assigned", lines=3)
    assert (stage(), case()) == ("within_capacity", None)  # three a day, three are ready

    deliver(world, 13, state="assigned", lines=3)
    assert stage() == "over_capacity"
    over = case()
    assert over is not None
    assert (over.record_name, over.team.slug, over.amount, over.currency) == ("Hall", "warehouse", Decimal("300.00"), "EUR")
    assert over.evidence == {
        "ready_transfers_count": 2,
        "late_transfers_count": 0,
        "ready_lines_count": "6",
        "lines_a_day_quantity": "3.0",
        "working_days": 2,
        "hours_to_clear_quantity": "16.0",
        "beyond_lines_quantity": "3",
        "beyond_amount": "300.00",
        "ready_amount": "600.00",
        "shift_hours": "8",
    }
    assert [one.kind for one in blockers.of_stage(Position.objects.get(workflow="warehouse_load", odoo_id=1))] == [
        "warehouse_capacity"
    ]
    assert stage(2) == "within_capacity"

    deliver(world, 13, lines=3)
    over.refresh_from_db()
    assert (stage(), over.status, over.resolution) == ("within_capacity", "resolved", "Ready lines fit within a shift")


def test_a_line_that_is_added_to_a_ready_delivery_counts_though_the_delivery_is_not_written(world: World) -> None:
    deliver(world, 10, days_ago=1, lines=3)
    deliver(world, 12, state="assigned", lines=3)
    assert stage() == "within_capacity"
    added = {"picking_id": 12, "picking_type_id": 1, "product_id": 30, "product_uom_qty": 2, "quantity": 2}
    world.write("stock.move", 1250, state="assigned", **added)
    assert stage() == "over_capacity"
    assert stale(world) == {}
    world.write("stock.move", 1250, state="cancel")
    assert (stage(), case()) == ("within_capacity", None)
    assert stale(world) == {}


def test_an_operation_of_another_warehouse_counts_there(world: World) -> None:
    deliver(world, 10, days_ago=1, lines=3)
    deliver(world, 12, state="assigned", lines=5)
    assert (stage(1), stage(2)) == ("over_capacity", "within_capacity")
    world.write("stock.picking.type", 3, code="outgoing")
    world.write("stock.picking.type", 1, code="incoming")
    assert stage(1) == "within_capacity"
    assert stale(world) == {}


def test_today_counts_only_where_there_is_no_other_day(world: World) -> None:
    deliver(world, 10, lines=1)
    deliver(world, 12, state="assigned", lines=2)
    assert stage() == "over_capacity"
    deliver(world, 11, days_ago=1, lines=5)
    assert stage() == "within_capacity"


def test_what_was_done_longer_ago_is_forgotten_as_the_days_end(world: World) -> None:
    deliver(world, 10, days_ago=14, lines=1)
    deliver(world, 11, days_ago=13, lines=3)
    deliver(world, 12, state="assigned", lines=3)
    assert stage() == "over_capacity"
    world.advance(days=1)
    change_processing.reevaluate_due(now=world.now)
    assert (stage(), case()) == ("within_capacity", None)


def test_nothing_is_said_of_a_warehouse_that_was_never_measured(world: World) -> None:
    deliver(world, 12, state="assigned", lines=30)
    deliver(world, 13, kind=3, lines=2)
    assert (stage(), case()) == ("within_capacity", None)

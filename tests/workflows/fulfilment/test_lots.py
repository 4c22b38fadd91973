"""Goods that are tracked have their lot or serial number, once, and before it expires."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.workflows.fulfilment.transfers import LOT, case_of, standing, time_passes, told, transfer
from tests.world import World, odoo_time


def tracked(world: World, kind: str = "serial", **more: Any) -> None:
    """A transfer of ten desks that bear a number each."""
    world.write("product.template", 30, tracking=kind)
    transfer(world, **more)


def line(world: World, odoo_id: int = 1, **values: Any) -> None:
    world.write(
        "stock.move.line",
        odoo_id,
        **{"move_id": 3000, "picking_id": 300, "product_id": 30, "quantity": 1, "state": "assigned"} | values,
    )


@pytest.mark.parametrize(
    ("kind", "values", "problem"),
    [
        ("lot", {}, "No lot"),
        ("serial", {}, "No serial number"),
        ("serial", {"lot_id": 70, "quantity": 2}, "Serial number with a quantity other than 1"),
        ("lot", {"lot_id": 71}, "Expired"),
    ],
)
def test_a_line_that_may_not_go_is_named_until_it_is_put_right(
    world: World, kind: str, values: dict[str, Any], problem: str
) -> None:
    world.write("stock.lot", 70, name="A-070", product_id=30)
    world.write("stock.lot", 71, name="A-071", product_id=30, expiration_date=odoo_time(world.now - timedelta(days=1)))
    tracked(world, kind)
    line(world, **values)
    assert told(LOT, "lot_problem_names", "lot_problem_count", "lot_products_names") == {
        "lot_problem_names": problem,
        "lot_problem_count": 1,
        "lot_products_names": "Oak desk",
    }
    assert case_of(LOT).amount == 100 * Decimal(values.get("quantity", 1))
    line(world, lot_id=70, quantity=1)
    assert standing() == []


def test_a_serial_number_is_not_used_twice(world: World) -> None:
    tracked(world)
    line(world, 1, lot_name="SN-1")
    line(world, 2, lot_name="SN-1")
    assert told(LOT, "lot_problem_names", "lot_names", "lot_problem_count") == {
        "lot_problem_names": "Serial number used twice",
        "lot_names": "SN-1",
        "lot_problem_count": 2,
    }
    line(world, 2, lot_name="SN-2")
    assert standing() == []


def test_a_lot_expires_while_it_lies_there_and_its_date_may_be_put_right(world: World) -> None:
    world.write("stock.lot", 70, name="A-070", product_id=30, expiration_date=odoo_time(world.now + timedelta(hours=5)))
    tracked(world, "lot")
    line(world, lot_id=70)
    time_passes(world, hours=4)
    assert standing() == []
    time_passes(world, hours=1)
    assert told(LOT, "lot_problem_names", "lot_names") == {"lot_problem_names": "Expired", "lot_names": "A-070"}
    world.write("stock.lot", 70, expiration_date=odoo_time(world.now + timedelta(days=50)))
    assert standing() == []


def test_a_receipt_is_told_its_lots_as_it_is_picked(world: World) -> None:
    tracked(world, "lot", picking_type_code="incoming", picking_type_id=3)
    line(world)
    assert standing() == []
    line(world, picked=True)
    assert standing() == [LOT]
    line(world, lot_name="NEW")
    assert standing() == []


def test_an_operation_without_lots_asks_for_none(world: World) -> None:
    world.write("stock.picking.type", 1, use_create_lots=False, use_existing_lots=False)
    tracked(world)
    line(world)
    assert standing() == []


def test_what_is_done_and_wrong_is_told_for_a_month(world: World) -> None:
    tracked(world, state="done", date_done=odoo_time(world.now))
    line(world, state="done")
    time_passes(world, days=29)
    assert standing() == [LOT]
    time_passes(world, days=2)
    assert standing() == []


def test_products_that_are_not_tracked_need_no_lot(world: World) -> None:
    transfer(world)
    line(world, quantity=10)
    assert standing() == []

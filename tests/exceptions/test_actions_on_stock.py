"""Stock that is below zero or counted, and a warehouse with more to do than a shift holds."""

import pytest

from apps.accounts.models import Role
from apps.exceptions.cases import applying, moves
from apps.outbox.models import Command
from tests.exceptions.actions import apply, case_of, offered
from tests.trade import DESK, days, larger_company, sale
from tests.world import World, person


@pytest.fixture
def world(db: None) -> World:
    person("olga", Role.OPERATOR)
    return larger_company()


def quant(world: World, **values: object) -> None:
    said = {"product_id": DESK, "location_id": 8, "company_id": 1, "quantity": -3, "inventory_date": "2026-12-31"}
    world.write("stock.quant", 900, **said | values)


def test_stock_below_zero_is_counted_today(world: World) -> None:
    quant(world)
    case = case_of(world, "inventory.negative_stock", "stock.quant", 900)
    text = "Count Oak desk in Hall/Stock today, planned for 2026-12-31 so far"
    assert offered(world, case) == {"plan_count": {"2026-11-23": text}}
    (plan,) = apply(world, case, "plan_count")
    assert plan.arguments == {"vals": {"inventory_date": "2026-11-23"}, "context": {"inventory_mode": True}}
    assert plan.precondition == [["inventory_quantity_set", "=", False]]
    assert plan.postcondition == [["inventory_date", "<=", "2026-11-23"]]


def test_a_count_that_is_planned_for_today_or_entered_is_not_planned_again(world: World) -> None:
    case = case_of(world, "inventory.negative_stock", "stock.quant", 900)
    quant(world, inventory_date="2026-11-23")
    assert offered(world, case) == {}
    quant(world, inventory_quantity_set=True, inventory_quantity=4)
    assert offered(world, case) == {}


def test_a_count_that_waits_is_applied_or_cleared_as_it_was_seen(world: World) -> None:
    quant(world, quantity=5, inventory_quantity_set=True, inventory_quantity=4, inventory_diff_quantity=-1)
    case = case_of(world, "inventory_control.stuck", "stock.quant", 900, cause="counted")
    assert offered(world, case) == {
        "apply_count": {"4": "Set the stock of Oak desk to 4, a change of -1"},
        "clear_count": {"4": "Forget that 4 Oak desk were counted"},
    }
    with pytest.raises(applying.ConfirmationNeededError, match="the stock changes by -1"):
        apply(world, case, "apply_count", is_confirmed=False)
    (told,) = apply(world, case, "apply_count")
    assert told.precondition == [["inventory_quantity_set", "=", True], ["inventory_quantity", "=", 4.0]]
    quant(world, quantity=5, inventory_quantity_set=True, inventory_quantity=9, inventory_diff_quantity=4)
    case = case_of(world, "inventory_control.stuck", "stock.quant", 900, cause="counted")
    with pytest.raises(moves.MoveRefusedError, match="no longer available"):
        apply(world, case, "clear_count", "4")
    assert Command.objects.count() == 1


def test_a_count_is_not_applied_to_stock_that_moved_since(world: World) -> None:
    quant(world, quantity=3, inventory_quantity_set=True, inventory_quantity=4, inventory_diff_quantity=-1)
    case = case_of(world, "inventory_control.stuck", "stock.quant", 900, cause="counted")
    assert list(offered(world, case)) == ["clear_count"]


def test_a_count_that_waits_for_an_approval_is_not_applied_past_it(world: World) -> None:
    quant(
        world,
        quantity=5,
        inventory_quantity_set=True,
        inventory_quantity=4,
        inventory_diff_quantity=-1,
        x_ct_hold="inventory_adjustment",
    )
    case = case_of(world, "inventory_control.stuck", "stock.quant", 900, cause="counted")
    assert list(offered(world, case)) == ["clear_count"]


def test_what_is_not_due_yet_is_planned_for_the_day_on_which_it_is(world: World) -> None:
    world.write("stock.picking.type", 20, name="Delivery", code="outgoing", warehouse_id=1, company_id=1)
    for order, due_in in ((42, 6), (43, 0)):
        sale(world, order)
        ready = {"state": "assigned", "picking_type_id": 20, "company_id": 1, "partner_id": 50}
        world.write("stock.picking", order, scheduled_date=days(world, 0), date_deadline=days(world, due_in), **ready)
    case = case_of(world, "warehouse.over_capacity", "stock.warehouse", 1)
    key, day = "42@2026-11-29", days(world, 6)[:10]
    text = f"WH/OUT/00042, one line, Azure Interior: on {day}, when it is due, instead of 2026-11-23"
    assert offered(world, case)["plan_later"] == {key: text}
    (plan,) = apply(world, case, "plan_later")
    assert (plan.model, plan.odoo_id, plan.arguments["vals"]) == ("stock.picking", 42, {"scheduled_date": days(world, 6)})
    assert ["scheduled_date", "=", days(world, 0)] in plan.precondition


def test_what_is_due_first_is_picked_first_and_not_everything_is_urgent(world: World) -> None:
    world.write("stock.picking.type", 20, name="Delivery", code="outgoing", warehouse_id=1, company_id=1)
    for order, due_in in ((42, 6), (43, 0), (44, 1), (45, 2), (46, 3), (47, 4)):
        sale(world, order)
        ready = {"state": "assigned", "picking_type_id": 20, "company_id": 1, "partner_id": 50}
        world.write("stock.picking", order, date_deadline=days(world, due_in), **ready)
    world.write("stock.picking", 44, priority="1")
    case = case_of(world, "warehouse.over_capacity", "stock.warehouse", 1)
    found = offered(world, case)["pick_first"]
    assert list(found) == ["43", "45", "46", "47"]
    assert found["43"] == f"WH/OUT/00043, one line, Azure Interior: due on {days(world, 0)[:10]}"
    (first,) = apply(world, case, "pick_first")
    assert (first.model, first.odoo_id, first.arguments) == ("stock.picking", 43, {"vals": {"priority": "1"}})
    assert first.precondition == [["state", "=", "assigned"]] and first.postcondition == [["priority", "=", "1"]]


def test_a_line_without_a_lot_takes_one_that_lies_free_and_has_not_expired(world: World) -> None:
    world.write("product.template", DESK * 10, name="Oak desk", tracking="lot")
    sale(world, 42)
    world.write("stock.picking", 42, state="assigned", location_id=8, company_id=1)
    line = {"move_id": 42, "picking_id": 42, "product_id": DESK, "quantity": 4, "state": "assigned"}
    world.write("stock.move.line", 1, **line)
    lots = ((70, 6, days(world, 40)), (71, 3, days(world, 40)), (72, 9, days(world, -1)), (73, 9, days(world, 20)))
    for lot, free, expires in lots:
        world.write("stock.lot", lot, name=f"A-0{lot}", product_id=DESK, expiration_date=expires)
        world.write("stock.quant", lot, product_id=DESK, location_id=8, lot_id=lot, company_id=1, quantity=free)
    case = case_of(world, "fulfilment.lot_problem", "stock.picking", 42)
    # What expires first goes first; three are too few, and one has expired.
    assert offered(world, case)["assign_lot"] == {
        "1-73@8": "4 Oak desk of A-073 in Hall/Stock, 9 available",
        "1-70@8": "4 Oak desk of A-070 in Hall/Stock, 6 available",
    }
    (told,) = apply(world, case, "assign_lot", "1-73@8")
    assert (told.model, told.odoo_id, told.arguments) == ("stock.move.line", 1, {"vals": {"lot_id": 73, "location_id": 8}})
    assert ["lot_id", "=", False] in told.precondition and told.postcondition == [["lot_id", "=", 73], ["location_id", "=", 8]]


def test_a_serial_number_stands_on_one_line_alone(world: World) -> None:
    world.write("product.template", DESK * 10, name="Oak desk", tracking="serial")
    sale(world, 42)
    world.write("stock.picking", 42, state="assigned", location_id=8, company_id=1)
    line = {"move_id": 42, "picking_id": 42, "product_id": DESK, "quantity": 1, "state": "assigned"}
    world.write("stock.move.line", 1, **line)
    world.write("stock.move.line", 2, lot_id=70, **line)
    for serial in (70, 71):
        world.write("stock.lot", serial, name=f"SN-{serial}", product_id=DESK)
        world.write("stock.quant", serial, product_id=DESK, location_id=8, lot_id=serial, company_id=1, quantity=1)
    case = case_of(world, "fulfilment.lot_problem", "stock.picking", 42)
    assert list(offered(world, case)["assign_lot"]) == ["1-71@8"]

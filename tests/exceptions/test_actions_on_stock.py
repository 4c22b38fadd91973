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


def test_a_count_that_waits_for_an_approval_is_not_applied_past_it(world: World) -> None:
    quant(world, quantity=5, inventory_quantity_set=True, inventory_quantity=4, x_ct_hold="inventory_adjustment")
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
    text = f"WH/OUT/00042, 1 lines, Azure Interior: on {day}, when it is due, instead of 2026-11-23"
    assert offered(world, case) == {"plan_later": {key: text}}
    (plan,) = apply(world, case, "plan_later")
    assert (plan.model, plan.odoo_id, plan.arguments["vals"]) == ("stock.picking", 42, {"scheduled_date": days(world, 6)})
    assert ["scheduled_date", "=", days(world, 0)] in plan.precondition

"""A request for quotation to another vendor: for the warehouse that needs it, at the price that Odoo takes."""

from typing import Any

import pytest

from apps.exceptions.models import ExceptionCase
from apps.outbox.models import Command
from tests.exceptions.test_actions import apply, late_purchase, offered, price, short_transfer, stock, world
from tests.trade import DESK, days
from tests.world import World

__all__ = ["world"]


def requested(world: World, case: ExceptionCase) -> dict[str, Any]:
    """The request for quotation that is drafted to the second vendor, as Odoo is told."""
    price(world, 61)
    apply(world, case, "buy_elsewhere", f"{DESK}-61")
    (values,) = Command.objects.get(method="create").arguments["vals_list"]
    return dict(values)


def receipts(world: World) -> None:
    """Each warehouse has a way in; the annex has a second one."""
    for number, warehouse in ((21, 1), (22, 2), (23, 2)):
        world.write("stock.picking.type", number, name="Receipts", code="incoming", warehouse_id=warehouse, company_id=1)


@pytest.mark.parametrize(("place", "receive_type"), [(8, 21), (9, 22)])
def test_what_is_short_is_bought_for_the_warehouse_that_is_short_of_it(world: World, place: int, receive_type: int) -> None:
    receipts(world)
    case = short_transfer(world)
    world.write("stock.move", 42, location_id=place)
    assert requested(world, case)["picking_type_id"] == receive_type


def test_of_several_ways_into_a_warehouse_the_one_that_odoo_takes_is_named(world: World) -> None:
    receipts(world)
    world.write("stock.warehouse", 2, in_type_id=23)
    case = short_transfer(world)
    world.write("stock.move", 42, location_id=9)
    assert requested(world, case)["picking_type_id"] == 23


def test_what_is_fetched_from_another_warehouse_is_no_pick_of_it(world: World) -> None:
    # Picking and packing are internal types too, older than the one of internal transfers, and archived in most warehouses.
    world.write("stock.picking.type", 5, name="Pick", code="internal", warehouse_id=2, company_id=1)
    world.write("stock.warehouse", 2, int_type_id=12)
    case = short_transfer(world)
    stock(world, 9, 6)
    apply(world, case, "move_stock", f"{DESK}-9")
    (values,) = Command.objects.get(method="create").arguments["vals_list"]
    assert values["picking_type_id"] == 12


def test_what_is_late_is_bought_elsewhere_for_where_it_was_to_come_in(world: World) -> None:
    receipts(world)
    case = late_purchase(world)
    world.write("purchase.order", 80, user_id=2)
    world.write("stock.move", 800, location_dest_id=9)
    world.write("stock.picking", 800, picking_type_id=23)
    values = requested(world, case)
    assert (values["picking_type_id"], values["user_id"]) == (23, 2)


def test_what_a_vendor_ships_to_a_customer_is_not_bought_elsewhere_for_the_warehouse(world: World) -> None:
    case = late_purchase(world)
    world.write("stock.location", 5, name="Customers", complete_name="Partners/Customers", usage="customer")
    world.write("stock.move", 800, location_dest_id=5)
    price(world, 61)
    assert "buy_elsewhere" not in offered(world, case)


@pytest.mark.parametrize(
    ("tiers", "offer"),
    [
        # Twenty are needed.
        ([{"price": 50}, {"price": 40, "min_qty": 15}], ("20", "40.00")),
        ([{"price": 50}, {"price": 40, "min_qty": 30}], ("20", "50.00")),
        ([{"price": 50, "min_qty": 40}, {"price": 48, "min_qty": 25}], ("25", "48.00")),
        ([{"price": 50, "sequence": 2}, {"price": 60, "sequence": 1}], ("20", "60.00")),
        ([{"price": 50, "discount": 10}], ("20", "45.00")),
    ],
)
def test_a_vendor_is_offered_once_at_the_price_that_odoo_takes(
    world: World, tiers: list[dict[str, Any]], offer: tuple[str, str]
) -> None:
    case = late_purchase(world)
    for number, tier in enumerate(tiers):
        values = {"partner_id": 61, "product_tmpl_id": DESK * 10, "delay": 7, "currency_id": 1, "min_qty": 0, "sequence": 1}
        world.write("product.supplierinfo", 600 + number, **values | tier)
    quantity, price = offer
    assert offered(world, case)["buy_elsewhere"] == [f"{quantity} Oak desk from Fjord Furniture at {price} EUR, 7 days to deliver"]


def test_a_price_that_is_not_agreed_yet_is_not_offered(world: World) -> None:
    case = late_purchase(world)
    price(world, 61, date_start=days(world, 2)[:10])
    assert "buy_elsewhere" not in offered(world, case)
    price(world, 61, date_start=days(world, 0)[:10], date_end=days(world, 0)[:10])
    assert len(offered(world, case)["buy_elsewhere"]) == 1
    world.write("res.partner", 61, active=False)
    assert "buy_elsewhere" not in offered(world, case)

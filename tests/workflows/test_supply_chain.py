"""The purchases that an order waits for, as its page and the API name them: by Odoo's link, else by the row of who waits."""

from decimal import Decimal

import pytest

from apps.workflows import blockers
from apps.workflows.models import Position
from apps.workflows.supply_chain import supplies_of
from tests.trade import DESK, LAMP, company, days, larger_company, purchase, sale
from tests.workflows.test_promises import in_hall, into_hall, lies
from tests.world import World


@pytest.fixture
def world(db: None) -> World:
    return company()


def supplies(world: World, order: int = 42) -> list[tuple[str, Decimal, bool]]:
    position = Position.objects.get(workflow="order_to_cash", odoo_id=order)
    return [(one.name, one.quantity, one.linked) for one in supplies_of(position, now=world.now)]


def test_what_odoo_links_is_named_over_its_steps_and_nothing_else(world: World) -> None:
    purchase(world, 80, quantity=20, expected_in=9)
    purchase(world, 81, quantity=20, expected_in=2)
    step = {"product_id": DESK, "company_id": 1, "product_uom_qty": 10, "picking_id": 850, "state": "waiting"}
    world.write("stock.move", 850, move_orig_ids=[800], **step)
    sale(world, 42, fed_by=[850])
    assert supplies(world) == [("P00080", Decimal(20), True)]


def test_several_purchases_bring_their_parts_and_each_order_is_told_of_its_own(world: World) -> None:
    purchase(world, 80, quantity=12, expected_in=2)
    purchase(world, 81, quantity=20, expected_in=4)
    sale(world, 41, quantity=8, promised_in=3)
    sale(world, 42, quantity=10, promised_in=5)
    assert supplies(world, 41) == [("P00080", Decimal(8), False)]
    assert supplies(world, 42) == [("P00080", Decimal(4), False), ("P00081", Decimal(6), False)]


def test_what_goes_to_another_warehouse_brings_nothing(world: World) -> None:
    for number in (1, 2):
        world.write("stock.picking.type", 20 + number, name="Receipts", code="incoming", warehouse_id=number, company_id=1)
    purchase(world, 80, expected_in=2, picking_type_id=22)
    world.write("stock.move", 800, warehouse_id=2, picking_type_id=22)
    sale(world, 42)
    world.write("stock.move", 42, warehouse_id=1)
    assert supplies(world) == []


@pytest.mark.parametrize(
    ("model", "number", "change"),
    [
        ("purchase.order", 80, {"state": "cancel"}),
        ("purchase.order", 80, {"company_id": 2}),
        ("purchase.order.line", 800, {"qty_received": 20}),
        ("purchase.order.line", 800, {"product_id": LAMP}),
    ],
)
def test_what_does_not_come_is_not_named(world: World, model: str, number: int, change: dict[str, object]) -> None:
    purchase(world, 80, quantity=20, expected_in=2)
    sale(world, 42)
    assert supplies(world) == [("P00080", Decimal(10), False)]
    world.write(model, number, **change)
    if "product_id" in change or "qty_received" in change or "company_id" in change:
        world.write("stock.move", 800, state="cancel")
    assert supplies(world) == []


def test_free_stock_comes_first(db: None) -> None:
    world = larger_company()
    lies(world, 1, 7)
    into_hall(world, quantity=20, expected_in=2)
    in_hall(world, 42, quantity=10)
    assert supplies(world) == [("P00080", Decimal(3), False)]


def test_what_is_linked_and_came_short_waits_in_the_row(world: World) -> None:
    purchase(world, 80, quantity=10, expected_in=1)
    sale(world, 42, fed_by=[800])
    purchase(world, 81, quantity=10, expected_in=4)
    assert supplies(world) == [("P00080", Decimal(10), True)]
    world.write("stock.move", 800, state="done", quantity=4)
    world.write("purchase.order.line", 800, qty_received=4)
    world.write("stock.move", 42, state="partially_available", quantity=4)
    found = supplies(world)
    assert found[-1][0] in {"P00080", "P00081"} and all(not linked for _, _, linked in found)
    assert sum(quantity for _, quantity, _ in found) == 6


def test_a_product_that_is_not_read_yet_is_called_by_its_number(world: World) -> None:
    purchase(world, 80, product=999, quantity=20, expected_in=2)
    sale(world, 42, product=999)
    position = Position.objects.get(workflow="order_to_cash", odoo_id=42)
    (one,) = supplies_of(position, now=world.now)
    (missing,) = [one for one in blockers.blockers_of(position, now=world.now) if one.kind == "stock_shortage"]
    assert one.product == "#999" and missing.text == "#999: 10 of 10 missing"


def test_an_order_that_is_short_of_nothing_waits_for_none(world: World) -> None:
    purchase(world, 80, quantity=20, expected_in=2)
    sale(world, 42, reserved=10)
    world.write("stock.move", 42, state="assigned", date=days(world, 1))
    assert supplies(world) == []

"""A kit counts once, by the component that lacks most."""

from decimal import Decimal

from apps.workflows import impact
from tests.trade import DESK, LAMP, days, purchase
from tests.workflows.units.goods import case, kit
from tests.world import World


def test_a_kit_is_short_once(world: World) -> None:
    kit(world)
    short = case(world, "order.stock_shortage", 42)
    assert short is not None
    assert (short["short_lines_count"], short["short_quantity"], short["amount"]) == (1, "10", Decimal("1000.00"))
    assert short["short_products_names"] == "Office set (Lamp, Oak desk)"


def test_of_a_kit_the_component_that_lacks_most_counts(world: World) -> None:
    kit(world)
    world.write("stock.move", 42, state="assigned", quantity=10)
    world.write("stock.move", 43, state="partially_available", quantity=38)
    short = case(world, "order.stock_shortage", 42)
    assert short is not None
    assert (short["short_quantity"], short["amount"]) == ("1", Decimal("100.00"))


def test_a_kit_waits_for_its_purchases_with_its_value_once(world: World) -> None:
    kit(world)
    purchase(world, 80, product=DESK, quantity=10, expected_in=9)
    world.write(
        "purchase.order.line",
        801,
        order_id=80,
        product_id=LAMP,
        company_id=1,
        product_qty=40,
        price_subtotal=10,
        date_planned=days(world, 9),
        name="Lamps",
    )
    found = impact.impact_of(world.connection.pk, "purchase.order", 80, now=world.now)
    assert [(one.quantity, one.revenue) for one in found.orders] == [(Decimal(10), Decimal("1000.00"))]


def test_a_kit_that_comes_back_is_worth_its_sets(world: World) -> None:
    kit(world, sets=10)
    world.write("stock.picking", 42, state="done")
    for move in (42, 43):
        world.write("stock.move", move, state="done", quantity=10 if move == 42 else 40)
    world.write("sale.order.line", 420, qty_delivered=10)
    world.write("stock.move", 710, picking_id=71, product_id=DESK, product_uom_qty=6, sale_line_id=420, state="assigned")
    world.write("stock.move", 711, picking_id=71, product_id=LAMP, product_uom_qty=24, sale_line_id=420, state="assigned")
    world.write(
        "stock.picking",
        71,
        name="WH/IN/1",
        state="assigned",
        return_id=42,
        sale_id=42,
        partner_id=50,
        company_id=1,
        picking_type_code="incoming",
    )
    back = case(world, "returns.authorisation_pending", 71)
    assert back is not None
    assert (back["returned_quantity"], back["amount"]) == ("6", Decimal("600.00"))

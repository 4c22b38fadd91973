"""What rests on a unit is counted anew as its ratio, or the product, changes."""

from decimal import Decimal

from apps.workflows.models import Position
from tests.trade import DESK, sale
from tests.workflows.units.goods import DOZEN, UNIT, case, invoiced_in_units, returned
from tests.world import World


def test_a_ratio_that_changes_counts_anew_what_comes_back_and_what_is_billed(world: World) -> None:
    """The moves and the invoice are in units; it is the order that counts in dozens."""
    returned(world, quantity=12, sold=2, price=1200, unit=DOZEN)
    invoiced_in_units(world)
    assert case(world, "invoice.differs", 600) is None
    world.write("uom.uom", DOZEN, factor=6, relative_factor=6)
    back, differs = case(world, "returns.authorisation_pending", 71), case(world, "invoice.differs", 600)
    assert (back and back["amount"], differs and differs["price_difference"]) == (Decimal("2400.00"), "-2400.00")
    world.write("uom.uom", DOZEN, factor=12, relative_factor=12)
    back = case(world, "returns.authorisation_pending", 71)
    assert (back and back["amount"], case(world, "invoice.differs", 600)) == (Decimal("1200.00"), None)


def test_a_ratio_that_changes_counts_anew_what_is_delivered(world: World) -> None:
    """The product is kept in boxes of ten; it is sold and moved in units."""
    world.write("uom.uom", 9, name="Boxes", factor=10, relative_factor=10, relative_uom_id=UNIT)
    world.write("product.template", DESK * 10, uom_id=9)
    world.write("product.product", DESK, standard_price=500)
    world.write("stock.picking", 90, name="WH/INT/90", state="assigned", picking_type_code="internal", company_id=1)
    world.write(
        "stock.move",
        90,
        product_id=DESK,
        company_id=1,
        picking_id=90,
        state="assigned",
        product_uom=UNIT,
        product_uom_qty=20,
        quantity=20,
    )
    assert Position.objects.get(workflow="fulfilment", odoo_id=90).amount == Decimal("1000.00")
    world.write("uom.uom", 9, factor=20, relative_factor=20)
    assert Position.objects.get(workflow="fulfilment", odoo_id=90).amount == Decimal("500.00")


def test_a_product_with_another_unit_counts_anew_what_is_short_of_it(world: World) -> None:
    """Odoo writes the new unit on what is open; whichever of the two is read first, the figures fit once both are."""
    sale(world, 42, quantity=10, promised_in=6)
    world.write("sale.order.line", 420, product_uom_id=UNIT)
    world.write("stock.move", 42, product_uom=UNIT)
    short = case(world, "order.stock_shortage", 42)
    assert short and (short["short_quantity"], short["amount"]) == ("10", Decimal("1000.00"))
    world.write("product.template", DESK * 10, uom_id=DOZEN)
    world.write("sale.order.line", 420, product_uom_id=DOZEN)
    world.write("stock.move", 42, product_uom=DOZEN)
    short = case(world, "order.stock_shortage", 42)
    assert short and (short["short_quantity"], short["amount"]) == ("10", Decimal("1000.00"))

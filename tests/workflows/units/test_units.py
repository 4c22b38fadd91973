"""Quantities are in the product's own unit, whatever orders, purchases, moves and invoices count in."""

from decimal import Decimal

from apps.workflows import impact, lines
from apps.workflows.offers import options
from apps.workflows.rules import sourcing, substitution
from tests.trade import DESK, purchase
from tests.workflows.units.goods import DOZEN, UNIT, case, dozens, invoiced_in_units, returned
from tests.world import World


def test_what_is_short_of_dozens_is_worth_its_part(world: World) -> None:
    dozens(world, quantity=12, state="partially_available")
    short = case(world, "order.stock_shortage", 42)
    assert short is not None
    assert (short["short_quantity"], short["uncovered_quantity"], short["amount"]) == ("12", "12", Decimal("1200.00"))


def test_two_dozen_that_come_cover_twenty_four(world: World) -> None:
    dozens(world)
    purchase(world, quantity=2, expected_in=3)
    world.write("purchase.order.line", 800, product_uom_id=DOZEN)
    world.write("stock.move", 800, product_uom=UNIT, product_uom_qty=24)
    assert case(world, "order.stock_shortage", 42) is None
    (waiting,) = impact.impact_of(world.connection.pk, "purchase.order", 80, now=world.now).orders
    assert (waiting.quantity, waiting.revenue) == (Decimal(24), Decimal("2400.00"))


def test_a_line_says_its_own_unit_and_the_products(world: World) -> None:
    dozens(world)
    world.write("sale.order.line", 420, name="Oak desk")
    table = lines.lines_of("order_to_cash", connection_id=world.connection.pk, odoo_id=42)
    assert table
    assert table.rows[0][0].value == "Oak desk, in Dozens of 12 Units"


def test_a_price_of_a_dozen_is_not_the_price_of_one(world: World) -> None:
    world.write("product.supplierinfo", 1, partner_id=60, product_tmpl_id=DESK * 10, price=600, product_uom_id=DOZEN, currency_id=1)
    purchase(world, quantity=24, currency_id=1)
    world.write("purchase.order.line", 800, product_uom_id=UNIT, price_unit=50)
    assert case(world, "purchase.price_differs", 80) is None
    world.write("purchase.order.line", 800, price_unit=55)
    differs = case(world, "purchase.price_differs", 80)
    assert differs is not None
    assert (differs["price_expected"], differs["price_found"], differs["amount"]) == ("50.00", "55.00", Decimal("120.00"))


def test_a_dozen_that_comes_back_is_worth_a_dozen(world: World) -> None:
    assert returned(world, quantity=4, sold=2, price=1200, unit=DOZEN) == {}
    back = returned(world, quantity=12, sold=2, price=1200, unit=DOZEN)
    assert (back["returned_quantity"], back["amount"]) == ("12", Decimal("1200.00"))


def test_an_invoice_in_units_of_an_order_in_dozens_differs_in_nothing(world: World) -> None:
    world.order(42, amount=2400, state="sale", currency_id=1)
    world.write(
        "sale.order.line",
        420,
        order_id=42,
        product_id=DESK,
        name="Oak desk",
        product_uom_qty=2,
        qty_delivered=2,
        qty_invoiced=2,
        product_uom_id=DOZEN,
        price_unit=1200,
        price_subtotal=2400,
    )
    invoiced_in_units(world)
    assert case(world, "invoice.differs", 600) is None
    world.write("account.move.line", 6000, price_unit=110)
    differs = case(world, "invoice.differs", 600)
    assert differs is not None
    assert (differs["billed_quantity"], differs["amount"]) == ("24", Decimal("240.00"))


def test_what_is_bought_elsewhere_is_ordered_in_the_vendors_unit(world: World) -> None:
    world.write("res.partner", 61, name="Fjord Furniture", commercial_partner_id=61, active=True)
    world.write(
        "product.supplierinfo", 2, partner_id=61, product_tmpl_id=DESK * 10, price=550, delay=2, product_uom_id=DOZEN, currency_id=1
    )
    dozens(world)
    (offer,) = options(
        sourcing.from_another_vendor(sourcing.NEEDED_OF_ORDER), connection_id=world.connection.pk, odoo_id=42, now=world.now
    )
    assert (offer.columns["quantity"], offer.columns["unit_id"], offer.columns["price"]) == (2, DOZEN, 550)
    assert offer.text.startswith("2 Dozens of Oak desk from Fjord Furniture")


def test_the_substitute_of_a_dozen_is_a_dozen(world: World) -> None:
    world.write("stock.location", 8, name="Stock", usage="internal", warehouse_id=1, company_id=1)
    world.write("product.product", 32, product_tmpl_id=DESK * 10, active=True)
    world.write("product.template", DESK * 10, active=True)
    world.write("stock.quant", 1, product_id=32, location_id=8, quantity=30)
    dozens(world, location_id=8)
    world.write("sale.order.line", 420, price_unit=1200)
    (offer,) = options(substitution.SUBSTITUTE, connection_id=world.connection.pk, odoo_id=42, now=world.now)
    assert [offer.columns[name] for name in ("kept", "quantity", "price", "unit_id")] == [0, 2, 1200, DOZEN]

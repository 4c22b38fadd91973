"""Quantities in the product's own unit, whatever orders, purchases, moves and invoices count in; kits once; the first open step."""

from decimal import Decimal
from typing import Any

import pytest

from apps.exceptions.models import ExceptionCase, Status
from apps.workflows import blockers, impact, lines
from apps.workflows.models import Position
from apps.workflows.offers import options
from apps.workflows.rules import sourcing, substitution
from tests.trade import DESK, LAMP, company, days, purchase, sale
from tests.world import World

UNIT, DOZEN = 1, 3


@pytest.fixture
def world(db: None) -> World:
    made = company()
    made.write("uom.uom", UNIT, name="Units", factor=1, relative_factor=1)
    made.write("uom.uom", DOZEN, name="Dozens", factor=12, relative_factor=12, relative_uom_id=UNIT, active=False)
    for product, name in ((DESK, "Oak desk"), (LAMP, "Lamp")):
        made.write("product.template", product * 10, name=name, uom_id=UNIT)
    return made


def case(world: World, kind: str, record: int) -> dict[str, Any] | None:
    found = ExceptionCase.objects.filter(type=kind, odoo_id=record).exclude(status=Status.RESOLVED).first()
    return found and {**found.plain_evidence, "amount": found.amount}


def dozens(world: World, order: int = 42, **more: Any) -> None:
    """Two dozen are sold at 1,200 a dozen; the goods move in units, as Odoo 19 has it."""
    sale(world, order, quantity=2, promised_in=6)
    world.write("sale.order.line", order * 10, product_uom_id=DOZEN, price_subtotal=2400)
    world.write("stock.move", order, product_uom=UNIT, product_uom_qty=24, **more)


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
    (waiting,) = impact.of(world.connection.pk, "purchase.order", 80, now=world.now).orders
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


def kit(world: World, order: int = 42, *, sets: float = 10, parts: dict[int, float] | None = None, reserved: float = 0) -> None:
    """So many sets of a kit at 100, of one desk and four lamps each."""
    world.write("product.template", 990, name="Office set", uom_id=UNIT)
    world.write("product.product", 99, product_tmpl_id=990)
    sale(world, order, product=99, quantity=sets)
    for number, (part, each) in enumerate((parts or {DESK: 1, LAMP: 4}).items()):
        world.write(
            "stock.move",
            order + number,
            product_id=part,
            company_id=1,
            sale_line_id=order * 10,
            picking_id=order,
            state="confirmed",
            product_uom=UNIT,
            product_uom_qty=sets * each,
            quantity=0,
            date_deadline=days(world, 3),
        )


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
    found = impact.of(world.connection.pk, "purchase.order", 80, now=world.now)
    assert [(one.quantity, one.revenue) for one in found.orders] == [(Decimal(10), Decimal("1000.00"))]


def picked_first(world: World, *, state: str = "assigned", promised_in: float = 3) -> None:
    """An order whose goods are picked first: the delivery is made once the pick is done."""
    sale(world, 42, quantity=10, promised_in=promised_in)
    world.write("stock.picking", 42, name="WH/PICK/00042", state=state, picking_type_code="internal")
    world.write("stock.move", 42, state=state, quantity=10 if state == "assigned" else 0)


def test_an_order_is_ready_when_its_pick_is(world: World) -> None:
    picked_first(world, state="confirmed")
    assert Position.objects.get(model="sale.order", odoo_id=42).stage == "waiting_for_stock"
    picked_first(world)
    assert Position.objects.get(model="sale.order", odoo_id=42).stage == "ready_to_pick"
    world.write("sale.order", 42, delivery_status="started")
    assert Position.objects.get(model="sale.order", odoo_id=42).stage == "ready_to_pick"


def test_a_promise_that_passed_on_the_pick_is_at_risk_and_names_it(world: World) -> None:
    picked_first(world, promised_in=-7)
    late = case(world, "order.promise_at_risk", 42)
    assert late is not None
    assert (late["promise_late_days"], late["steps_names"]) == (7, "WH/PICK/00042 is ready and not done")
    found = {one.kind: one for one in blockers.of(Position.objects.get(model="sale.order", odoo_id=42), now=world.now)}
    assert (found["open_step"].model, found["open_step"].odoo_id) == ("stock.picking", 42)


def test_a_delivery_that_waits_for_its_pick_is_told_by_the_pick(world: World) -> None:
    picked_first(world, promised_in=-1)
    world.write("stock.picking", 43, name="WH/OUT/00043", state="waiting", picking_type_code="outgoing", sale_id=42)
    world.write(
        "stock.move",
        43,
        product_id=DESK,
        company_id=1,
        sale_line_id=420,
        picking_id=43,
        state="waiting",
        product_uom_qty=10,
        move_orig_ids=[42],
    )
    late = case(world, "order.promise_at_risk", 42)
    assert late is not None
    assert late["steps_names"] == "WH/PICK/00042 is ready and not done"
    assert Position.objects.get(model="sale.order", odoo_id=42).stage == "ready_to_pick"


def test_what_the_vendor_delivers_is_expected_when_the_purchase_is(world: World) -> None:
    sale(world, 42, quantity=10, promised_in=3)
    purchase(world, 80, quantity=10, expected_in=9, state="draft")
    world.write("stock.picking", 42, state="cancel")
    world.write("stock.move", 42, state="cancel")
    world.write("purchase.order.line", 800, sale_line_id=420)
    world.write("stock.move", 800, state="cancel")
    world.write("sale.order", 42, delivery_status=False)
    assert Position.objects.get(model="sale.order", odoo_id=42).stage == "waiting_for_stock"
    late = case(world, "order.promise_at_risk", 42)
    assert late is not None
    assert late["promise_late_days"] == 6

    world.write(
        "stock.picking",
        43,
        name="DS/00001",
        state="assigned",
        picking_type_code="dropship",
        sale_id=42,
        scheduled_date=days(world, 1),
    )
    world.write(
        "stock.move",
        43,
        product_id=DESK,
        company_id=1,
        sale_line_id=420,
        purchase_line_id=800,
        picking_id=43,
        state="assigned",
        product_uom_qty=10,
        quantity=10,
    )
    world.write("purchase.order", 80, state="purchase")
    world.write("sale.order", 42, delivery_status="pending")
    assert Position.objects.get(model="sale.order", odoo_id=42).stage == "waiting_for_stock"
    late = case(world, "order.promise_at_risk", 42)
    assert late is not None
    assert (late["promise_late_days"], late["steps_names"]) == (6, "DS/00001 is expected from the vendor")
    (waiting,) = impact.of(world.connection.pk, "purchase.order", 80, now=world.now).orders
    assert (waiting.odoo_id, waiting.is_linked, waiting.late_days) == (42, True, 6)


def test_what_is_in_the_house_and_not_put_away_is_to_come(world: World) -> None:
    sale(world, 42, quantity=10, promised_in=6, warehouse_id=1)
    purchase(world, 80, quantity=10)
    world.write("purchase.order.line", 800, qty_received=10)
    world.write("stock.move", 800, state="done", quantity=10)
    short = case(world, "order.stock_shortage", 42)
    assert short is not None
    assert short["uncovered_quantity"] == "10"
    world.write("stock.picking.type", 5, code="internal", name="Storage")
    world.write("stock.picking", 90, name="WH/STOR/00090", state="assigned", picking_type_code="internal", picking_type_id=5)
    world.write(
        "stock.move",
        90,
        product_id=DESK,
        company_id=1,
        picking_id=90,
        state="assigned",
        product_uom_qty=10,
        quantity=10,
        date=days(world, -1),
        move_orig_ids=[800],
    )
    assert case(world, "order.stock_shortage", 42) is None


def returned(world: World, *, product: int = DESK, quantity: float, sold: float, price: float, unit: int = UNIT) -> dict[str, Any]:
    """So many of what was delivered are to come back; what stands in the queue about it."""
    world.order(42, amount=sold * price, state="sale")
    world.write(
        "sale.order.line",
        420,
        order_id=42,
        product_id=product,
        name="Goods",
        product_uom_qty=sold,
        qty_delivered=sold,
        product_uom_id=unit,
        price_unit=price,
        price_subtotal=sold * price,
    )
    world.write("stock.picking", 70, name="WH/OUT/1", state="done", sale_id=42, picking_type_code="outgoing", company_id=1)
    world.write(
        "stock.move",
        710,
        picking_id=71,
        product_id=DESK,
        product_uom=UNIT,
        product_uom_qty=quantity,
        sale_line_id=420,
        state="assigned",
    )
    world.write(
        "stock.picking",
        71,
        name="WH/IN/1",
        state="assigned",
        return_id=70,
        sale_id=42,
        partner_id=50,
        company_id=1,
        picking_type_code="incoming",
    )
    return case(world, "returns.authorisation_pending", 71) or {}


def test_a_dozen_that_comes_back_is_worth_a_dozen(world: World) -> None:
    assert returned(world, quantity=4, sold=2, price=1200, unit=DOZEN) == {}
    back = returned(world, quantity=12, sold=2, price=1200, unit=DOZEN)
    assert (back["returned_quantity"], back["amount"]) == ("12", Decimal("1200.00"))


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
    world.write(
        "account.move",
        600,
        name="INV/1",
        state="posted",
        move_type="out_invoice",
        partner_id=50,
        company_id=1,
        payment_state="not_paid",
        amount_total=2400,
        amount_total_signed=2400,
        currency_id=1,
    )
    world.write(
        "account.move.line",
        6000,
        move_id=600,
        display_type="product",
        product_id=DESK,
        product_uom_id=UNIT,
        quantity=24,
        price_unit=100,
        price_subtotal=2400,
        sale_line_ids=[420],
        parent_state="posted",
        currency_id=1,
    )
    assert case(world, "invoice.differs", 600) is None
    world.write("account.move.line", 6000, price_unit=110)
    differs = case(world, "invoice.differs", 600)
    assert differs is not None
    assert (differs["billed_quantity"], differs["amount"]) == ("24", Decimal("240.00"))


def test_what_is_bought_elsewhere_is_ordered_in_the_vendors_unit(world: World) -> None:
    world.write("res.partner", 61, name="Fjord Furniture", commercial_partner_id=61)
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


def test_a_ratio_that_changes_counts_anew_what_comes_back_and_what_is_billed(world: World) -> None:
    """The moves and the invoice are in units; it is the order that counts in dozens."""
    returned(world, quantity=12, sold=2, price=1200, unit=DOZEN)
    world.write(
        "account.move",
        600,
        name="INV/1",
        state="posted",
        move_type="out_invoice",
        partner_id=50,
        company_id=1,
        payment_state="not_paid",
        amount_total=2400,
        amount_total_signed=2400,
        currency_id=1,
    )
    world.write(
        "account.move.line",
        6000,
        move_id=600,
        display_type="product",
        product_id=DESK,
        product_uom_id=UNIT,
        quantity=24,
        price_unit=100,
        price_subtotal=2400,
        sale_line_ids=[420],
        parent_state="posted",
        currency_id=1,
    )
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

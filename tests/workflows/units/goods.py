"""Goods in dozens and in kits, sold and brought back."""

from typing import Any

from apps.exceptions.models import ExceptionCase, Status
from tests.trade import DESK, LAMP, days, sale
from tests.world import World

UNIT, DOZEN = 1, 3


def case(world: World, kind: str, record: int) -> dict[str, Any] | None:
    found = ExceptionCase.objects.filter(type=kind, odoo_id=record).exclude(status=Status.RESOLVED).first()
    return found and {**found.plain_evidence, "amount": found.amount}


def dozens(world: World, order: int = 42, **more: Any) -> None:
    """Two dozen are sold at 1,200 a dozen; the goods move in units, as Odoo 19 has it."""
    sale(world, order, quantity=2, promised_in=6)
    world.write("sale.order.line", order * 10, product_uom_id=DOZEN, price_subtotal=2400)
    world.write("stock.move", order, product_uom=UNIT, product_uom_qty=24, **more)


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


def invoiced_in_units(world: World) -> None:
    """Two dozen desks of the order's line are billed as twenty-four at 100."""
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

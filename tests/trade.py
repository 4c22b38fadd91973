"""Buying and selling in a small company: what is short, and what is to come for it."""

from datetime import timedelta
from typing import Any

from tests.world import World, odoo_time

DESK, LAMP = 30, 31


def company() -> World:
    """Two products, one vendor, two customers."""
    made = World()
    for product, name in ((DESK, "Oak desk"), (LAMP, "Lamp")):
        made.write("product.template", product * 10, name=name)
        made.write("product.product", product, product_tmpl_id=product * 10)
    made.write("res.partner", 60, name="Nordic Timber", commercial_partner_id=60)
    made.customer(51, name="Gemini", credit_limit=0)
    return made


def larger_company() -> World:
    """The same with two warehouses and a second vendor."""
    made = company()
    for number, name in ((1, "Hall"), (2, "Annex")):
        made.write(
            "stock.location",
            7 + number,
            name="Stock",
            complete_name=f"{name}/Stock",
            usage="internal",
            warehouse_id=number,
            company_id=1,
        )
        made.write("stock.warehouse", number, name=name, company_id=1, lot_stock_id=7 + number)
        made.write("stock.picking.type", 10 + number, name="Internal", code="internal", warehouse_id=number, company_id=1)
    made.write("res.partner", 61, name="Fjord Furniture", commercial_partner_id=61, active=True)
    return made


def days(world: World, number: float) -> str:
    """So many days from now, as Odoo writes it."""
    return odoo_time(world.now + timedelta(days=number))


def purchase(
    world: World, order: int = 80, *, product: int = DESK, quantity: float = 20, expected_in: float = 5, **more: Any
) -> None:
    """A confirmed purchase of one line, with its receipt."""
    values = {
        "name": f"P{order:05}",
        "state": "purchase",
        "partner_id": 60,
        "company_id": 1,
        "currency_rate": 1.0,
        "acknowledged": True,
        "date_approve": days(world, -5),
    }
    world.write("purchase.order", order, **values | more)
    world.write(
        "purchase.order.line",
        order * 10,
        order_id=order,
        product_id=product,
        company_id=1,
        product_qty=quantity,
        price_subtotal=quantity * 50,
        name="Furniture",
        date_planned=days(world, expected_in),
    )
    world.write(
        "stock.picking",
        order * 10,
        name=f"WH/IN/{order:05}",
        state="assigned",
        picking_type_code="incoming",
        scheduled_date=days(world, expected_in),
    )
    world.write(
        "stock.move",
        order * 10,
        product_id=product,
        company_id=1,
        purchase_line_id=order * 10,
        state="assigned",
        picking_id=order * 10,
        product_uom_qty=quantity,
        date=days(world, expected_in),
    )


def sale(
    world: World,
    order: int,
    *,
    product: int = DESK,
    quantity: float = 10,
    reserved: float = 0,
    promised_in: float = 3,
    partner: int = 50,
    fed_by: list[int] | None = None,
    **more: Any,
) -> None:
    """A confirmed order of one line at 100 each that is short of stock."""
    world.order(
        order,
        amount=quantity * 100,
        partner=partner,
        state="sale",
        delivery_status="pending",
        company_id=1,
        commitment_date=days(world, promised_in),
        **more,
    )
    world.write(
        "sale.order.line",
        order * 10,
        order_id=order,
        product_id=product,
        product_uom_qty=quantity,
        company_id=1,
        price_subtotal=quantity * 100,
    )
    world.write("stock.picking", order, name=f"WH/OUT/{order:05}", state="confirmed", picking_type_code="outgoing", sale_id=order)
    world.write(
        "stock.move",
        order,
        product_id=product,
        company_id=1,
        sale_line_id=order * 10,
        picking_id=order,
        state="partially_available" if reserved else "confirmed",
        product_uom_qty=quantity,
        quantity=reserved,
        date_deadline=days(world, promised_in),
        move_orig_ids=fed_by or [],
    )


def delivered(world: World, order: int = 42, **more: Any) -> None:
    """An order of ten desks at 100, of which all is delivered and billed."""
    values = {
        "order_id": order,
        "product_id": DESK,
        "name": "Desk",
        "product_uom_qty": 10,
        "qty_delivered": 10,
        "qty_invoiced": 10,
        "qty_to_invoice": 0,
        "price_unit": 100,
    }
    world.order(order, amount=1_000, state="sale")
    world.write("sale.order.line", order * 100, **values | more)

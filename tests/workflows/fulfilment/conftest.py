"""Two warehouses with a desk in both, and an order of ten."""

from datetime import timedelta

import pytest

from tests.world import World, odoo_time


@pytest.fixture
def world(world: World) -> World:
    """Two warehouses with a desk in both, and an order of ten desks at 100 each."""
    for number, name in ((1, "Hall"), (2, "Annex")):
        world.write("stock.location", 7 + number, name="Stock", usage="internal", warehouse_id=number, company_id=1)
        world.write("stock.warehouse", number, name=name, company_id=1, lot_stock_id=7 + number)
        world.write(
            "stock.picking.type", number, name="Delivery Orders", code="outgoing", warehouse_id=number, use_existing_lots=True
        )
    world.write("stock.picking.type", 3, name="Receipts", code="incoming", warehouse_id=1, use_create_lots=True)
    world.write("product.template", 30, name="Oak desk", tracking="none")
    world.write("product.product", 30, product_tmpl_id=30, standard_price=40)
    world.order(state="sale", amount=1_000, commitment_date=odoo_time(world.now + timedelta(days=4)))
    world.write(
        "sale.order.line", 420, order_id=42, product_id=30, product_uom_qty=10, price_unit=125, discount=20, price_subtotal=1_000
    )
    return world

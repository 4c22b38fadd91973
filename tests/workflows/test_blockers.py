"""What holds an order up is named with its numbers, and with the record that is to blame."""

from datetime import timedelta

import pytest

from apps.workflows import blockers
from apps.workflows.models import Position
from tests.world import World, odoo_time


@pytest.fixture
def world(db: None) -> World:
    made = World()
    made.write("product.template", 300, name="Oak desk")
    made.write("product.product", 30, product_tmpl_id=300)
    return made


def waiting_order(world: World, *, wanted: float = 10, reserved: float = 4) -> Position:
    """A confirmed order of which a part is not in stock."""
    world.order(state="sale", delivery_status="pending")
    world.write("stock.picking", 70, name="WH/OUT/00070", state="confirmed", picking_type_code="outgoing", sale_id=42)
    world.write("sale.order.line", 4200, order_id=42, product_id=30, product_uom_qty=wanted)
    world.write(
        "stock.move",
        700,
        picking_id=70,
        product_id=30,
        sale_line_id=4200,
        state="partially_available",
        product_uom_qty=wanted,
        quantity=reserved,
    )
    return Position.objects.get(odoo_id=42)


def purchase(world: World, *, expected_in: timedelta) -> None:
    world.write("res.partner", 60, name="Nordic Timber", commercial_partner_id=60)
    world.write("purchase.order", 80, name="P00080", state="purchase", partner_id=60)
    world.write(
        "purchase.order.line",
        800,
        order_id=80,
        product_id=30,
        product_qty=20,
        qty_received=0,
        date_planned=odoo_time(world.now + expected_in),
    )


def test_what_is_missing_is_said_with_the_transfer_that_waits_for_it(world: World) -> None:
    (short,) = blockers.blockers_of(waiting_order(world), now=world.now)
    assert (short.kind, short.model, short.odoo_id, short.name) == ("stock_shortage", "stock.picking", 70, "WH/OUT/00070")
    assert short.text == "Oak desk: 6 of 10 missing, none on order"


def test_what_a_purchase_brings_in_time_is_no_delay(world: World) -> None:
    position = waiting_order(world)
    purchase(world, expected_in=timedelta(days=3))
    (short,) = blockers.blockers_of(position, now=world.now)
    assert short.text == "Oak desk: 6 of 10 missing"


def test_a_supplier_who_is_late_is_named(world: World) -> None:
    position = waiting_order(world, wanted=2.5, reserved=0)
    purchase(world, expected_in=-timedelta(days=2))
    short, late = blockers.blockers_of(position, now=world.now)
    assert short.text == "Oak desk: 2.5 of 2.5 missing"
    assert (late.kind, late.model, late.name) == ("supplier_delay", "purchase.order", "P00080")
    assert late.text == "Nordic Timber was due to deliver 2.5 Oak desk by 2026-11-21 (the purchase order that supplies this order)"
    assert late.since == world.now - timedelta(days=2)


def test_nothing_holds_up_what_is_closed(world: World) -> None:
    waiting_order(world)
    world.order(state="cancel")
    assert blockers.blockers_of(Position.objects.get(odoo_id=42), now=world.now) == []


def test_what_a_vendor_brings_after_the_day_promised_is_a_delay_before_it_is_overdue(world: World) -> None:
    position = waiting_order(world)
    world.order(state="sale", delivery_status="pending", commitment_date=odoo_time(world.now + timedelta(days=2)))
    purchase(world, expected_in=timedelta(days=3))
    world.order(
        state="sale",
        delivery_status="pending",
        date_order=odoo_time(world.now - timedelta(days=4)),
        commitment_date=odoo_time(world.now + timedelta(days=2)),
    )
    world.write("purchase.order", 80, date_approve=odoo_time(world.now - timedelta(days=1)))
    _, late = blockers.blockers_of(position, now=world.now)
    # Ordered by the customer three days before it was ordered from the vendor.
    assert (late.kind, late.since) == ("supplier_delay", world.now - timedelta(days=1))
    assert late.text == "Nordic Timber delivers 6 Oak desk on 2026-11-26, too late (the purchase order that supplies this order)"


def test_what_purchases_cover_only_in_part_is_said(world: World) -> None:
    position = waiting_order(world, wanted=30, reserved=0)
    purchase(world, expected_in=timedelta(days=3))
    (short,) = blockers.blockers_of(position, now=world.now)
    assert short.text == "Oak desk: 30 of 30 missing, 10 of which not on order"


def test_an_address_that_nobody_can_deliver_to_is_missing_data(world: World) -> None:
    world.order()
    position = Position.objects.get(odoo_id=42)
    assert blockers.blockers_of(position, now=world.now) == []
    world.write("res.partner", 51, name="Azure, dock 4", commercial_partner_id=50, street="", city="Hamburg")
    world.order(partner_shipping_id=51)
    (missing,) = blockers.blockers_of(position, now=world.now)
    assert (missing.kind, missing.model, missing.odoo_id, missing.since) == ("missing_data", "res.partner", 51, world.now)
    assert missing.text == "The delivery address Azure, dock 4 has no street, no country"
    world.write("res.partner", 51, street="Kai 4", country_id=57)
    assert blockers.blockers_of(position, now=world.now) == []


def test_a_line_without_a_product_is_missing_data_and_a_heading_is_not(world: World) -> None:
    world.order()
    world.write("sale.order.line", 1, order_id=42, name="Desks", display_type="line_section")
    world.write("sale.order.line", 2, order_id=42, name="Something oak", product_uom_qty=1)
    (missing,) = blockers.blockers_of(Position.objects.get(odoo_id=42), now=world.now)
    assert (missing.kind, missing.model, missing.text) == ("missing_data", "sale.order", "No product on: Something oak")


def test_a_warehouse_that_cannot_keep_up_holds_up_what_stands_ready(world: World) -> None:
    world.order(state="sale", delivery_status="pending", warehouse_id=3)
    world.write("stock.picking", 70, name="WH/OUT/00070", state="assigned", picking_type_code="outgoing", sale_id=42)
    Position.objects.create(
        connection=world.connection,
        workflow="warehouse_load",
        model="stock.warehouse",
        odoo_id=3,
        name="Annex",
        stage="over_capacity",
        since=world.now,
        is_open=True,
    )
    (full,) = blockers.blockers_of(Position.objects.get(odoo_id=42), now=world.now)
    assert (full.kind, full.model, full.name, full.since) == ("warehouse_capacity", "stock.warehouse", "Annex", world.now)
    world.write("stock.picking", 70, state="done")
    assert blockers.blockers_of(Position.objects.get(odoo_id=42), now=world.now) == []

"""The numbers of duplicates, unusual orders and substitutes are set per connection and company, and count at once."""

from typing import Any

import pytest

from apps.accounts.models import Role, User
from apps.core import sentences
from apps.exceptions.models import ExceptionCase, Status
from apps.pipeline import change_processing, parameter_changes
from apps.workflows import offers, parameter_values
from apps.workflows.rules.substitution import SUBSTITUTE
from apps.workflows.scopes import EVERYBODY, Scope
from tests.trade import DESK, larger_company
from tests.workflows.test_unusual import USUAL, history, ordered
from tests.world import World, person


@pytest.fixture
def world(db: None) -> World:
    person("mia", Role.MANAGER)
    return larger_company()


def put(world: World, name: str, value: Any, scope: Scope = EVERYBODY) -> None:
    parameter_values.set_value(name, value, scope=scope, by=User.objects.get(username="mia"), now=world.now)
    parameter_changes.apply_due(now=world.now)
    while change_processing.reevaluate_due(now=world.now) == change_processing.LOOKED_AGAIN:
        pass


def is_open(kind: str, order: int) -> bool:
    return ExceptionCase.objects.filter(type=kind, odoo_id=order).exclude(status=Status.RESOLVED).exists()


def same_goods(world: World, order: int, **more: Any) -> None:
    world.order(order, **more)
    world.write("sale.order.line", order * 10, order_id=order, product_id=DESK, product_uom_qty=2)


def test_within_how_many_hours_the_same_goods_are_a_duplicate_is_the_companys_to_say(world: World) -> None:
    same_goods(world, 41)
    world.advance(hours=20)
    same_goods(world, 42)
    assert not is_open("order.possible_duplicate", 42)
    put(world, "duplicate_hours", 24)
    assert is_open("order.possible_duplicate", 42)
    put(world, "duplicate_hours", 1, Scope(connection=world.connection, company_id=1))
    assert not is_open("order.possible_duplicate", 42)


def test_a_later_order_is_looked_at_however_long_the_company_says(world: World) -> None:
    put(world, "duplicate_hours", 72)
    same_goods(world, 41)
    world.advance(hours=60)
    same_goods(world, 42)
    assert is_open("order.possible_duplicate", 42)
    world.order(41, state="cancel")
    assert not is_open("order.possible_duplicate", 42)


def test_how_long_a_reference_is_a_duplicate_is_set_in_days(world: World) -> None:
    world.order(41, client_order_ref="PO-77")
    world.advance(days=100)
    world.order(42, client_order_ref="PO-77", amount=100)
    assert not is_open("order.possible_duplicate", 42)
    put(world, "duplicate_reference_days", 120)
    assert is_open("order.possible_duplicate", 42)


def test_how_far_an_order_lies_beyond_the_usual_is_set_in_deviations(world: World) -> None:
    history(world, *USUAL)
    ordered(world, 500, 30)
    assert is_open("order.unusual", 500)
    put(world, "unusual_deviations", 20)
    assert not is_open("order.unusual", 500)


def test_how_much_dearer_a_substitute_may_be_is_the_orders_companys_to_say(world: World) -> None:
    with world.at_once():
        world.order(42, state="sale", delivery_status="pending", company_id=1)
        world.write(
            "sale.order.line",
            420,
            order_id=42,
            product_id=DESK,
            product_uom_qty=10,
            company_id=1,
            price_unit=100,
            price_subtotal=1_000,
        )
        for product, name, price in ((DESK, "Oak desk", 100), (32, "Beech desk", 150)):
            world.write("product.template", product * 10, name=name, categ_id=5, list_price=price, tracking="none", active=True)
            world.write("product.product", product, product_tmpl_id=product * 10, active=True)
        world.write("stock.quant", 932, product_id=32, location_id=8, company_id=1, quantity=20)
        world.write("stock.picking", 42, name="OUT", state="assigned", picking_type_code="outgoing", sale_id=42, company_id=1)
        world.write(
            "stock.move",
            42,
            product_id=DESK,
            company_id=1,
            sale_line_id=420,
            picking_id=42,
            location_id=8,
            state="partially_available",
            product_uom_qty=10,
            quantity=1,
        )

    def offered() -> list[str]:
        found = offers.options(SUBSTITUTE, connection_id=world.connection.pk, odoo_id=42, now=world.now)
        return [sentences.said(one.told) for one in found]

    assert offered() == []
    put(world, "substitute_price_band", 60, Scope(connection=world.connection, company_id=2))
    assert offered() == []
    put(world, "substitute_price_band", 60, Scope(connection=world.connection, company_id=1))
    assert len(offered()) == 1
    assert "Beech desk" in offered()[0]

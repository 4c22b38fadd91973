"""What waits for a late purchase is found through Odoo's own links, and otherwise by product, place and date."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role
from apps.core import clock
from apps.exceptions.models import ExceptionCase, Severity, Status
from apps.pipeline import change_processing
from apps.workflows import impact
from apps.workflows.impact import Impact
from tests.api.callers import caller
from tests.trade import DESK, LAMP, company, days, purchase, sale
from tests.world import World, person


@pytest.fixture
def world(db: None) -> World:
    return company()


def of_purchase(world: World, order: int = 80) -> Impact:
    return impact.impact_of(world.connection.pk, "purchase.order", order, now=world.now)


def test_an_order_that_odoo_links_to_the_purchase_is_found_with_what_it_is_worth(world: World) -> None:
    sale(world, 42, quantity=10, promised_in=3, fed_by=[800], currency_rate=2.0)
    purchase(world, expected_in=8)
    found = of_purchase(world)
    (order,) = found.orders
    assert (order.name, order.customer, order.is_linked, order.is_at_risk) == ("S00042", "Azure Interior", True, True)
    assert (order.late_days, order.revenue, order.currency, order.products) == (5, Decimal("500.00"), "EUR", "Oak desk")
    assert (found.orders_count, found.customers_count, found.revenue) == (1, 1, {"EUR": Decimal("500.00")})


def test_a_link_is_followed_over_transfers_between_the_receipt_and_the_delivery(world: World) -> None:
    purchase(world, expected_in=8)
    world.write("stock.move", 900, product_id=DESK, company_id=1, state="waiting", product_uom_qty=10, move_orig_ids=[800])
    sale(world, 42, fed_by=[900])
    (order,) = of_purchase(world).orders
    assert (order.name, order.is_linked, order.quantity) == ("S00042", True, 10)


def test_without_a_link_the_earliest_promise_is_served_first_until_the_late_quantity_is_used_up(world: World) -> None:
    purchase(world, 79, quantity=12, expected_in=1)
    purchase(world, 80, quantity=10, expected_in=8)
    sale(world, 41, quantity=10, promised_in=2)
    sale(world, 42, quantity=10, promised_in=3)
    sale(world, 43, quantity=10, promised_in=4, partner=51)
    sale(world, 44, quantity=10, promised_in=5)
    found = of_purchase(world)
    # The first purchase serves S00041 and two of S00042; the late one the other eight, and two of S00043.
    assert {order.name: (order.quantity, order.revenue, order.is_linked) for order in found.orders} == {
        "S00042": (8, Decimal("800.00"), False),
        "S00043": (2, Decimal("200.00"), False),
    }
    assert (found.orders_count, found.customers_count, found.revenue) == (2, 2, {"EUR": Decimal("1000.00")})
    assert [order.name for order in of_purchase(world, 79).orders] == ["S00041", "S00042"]
    assert of_purchase(world, 79).orders_count == 0  # in time for both


@pytest.mark.parametrize(
    "elsewhere", [{"company_id": 2}, {"warehouse_id": 9}, {"product_id": LAMP}, {"state": "assigned"}, {"state": "cancel"}]
)
def test_what_another_product_company_or_warehouse_is_short_of_is_not_concerned(world: World, elsewhere: dict[str, Any]) -> None:
    sale(world, 42)
    purchase(world, expected_in=8)
    assert of_purchase(world).orders_count == 1
    world.write("stock.move", 42, **elsewhere)
    assert of_purchase(world).waiting_count == 0


def test_what_is_reserved_waits_for_nothing_and_what_is_promised_to_others_is_not_there(world: World) -> None:
    purchase(world, quantity=10, expected_in=8)
    sale(world, 41, quantity=6, fed_by=[800])
    sale(world, 42, quantity=10, reserved=7)
    sale(world, 43, quantity=10, promised_in=4)
    assert {order.name: (order.quantity, order.is_linked) for order in of_purchase(world).orders} == {
        "S00041": (6, True),
        "S00042": (3, False),
        "S00043": (1, False),
    }


def test_a_receipt_that_was_closed_short_brings_nothing(world: World) -> None:
    sale(world, 42)
    purchase(world, expected_in=8)
    world.write("stock.move", 800, state="cancel")
    assert of_purchase(world).waiting_count == 0


def test_an_order_promised_for_later_waits_but_is_not_at_risk(world: World) -> None:
    sale(world, 42, promised_in=9)
    purchase(world, expected_in=8)
    found = of_purchase(world)
    assert (found.orders_count, found.waiting_count, found.revenue) == (0, 1, {})
    assert not found.orders[0].is_at_risk


def test_a_transfer_and_a_supplier_have_the_same_impact_as_what_they_bring(world: World) -> None:
    purchase(world, 80, expected_in=8)
    purchase(world, 81, product=LAMP, expected_in=9)
    sale(world, 42)
    sale(world, 43, product=LAMP, partner=51)
    receipt = impact.impact_of(world.connection.pk, "stock.picking", 800, now=world.now)
    assert [order.name for order in receipt.orders] == ["S00042"]
    supplier = impact.impact_of(world.connection.pk, "res.partner", 60, now=world.now)
    assert {order.name for order in supplier.orders} == {"S00042", "S00043"}
    assert (supplier.customers_count, supplier.revenue) == (2, {"EUR": Decimal("2000.00")})
    assert impact.impact_of(world.connection.pk, "res.partner", 50, now=world.now).waiting_count == 0


def test_a_late_delivery_puts_its_own_order_at_risk(world: World) -> None:
    sale(world, 42, promised_in=-2)
    world.write("stock.move", 42, state="assigned", quantity=10)
    (order,) = impact.impact_of(world.connection.pk, "stock.picking", 42, now=world.now).orders
    assert (order.name, order.is_at_risk, order.late_days, order.revenue) == ("S00042", True, 2, Decimal("1000.00"))


def case() -> ExceptionCase:
    return ExceptionCase.objects.exclude(status=Status.RESOLVED).get(type="purchase.supplier_delay")


def test_a_vendors_date_that_moves_behind_a_promise_is_a_delay_counted_by_who_waits(world: World) -> None:
    purchase(world, expected_in=2, quantity=200)
    sale(world, 42, quantity=150, promised_in=3)
    assert not ExceptionCase.objects.filter(type="purchase.supplier_delay").exists()
    world.write("purchase.order.line", 800, date_planned=days(world, 8))
    found = case()
    assert {name: found.evidence[name] for name in ("orders_at_risk_count", "customers_at_risk_count", "revenue_at_risk")} == {
        "orders_at_risk_count": 1,
        "customers_at_risk_count": 1,
        "revenue_at_risk": "15000.00",
    }
    assert (found.amount, found.severity) == (Decimal("15000.00"), Severity.HIGH)

    sale(world, 43, quantity=20, promised_in=1, partner=51)
    assert (case().evidence["orders_at_risk_count"], case().amount) == (2, Decimal("17000.00"))
    world.order(42, state="sale", delivery_status="pending", commitment_date=days(world, 9))
    assert (case().evidence["orders_at_risk_count"], case().evidence["revenue_at_risk"]) == (1, "2000.00")
    world.write("purchase.order.line", 800, date_planned=days(world, 1))
    found.refresh_from_db()
    assert found.status == Status.RESOLVED


def test_an_overdue_purchase_puts_an_order_at_risk_on_the_day_after_its_promise(world: World) -> None:
    purchase(world, expected_in=1)
    sale(world, 42, promised_in=3)
    at_risk = []
    world.advance(days=1)  # due today, and not late before tomorrow
    for _ in range(3):
        world.advance(days=1)
        while change_processing.reevaluate_due(now=world.now) == change_processing.LOOKED_AGAIN:
            pass
        at_risk.append(case().evidence["orders_at_risk_count"])
    assert at_risk == [0, 0, 1]


def test_pages_and_the_api_tell_of_it_in_few_queries(world: World, django_assert_max_num_queries: Any) -> None:
    world.now = clock.now()
    purchase(world, expected_in=8, quantity=500)
    for order in range(100, 120):
        sale(world, order)
    client = Client()
    client.force_login(person("mia", Role.MANAGER))
    with django_assert_max_num_queries(30):
        record = client.get("/records/main/purchase.order/80/").content.decode()
    with django_assert_max_num_queries(35):
        supplier = client.get("/vendors/main/60/").content.decode()
    for text in (record, supplier):
        assert "Waiting for it" in text
        assert "S00119" in text
        assert "estimated by product and date" in text
    assert "/records/main/purchase.order/80/partner/" in record
    assert "/records/main/purchase.order/80/" in supplier
    assert client.get("/vendors/main/9999/").status_code == 404

    api = caller("mia", "read")
    told = api.get("records/purchase.order/80/", connection="main").json()["impact"]
    assert told == api.get("suppliers/60/impact/", connection="main").json()
    assert (told["orders_at_risk"], told["customers_at_risk"], told["waiting"]) == (20, 1, 20)
    assert told["revenue_at_risk"] == [{"currency": "EUR", "amount": "20000.00"}]
    first = told["orders"][0]
    assert (first["model"], first["late_days"], first["quantity"], first["revenue"], first["is_linked"]) == (
        "sale.order",
        5,
        "10",
        "1000.00",
        False,
    )
    assert api.get("records/sale.order/100/", connection="main").json()["impact"]["orders"] == []


@pytest.mark.parametrize(("name", "digits", "revenue"), [("JPY", 0, "333"), ("EUR", 2, "333.33"), ("KWD", 3, "333.333")])
def test_revenue_at_risk_has_the_decimals_of_its_currency(world: World, name: str, digits: int, revenue: str) -> None:
    world.write("res.currency", 1, name=name, decimal_places=digits, active=True)
    sale(world, 42, quantity=3, promised_in=1)
    world.write("sale.order.line", 420, price_subtotal=1_000)
    world.write("stock.move", 42, state="partially_available", quantity=2)
    purchase(world, quantity=1, expected_in=3)
    (waiting,) = impact.impact_of(world.connection.pk, "purchase.order", 80, now=world.now).orders
    assert str(waiting.revenue) == revenue

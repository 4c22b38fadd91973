"""A purchase that came, or was priced, other than ordered is named with its numbers until it is settled."""

from decimal import Decimal
from typing import Any

import pytest

from apps.exceptions.models import ExceptionCase, Severity, Status
from apps.exceptions.types import evidence_of
from apps.workflows.models import Position
from tests.trade import DESK, company, days, purchase
from tests.world import World

RECEIPT, PRICE = "purchase.receipt_differs", "purchase.price_differs"


@pytest.fixture
def world(db: None) -> World:
    return company()


def opened() -> dict[str, ExceptionCase]:
    cases = ExceptionCase.objects.exclude(status=Status.RESOLVED).filter(model="purchase.order")
    return {case.type: case for case in cases}


def receive(world: World, quantity: float, *, state: str = "done") -> None:
    world.write("stock.move", 800, state=state, quantity=quantity)
    world.write("purchase.order.line", 800, qty_received=quantity)


def vendor_price(world: World, price: float, **more: Any) -> None:
    values = {"partner_id": 60, "product_tmpl_id": DESK * 10, "price": price, "min_qty": 1, "currency_id": 1}
    world.write("product.supplierinfo", 5, **values | more)


def bill(world: World, price: float, *, quantity: float = 20, **more: Any) -> None:
    values = {"name": "BILL/1", "state": "posted", "move_type": "in_invoice", "partner_id": 60, "payment_state": "not_paid"}
    world.write("account.move", 500, **values | more)
    world.write(
        "account.move.line", 501, move_id=500, purchase_line_id=800, parent_state="posted", price_unit=price, quantity=quantity
    )


def test_more_than_ordered_is_named_until_it_is_billed(world: World) -> None:
    purchase(world)
    receive(world, 26)
    case = opened()[RECEIPT]
    assert (case.amount, case.severity, case.team.slug) == (Decimal("300.00"), Severity.LOW, "purchasing")
    assert (case.plain_evidence["over_received_quantity"], case.plain_evidence["short_received_quantity"]) == ("6", "0")
    world.write("purchase.order", 80, invoice_status="invoiced")
    assert opened() == {}


def test_a_receipt_closed_short_is_named_and_late_no_more(world: World) -> None:
    purchase(world, expected_in=-1)
    assert list(opened()) == ["purchase.supplier_delay"]
    receive(world, 8)
    world.write("stock.move", 801, product_id=DESK, purchase_line_id=800, state="cancel", product_uom_qty=12)
    case = opened()[RECEIPT]
    assert (list(opened()), case.amount, case.severity) == ([RECEIPT], Decimal("600.00"), Severity.MEDIUM)
    assert (case.plain_evidence["short_received_quantity"], case.plain_evidence["differing_products_names"]) == ("12", "Furniture")
    assert Position.objects.get(model="purchase.order").stage == "closed"
    world.write("purchase.order.line", 800, product_qty=8)
    assert opened() == {}


def test_what_is_partly_received_is_still_to_come_and_no_difference(world: World) -> None:
    purchase(world)
    receive(world, 8)
    world.write("stock.move", 801, product_id=DESK, purchase_line_id=800, state="assigned", product_uom_qty=12)
    assert opened() == {}
    assert Position.objects.get(model="purchase.order").stage == "partly_received"


def test_a_price_beyond_the_vendors_list_is_named_until_it_is_agreed(world: World) -> None:
    vendor_price(world, 50)
    purchase(world, currency_id=1, date_order=days(world, 0))
    world.write("purchase.order.line", 800, price_unit=50.9)
    assert opened() == {}
    world.write("purchase.order.line", 800, price_unit=60)
    case = opened()[PRICE]
    assert (case.amount, case.severity) == (Decimal("200.00"), Severity.LOW)
    told = {
        "price_against": "the vendor's price list",
        "price_expected": "50.00",
        "price_found": "60.00",
        "price_difference_percent": "20.0",
        "price_lines_count": 1,
    }
    assert told.items() <= case.plain_evidence.items()
    vendor_price(world, 60)
    assert opened() == {}


@pytest.mark.parametrize(
    "other",
    [
        {"partner_id": 51},
        {"currency_id": 2},
        {"company_id": 2},
        {"min_qty": 21},
        {"product_id": 99},
        {"date_end": "2026-01-01"},
        {"date_start": "2027-01-01"},
        {"product_tmpl_id": 999},
    ],
)
def test_a_price_that_is_not_for_this_order_says_nothing(world: World, other: dict[str, Any]) -> None:
    purchase(world, currency_id=1, date_order=days(world, 0))
    world.write("purchase.order.line", 800, price_unit=60)
    vendor_price(world, 50, **other)
    assert opened() == {}


def test_the_discounts_of_both_count(world: World) -> None:
    vendor_price(world, 100, discount=50)
    purchase(world, currency_id=1, date_order=days(world, 0))
    world.write("purchase.order.line", 800, price_unit=62.5, discount=20)
    assert opened() == {}


def test_a_bill_at_another_price_is_named_until_it_is_paid(world: World) -> None:
    purchase(world)
    world.write("purchase.order.line", 800, price_unit=50)
    receive(world, 20)
    bill(world, 50)
    assert PRICE not in opened()
    bill(world, 45)
    case = opened()[PRICE]
    assert case.plain_evidence["price_against"] == "the order, on bill BILL/1"
    assert case.evidence["price_difference_percent"] == "-10.0"
    assert case.amount == Decimal("100.00")
    bill(world, 45, payment_state="paid")
    assert PRICE not in opened()


def test_prices_are_as_fine_as_they_are(world: World) -> None:
    vendor_price(world, 0.125)
    purchase(world, quantity=20_000, currency_id=1)
    world.write("purchase.order.line", 800, price_unit=0.2)
    case = opened()[PRICE]
    assert (case.plain_evidence["price_expected"], case.plain_evidence["price_found"]) == ("0.125", "0.20")
    said = {figure.name: figure.text for figure in evidence_of(case)}
    assert (said["price_expected"], said["price_found"]) == ("0.125 EUR", "0.20 EUR")


def test_prices_are_in_the_currency_of_their_order(world: World) -> None:
    world.write("res.currency", 2, name="USD", rounding=0.01)
    vendor_price(world, 0.125, currency_id=2)
    purchase(world, quantity=20_000, currency_id=2)
    world.write("purchase.order.line", 800, price_unit=0.2)
    case = opened()[PRICE]
    said = {figure.name: figure.text for figure in evidence_of(case)}
    assert (said["price_expected"], said["price_found"]) == ("0.125 USD", "0.20 USD")
    assert said["price_difference_amount"].endswith(" EUR")

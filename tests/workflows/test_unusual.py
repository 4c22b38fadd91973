"""Orders that are far larger than what their customer usually orders, by value and by the quantity of a product."""

from datetime import timedelta
from typing import Any

from apps.exceptions.models import ExceptionCase, Status
from apps.workflows.rules import unusual
from tests.trade import DESK, LAMP, company
from tests.world import World, odoo_time


def ordered(
    world: World,
    order: int,
    quantity: float,
    *,
    days_ago: float = 0,
    price: float = 100,
    product: int = DESK,
    partner: int = 50,
    **more: Any,
) -> None:
    """An order of one line that was made so many days ago; past ones are confirmed."""
    made = odoo_time(world.now - timedelta(days=days_ago))
    world.order(
        order,
        amount=quantity * price,
        partner=partner,
        create_date=made,
        **{"state": "sale" if days_ago else "draft", "delivery_status": "full" if days_ago else ""} | more,
    )
    world.write(
        "sale.order.line",
        order * 10,
        order_id=order,
        product_id=product,
        name="Oak desk",
        product_uom_qty=quantity,
        price_subtotal=quantity * price,
    )


def history(world: World, *quantities: float, **more: Any) -> None:
    for number, quantity in enumerate(quantities):
        ordered(world, 100 + number, quantity, days_ago=300 - number, **more)


def found(order: int) -> ExceptionCase | None:
    return ExceptionCase.objects.filter(type="order.unusual", odoo_id=order).exclude(status=Status.RESOLVED).first()


USUAL = (8, 10, 12, 9, 11, 10, 10, 13, 9)


def test_an_order_far_larger_than_usual_is_named_with_what_it_was_compared_with(db: None) -> None:
    world = company()
    history(world, *USUAL)
    ordered(world, 500, 100)
    case = found(500)
    assert case is not None
    assert (case.plain_evidence["compared_count"], case.plain_evidence["usual_amount"]) == (9, "1000.00")
    assert case.plain_evidence["value_times_quantity"] == "10.0"
    assert case.plain_evidence["unusual_lines_names"] == "Oak desk: 100, usually 10 (in 9 orders)"
    assert (case.amount, case.team.slug) == (9_000, "sales")


def test_the_order_is_compared_before_tax_as_the_usual_ones_are(db: None) -> None:
    world = company()
    history(world, *USUAL)
    ordered(world, 500, 100)
    world.write("sale.order", 500, amount_total=11_900, amount_tax=1_900, amount_untaxed=10_000)
    case = found(500)
    assert case is not None
    assert case.plain_evidence["compared_amount"] == "10000.00"
    assert "company_amount" not in unusual.EXCEPTION.evidence
    assert "before tax" in unusual.EXCEPTION.evidence["compared_amount"].label


def test_it_closes_when_the_order_is_put_right(db: None) -> None:
    world = company()
    history(world, *USUAL)
    ordered(world, 500, 100)
    case = found(500)
    assert case is not None
    ordered(world, 500, 10)
    case.refresh_from_db()
    assert (case.status, case.resolution) == (Status.RESOLVED, unusual.EXCEPTION.closed_because)


def test_a_quantity_beyond_the_usual_is_named_though_the_value_is_not(db: None) -> None:
    world = company()
    # What the customer buys is worth anything between 100 and 100,000; of lamps it never is more than a dozen.
    history(world, *USUAL, product=LAMP)
    for number, price in enumerate((10, 100, 1_000, 10_000, 20, 200, 2_000)):
        ordered(world, 200 + number, 10, days_ago=100 - number, price=price)
    ordered(world, 500, 120, product=LAMP, price=5)
    case = found(500)
    assert case is not None
    assert case.plain_evidence["unusual_lines_names"] == "Oak desk: 120, usually 10 (in 9 orders)"
    assert case.plain_evidence["value_times_quantity"] is None
    assert case.amount == 550


def test_too_few_orders_say_nothing(db: None) -> None:
    world = company()
    history(world, *[10] * (unusual.FEWEST_OF_PRODUCT - 1))
    ordered(world, 500, 1_000)
    assert found(500) is None


def test_a_customer_who_always_orders_the_same_may_order_a_little_more_and_one_wild_order_teaches_nothing(db: None) -> None:
    world = company()
    history(world, 10, 10, 10, 10, 5_000, 10, 10, 10, 10)
    ordered(world, 500, 19)
    assert found(500) is None
    ordered(world, 501, 30)
    assert found(501) is not None


def test_what_is_smaller_than_usual_delivered_or_another_customers_is_none(db: None) -> None:
    world = company()
    history(world, *USUAL)
    ordered(world, 500, 1)
    ordered(world, 501, 100, state="sale", delivery_status="full")
    ordered(world, 502, 100, partner=51)
    ordered(world, 503, 100, state="cancel")
    assert [found(order) for order in (500, 501, 502, 503)] == [None] * 4


def test_a_customer_is_all_its_addresses_and_only_its_newest_orders_count(db: None) -> None:
    world = company()
    world.write("res.partner", 52, name="Azure, branch", commercial_partner_id=50, active=True)
    history(world, *[1_000] * 12)
    for number in range(unusual.ORDERS):
        ordered(world, 300 + number, 10, days_ago=60 - number, partner=52)
    ordered(world, 500, 100)
    case = found(500)
    assert case is not None
    assert (case.plain_evidence["compared_count"], case.plain_evidence["usual_amount"]) == (unusual.ORDERS, "1000.00")

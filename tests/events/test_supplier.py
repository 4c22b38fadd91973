"""What a vendor says on its portal changes where the purchase order stands."""

from datetime import timedelta
from typing import Any

from apps.exceptions.models import ExceptionCase
from apps.workflows.models import Position
from tests.events.conftest import Tell, said
from tests.world import World, odoo_time


def purchase(world: World, **more: Any) -> None:
    """Twenty desks, promised for Saturday, that the vendor has not acknowledged."""
    values = {
        "name": "P00080",
        "state": "purchase",
        "partner_id": 60,
        "user_id": 7,
        "company_id": 1,
        "currency_id": 1,
        "currency_rate": 1.0,
        "amount_total": 2_300.0,
        "invoice_status": "no",
        "acknowledged": False,
        "date_approve": odoo_time(world.now),
    }
    world.write("purchase.order", 80, **values | more)
    world.write(
        "purchase.order.line",
        800,
        order_id=80,
        name="Oak desk",
        product_id=30,
        product_qty=20,
        price_subtotal=2_000,
        qty_received=0,
        date_planned=odoo_time(world.now + timedelta(days=5)),
    )


def stage() -> str:
    return Position.objects.get(workflow="procure_to_pay").stage


def test_an_acknowledgement_on_the_portal_counts_as_one(world: World, tell: Tell) -> None:
    purchase(world)
    assert stage() == "unacknowledged"
    tell("portal", said("acknowledged", "P00080"))
    assert stage() == "on_time"


def test_an_acknowledgement_closes_that_the_supplier_has_not_answered(world: World, tell: Tell) -> None:
    purchase(world, date_approve=odoo_time(world.now - timedelta(days=3)))
    assert ExceptionCase.objects.get(type="purchase.unacknowledged").status == "open"
    tell("portal", said("acknowledged", "P00080"))
    assert ExceptionCase.objects.get(type="purchase.unacknowledged").status == "resolved"


def test_a_later_date_opens_a_delay_with_what_was_said(world: World, tell: Tell) -> None:
    purchase(world)
    tell("portal", said("date_changed", "P00080", new_date="2026-12-05", comment="Our saw mill is down"))
    case = ExceptionCase.objects.get(type="purchase.supplier_delay")
    assert case.status == "open"
    assert {name: case.evidence[name] for name in case.evidence if name.startswith("said") or name == "expected_at"} == {
        "expected_at": "2026-11-28T12:00:00+00:00",
        "said_expected_at": "2026-12-05T00:00:00+00:00",
        "said_late_days": 7,
        "said_by": "portal",
        "said_at": "2026-11-23T09:00:00+00:00",
        "said_text": "Our saw mill is down",
    }


def test_the_promised_day_and_an_earlier_one_are_no_delay(world: World, tell: Tell) -> None:
    purchase(world)
    tell("portal", said("acknowledged", "P00080", confirmed_date="2026-11-28"))
    tell("portal", said("date_changed", "P00080", new_date="2026-11-26"))
    assert not ExceptionCase.objects.filter(type="purchase.supplier_delay").exists()


def test_an_older_message_is_kept_and_does_not_win(world: World, tell: Tell) -> None:
    purchase(world)
    tell("portal", said("date_changed", "P00080", new_date="2026-12-05", at="2026-11-23T09:00:00Z"))
    tell("portal", said("date_changed", "P00080", new_date="2026-12-24", at="2026-11-22T09:00:00Z"))
    assert ExceptionCase.objects.get(type="purchase.supplier_delay").evidence["said_late_days"] == 7


def test_a_date_that_moves_back_and_a_new_promise_in_odoo_end_the_delay(world: World, tell: Tell) -> None:
    purchase(world)
    tell("portal", said("date_changed", "P00080", new_date="2026-12-05"))
    tell("portal", said("date_changed", "P00080", new_date="2026-11-28", at="2026-11-23T10:00:00Z"))
    case = ExceptionCase.objects.get(type="purchase.supplier_delay")
    assert case.status == "resolved"

    tell("portal", said("date_changed", "P00080", new_date="2026-12-09", at="2026-11-23T11:00:00Z"))
    assert ExceptionCase.objects.filter(type="purchase.supplier_delay", status="open").count() == 1
    world.write("purchase.order.line", 800, date_planned="2026-12-09 08:00:00")
    assert not ExceptionCase.objects.filter(type="purchase.supplier_delay", status="open").exists()


def test_what_was_said_before_the_order_was_mirrored_counts_when_it_is(world: World, tell: Tell) -> None:
    tell("portal", said("date_changed", "P00080", new_date="2026-12-05"))
    purchase(world)
    assert ExceptionCase.objects.get(type="purchase.supplier_delay").status == "open"

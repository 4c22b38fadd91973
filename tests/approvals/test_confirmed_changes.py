"""A change of an order that is confirmed already, refused in Odoo: asked about, released as it was asked for, or left as it is."""

import json

import pytest

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.approvals.requests import moves
from apps.outbox.models import Command
from apps.timers import due
from apps.workflows.models import Position
from tests.world import World, odoo_time

TERMS = json.dumps({"partner": 50, "company": 1, "currency": 1, "amount": 8_000.0})


def user(name: str) -> User:
    return User.objects.get(username=name)


def refused(world: World, record: int = 42, *, kind: str = "credit_override", model: str = "sale.order", **more: object) -> None:
    """Somebody tried to change a confirmed record, and Odoo's guard refused."""
    values = {"x_amount": 8_000, "x_exposure": 8_000, "x_limit": 5_000, "x_terms": TERMS, "x_state": "open", "x_count": 1}
    world.write(
        "x_ct_request",
        900,
        x_res_model=model,
        x_res_id=record,
        x_kind=kind,
        x_requested_at=odoo_time(world.now),
        x_requested_uid=7,
        **{**values, **more},
    )


def commands(request: Request) -> list[tuple[str, str]]:
    found = Command.objects.filter(decision=f"approval:{request.pk}").order_by("sequence")
    return list(found.values_list("method", "title"))


def test_a_raise_after_confirmation_is_asked_with_its_own_figures_and_holds_nothing(world: World) -> None:
    world.order(amount=800, state="sale", delivery_status="pending")
    stage = Position.objects.get(odoo_id=42, workflow="order_to_cash").stage
    refused(world)
    request = Request.objects.get()
    assert (request.kind, request.amount, request.status) == ("credit_override", 8_000, "pending")
    assert commands(request) == []
    assert Position.objects.get(odoo_id=42, workflow="order_to_cash").stage == stage


def test_a_yes_releases_what_was_asked_for_and_tells_who_is_to_change_it(world: World) -> None:
    world.order(amount=800, state="sale", delivery_status="pending")
    refused(world)
    request = Request.objects.get()
    moves.approve(request.pk, by=user("adam"), reason="Good customer", now=world.advance(minutes=1))
    titles = [method for method, _ in commands(request)]
    assert titles == ["write", "write", "create", "message_post"]
    release = Command.objects.filter(decision=f"approval:{request.pk}").order_by("sequence")[1]
    assert release.arguments["vals"]["x_ct_released_amount"] == 8_000.0
    assert json.loads(release.arguments["vals"]["x_ct_released_amount_for"]) == json.loads(TERMS)


def test_a_no_leaves_the_order_as_it_is_and_unheld(world: World) -> None:
    world.order(amount=800, state="sale", delivery_status="pending")
    refused(world)
    request = Request.objects.get()
    moves.reject(request.pk, by=user("adam"), reason="Pay first", now=world.advance(minutes=1))
    found = Command.objects.filter(decision=f"approval:{request.pk}").order_by("sequence")
    assert not [one for one in found if one.arguments.get("vals", {}).get("x_ct_hold")]
    assert found[0].arguments["vals"] == {"x_state": "rejected", "x_reason": "Adam: Pay first"}


@pytest.mark.parametrize("attempts", [1, 3])
def test_however_often_it_is_tried_it_is_one_asking(world: World, attempts: int) -> None:
    world.order(amount=800, state="sale", delivery_status="pending")
    refused(world)
    since = odoo_time(world.now)
    for number in range(attempts):
        world.advance(minutes=1)
        world.write("x_ct_request", 900, x_count=number + 2, x_amount=9_000, x_requested_at=since)
    request = Request.objects.get()
    assert request.amount == 9_000
    moves.reject(request.pk, by=user("adam"), reason="No", now=world.now)
    world.write("x_ct_request", 900, x_count=9, x_requested_at=since)
    assert Request.objects.count() == 1


def test_an_order_waits_for_its_price_after_confirmation_as_well(world: World) -> None:
    world.order(amount=800, state="sale", delivery_status="pending")
    terms = json.dumps({"partner": 50, "company": 1, "currency": 1, "lines": [[5, 1, 10.0, 100.0, 70.0]]})
    refused(world, kind="pricing_exception", x_amount=300, x_exposure=500, x_terms=terms)
    request = Request.objects.get()
    assert (request.kind, request.amount, request.context["asked_concession"]) == ("pricing_exception", 500, "500.00")
    moves.approve(request.pk, by=user("adam"), now=world.advance(minutes=1))
    release = Command.objects.filter(decision=f"approval:{request.pk}").order_by("sequence")[1]
    assert release.arguments["vals"]["x_ct_released_concession"] == 500.0
    assert json.loads(release.arguments["vals"]["x_ct_released_concession_for"]) == json.loads(terms)
    assert "action_confirm" not in [method for method, _ in commands(request)]


def test_a_purchase_that_is_confirmed_is_neither_approved_anew_nor_cancelled(world: World) -> None:
    world.write(
        "purchase.order",
        77,
        name="P00077",
        state="purchase",
        partner_id=50,
        user_id=7,
        company_id=1,
        currency_id=1,
        currency_rate=1.0,
        amount_total=400,
        amount_untaxed=400,
    )
    refused(world, 77, kind="procurement_threshold", model="purchase.order", x_amount=40_000)
    request = Request.objects.get()
    assert request.amount == 40_000
    moves.reject(request.pk, by=user("adam"), reason="Too much", now=world.advance(minutes=1))
    assert "button_cancel" not in [method for method, _ in commands(request)]


def test_what_nobody_answered_may_be_asked_again(world: World) -> None:
    world.held_order()
    for _ in range(2):
        due.fire_due(now=world.advance(minutes=241))
    request = Request.objects.get()
    assert request.status == "expired"
    answer = Command.objects.filter(model="x_ct_request").latest("sequence")
    assert answer.arguments["vals"]["x_state"] == "expired"
    world.write("x_ct_request", 900, x_state="expired")
    world.write("x_ct_request", 900, x_state="open", x_requested_at=odoo_time(world.advance(minutes=1)))
    assert Request.objects.filter(status="pending").count() == 1


def test_a_release_names_partner_company_currency_and_for_prices_the_lines(world: World) -> None:
    world.order()
    world.write(
        "sale.order.line",
        4200,
        order_id=42,
        product_id=5,
        product_uom_id=1,
        product_uom_qty=10,
        price_unit=620,
        discount=0,
        price_subtotal=6_200,
        price_total=6_200,
        company_id=1,
    )
    world.ask()
    request = Request.objects.get()
    moves.approve(request.pk, by=user("adam"), now=world.advance(minutes=1))
    release = Command.objects.filter(decision=f"approval:{request.pk}").order_by("sequence")[2]
    named = json.loads(release.arguments["vals"]["x_ct_released_amount_for"])
    assert named == {"partner": 50, "company": 1, "currency": 1}


def test_what_a_customer_asked_for_by_signing_says_so(world: World) -> None:
    world.order()
    world.write(
        "x_ct_request",
        900,
        x_res_model="sale.order",
        x_res_id=42,
        x_kind="credit_override",
        x_state="open",
        x_requested_at=odoo_time(world.now),
        x_requested_uid=1,
        x_count=1,
        x_by_customer=True,
    )
    assert Request.objects.get().requested_by == "the customer"


@pytest.mark.parametrize("kind", ["credit_override", "pricing_exception"])
def test_an_order_that_was_confirmed_in_another_way_is_asked_about_no_longer(world: World, kind: str) -> None:
    world.order(amount=8_000)
    refused(world, kind=kind, x_terms=json.dumps({**json.loads(TERMS), "confirms": True}))
    request = Request.objects.get()
    world.order(amount=8_000, state="sale", delivery_status="pending")
    request.refresh_from_db()
    assert request.status == "cancelled"
    assert not Request.objects.filter(status="pending").exists()
    # Raised after that, it is asked about as a change.
    world.write("x_ct_request", 900, x_state="withdrawn")
    world.advance(minutes=1)
    refused(world, kind=kind, x_amount=9_000)
    assert Request.objects.get(status="pending").kind == kind

"""An invoice that bills something else than was agreed: refused in Odoo, decided here, posted or held."""

from typing import Any

import pytest

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.approvals.requests import moves
from apps.exceptions.models import ExceptionCase, Status
from apps.outbox.models import Command
from apps.workflows.models import Position
from tests.trade import delivered
from tests.world import World


@pytest.fixture
def draft(world: World) -> World:
    drafted(world)
    return world


def drafted(world: World, **more: Any) -> None:
    """Ten desks at 100 were ordered and delivered; the draft bills them at 130."""
    delivered(world)
    values = {
        "name": "/",
        "state": "draft",
        "move_type": "out_invoice",
        "partner_id": 50,
        "company_id": 1,
        "commercial_partner_id": 50,
        "currency_id": 1,
        "amount_total": 1_300,
        "amount_total_signed": 1_300,
        "invoice_user_id": 7,
        "create_uid": 7,
    }
    world.write("account.move", 600, **values | more)
    bills(world, 130)


def bills(world: World, price: float) -> None:
    world.write(
        "account.move.line",
        6000,
        move_id=600,
        sale_line_ids=[4200],
        display_type="product",
        quantity=10,
        price_unit=price,
        price_subtotal=10 * price,
        currency_id=1,
        partner_id=50,
    )


def refused(world: World, ask_id: int = 900) -> Request:
    """Somebody tried to post it, and Odoo's guard refused."""
    world.ask(600, ask_id=ask_id, kind="invoice_mismatch", model="account.move")
    return Request.objects.get(status="pending")


def stage() -> str:
    return Position.objects.get(workflow="invoicing").stage


def told(request: Request) -> list[Command]:
    """What Odoo is told on the decision: the hold that came first is left out."""
    return list(Command.objects.filter(decision=f"approval:{request.pk}").order_by("sequence"))[1:]


def adam() -> User:
    return User.objects.get(username="adam")


def test_a_refused_attempt_to_post_is_decided_about_with_the_figures(draft: World) -> None:
    assert (stage(), Request.objects.count()) == ("draft", 0)
    request = refused(draft)
    assert (stage(), request.kind, request.model, request.amount) == ("disputed", "invoice_mismatch", "account.move", 300)
    assert {row.user.username for row in request.steps.get().assignments.all()} == {"adam", "mia"}
    context = request.context
    assert (context["order_names"], context["price_difference"], context["billed_price"]) == ("S00042", "300.00", "1300.00")
    hold = Command.objects.get()
    assert (hold.arguments["vals"]["x_ct_hold"], hold.arguments["vals"]["x_ct_hold_reason"]) == (
        "invoice_mismatch",
        "300.00 EUR of it differ from the order or the delivery (S00042).",
    )


def test_a_small_difference_may_be_posted_by_anybody(draft: World) -> None:
    bills(draft, 109.99)
    draft.ask(600, kind="invoice_mismatch", model="account.move")
    assert (stage(), Request.objects.count()) == ("draft", 0)


def test_yes_posts_it_and_what_was_agreed_to_is_no_dispute_any_more(draft: World) -> None:
    request = refused(draft)
    moves.approve(request.pk, by=adam(), now=draft.advance(minutes=1))
    assert [(one.method, one.title) for one in told(request)] == [
        ("write", "Add a note with the decision: approved"),
        ("write", "Release the invoice with 300.00 EUR in dispute"),
        ("action_post", "Post the invoice"),
        ("message_post", "Note the decision in the record's chatter"),
    ]
    draft.write(
        "account.move", 600, state="posted", payment_state="not_paid", x_ct_released_difference=300, invoice_date_due="2026-12-23"
    )
    assert (stage(), ExceptionCase.objects.exclude(status=Status.RESOLVED).count()) == ("not_due", 0)
    bills(draft, 140)
    assert (stage(), ExceptionCase.objects.exclude(status=Status.RESOLVED).get().type) == ("disputed", "invoice.differs")


def test_no_keeps_it_held_and_asks_its_owner_to_put_it_right(draft: World) -> None:
    request = refused(draft)
    moves.reject(request.pk, by=adam(), reason="Agreed at 100", now=draft.advance(minutes=1))
    hold, answer, activity, note = told(request)
    assert hold.arguments["vals"]["x_ct_hold_reason"] == "Rejected by Adam: Agreed at 100"
    assert (answer.arguments["vals"]["x_state"], note.method) == ("rejected", "message_post")
    assert (activity.model, activity.arguments["vals_list"][0]["user_id"]) == ("mail.activity", 7)
    draft.write("account.move", 600, x_ct_hold="invoice_mismatch")
    draft.ask(600, kind="invoice_mismatch", model="account.move", state="rejected")
    assert (stage(), Request.objects.filter(status="pending").count()) == ("disputed", 0)
    # Less of it is wrong, and somebody tries again: that is another decision.
    bills(draft, 105)
    draft.advance(minutes=1)
    assert refused(draft).amount == 50
    bills(draft, 100)
    assert (stage(), Request.objects.filter(status="pending").count()) == ("draft", 0)


def test_an_invoice_that_is_put_right_needs_no_decision_any_more(draft: World) -> None:
    request = refused(draft)
    bills(draft, 100)
    request.refresh_from_db()
    assert (request.status, told(request)[0].title) == ("cancelled", "Lift the hold")

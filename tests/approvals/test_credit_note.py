"""A credit note that gives more than came back: asked about as it is drafted, posted by a yes, cancelled and held by a no."""

import pytest

from apps.accounts import access
from apps.accounts.models import User
from apps.approvals.inbox import screens
from apps.approvals.models import Request
from apps.approvals.policies import policy, preview
from apps.approvals.requests import available_requests, moves
from apps.core import sentences
from apps.outbox.models import Command
from apps.workflows import checks, registry
from tests.trade import delivered
from tests.world import World, person

KIND = "return_authorisation"


@pytest.fixture
def sold(world: World) -> World:
    """Ten desks at 100 were ordered, delivered and billed."""
    world.write("product.template", 31, name="Desk", list_price=100)
    world.write("product.product", 30, product_tmpl_id=31)
    delivered(world, price_subtotal=1_000)
    return world


def credited(world: World, quantity: float, *, move: int = 600, sold: int | None = 4200, **more: object) -> None:
    """A draft credit note for so many desks at 100; of no order's where ``sold`` is None."""
    values = {
        "name": "/",
        "state": "draft",
        "move_type": "out_refund",
        "partner_id": 50,
        "company_id": 1,
        "commercial_partner_id": 50,
        "currency_id": 1,
        "amount_total": quantity * 100,
        "amount_total_signed": -quantity * 100,
        "invoice_user_id": 7,
        "create_uid": 7,
    }
    world.write("account.move", move, **values | more)
    world.write(
        "account.move.line",
        move * 10,
        move_id=move,
        sale_line_ids=[sold] if sold else [],
        display_type="product",
        product_id=30,
        parent_state="draft",
        quantity=quantity,
        price_unit=100,
        price_subtotal=quantity * 100,
        currency_id=1,
    )


def comes_back(world: World, quantity: float) -> None:
    """So many desks were returned and received."""
    world.write(
        "stock.picking",
        71,
        name="WH/IN/71",
        state="done",
        return_id=70,
        sale_id=42,
        picking_type_code="incoming",
        partner_id=50,
        company_id=1,
        x_ct_released_value=10_000,
    )
    world.write(
        "stock.move",
        710,
        picking_id=71,
        product_id=30,
        product_uom_qty=quantity,
        quantity=quantity,
        sale_line_id=4200,
        state="done",
    )


def told(request: Request) -> list[Command]:
    """What Odoo is told on the decision: the hold that came first is left out."""
    return list(Command.objects.filter(decision=f"approval:{request.pk}").order_by("sequence"))[1:]


def pending() -> Request | None:
    return Request.objects.filter(status="pending", model="account.move").first()


def adam() -> User:
    return User.objects.get(username="adam")


def test_a_large_credit_for_nothing_that_came_back_is_asked_about_as_it_is_drafted(sold: World) -> None:
    credited(sold, 4)
    assert pending() is None
    credited(sold, 6)
    request = pending()
    assert request
    assert (request.kind, request.amount, request.requested_by) == (KIND, 600, "Sofia Sales")
    context = sentences.plain(request.context)
    assert (context["credited_beyond"], context["credited_for_returns"], context["credited_products_names"]) == (
        "600.00",
        "0.00",
        "Desk",
    )
    assert Command.objects.get().arguments["vals"]["x_ct_hold"] == KIND
    assert screens.question_of(request) == "Credit Azure Interior 600.00 EUR more than was returned?"
    # The words of the other record that this kind is about would say nothing here.
    assert {figure.title for figure in screens.figures_of(request)} >= {"Exceeds the returned quantity", "The whole credit note"}


def test_what_came_back_may_be_credited_by_anybody(sold: World) -> None:
    credited(sold, 9)
    assert pending()
    comes_back(sold, 6)
    assert pending() is None
    assert Request.objects.get(model="account.move").status == "cancelled"
    # What another credit note gave for it already is not there to be given again.
    credited(sold, 2, move=601, state="posted", payment_state="not_paid")
    request = pending()
    assert request
    assert (request.odoo_id, request.amount) == (600, 500)


@pytest.mark.parametrize(
    ("billed", "rate", "beyond"),
    [
        (None, 1, 500),
        (80, 1, 620),
        (150, 1, 200),
        (200, 2, 500),
        (0, 1, 1_100),
    ],
)
def test_what_came_back_is_worth_what_it_was_billed_at(sold: World, billed: float | None, rate: float, beyond: float) -> None:
    comes_back(sold, 6)
    if billed is not None:
        bill = {
            "state": "posted",
            "move_type": "out_invoice",
            "currency_id": 1 if rate == 1 else 2,
            "amount_total": billed * 10,
            "amount_total_signed": billed * 10 / rate,
        }
        sold.write("account.move", 500, name="INV/1", partner_id=50, company_id=1, commercial_partner_id=50, **bill)
        sold.write(
            "account.move.line",
            5000,
            move_id=500,
            sale_line_ids=[4200],
            display_type="product",
            product_id=30,
            parent_state="posted",
            quantity=10,
            price_unit=billed,
            price_subtotal=billed * 10,
            currency_id=1,
        )
    # Six came back; 1,100 is given for six, where it was ordered at 100.
    credited(sold, 6)
    sold.write(
        "account.move.line",
        6000,
        move_id=600,
        sale_line_ids=[4200],
        display_type="product",
        product_id=30,
        parent_state="draft",
        quantity=6,
        price_unit=1_100 / 6,
        price_subtotal=1_100,
        currency_id=1,
    )
    found = Request.objects.filter(model="account.move").values_list("amount", flat=True)
    assert list(found) == ([beyond] if beyond >= 500 else [])


def test_a_credit_of_no_order_gives_all_of_it(sold: World) -> None:
    credited(sold, 7, sold=None)
    request = pending()
    assert request
    assert request.amount == 700


def test_yes_posts_it(sold: World) -> None:
    credited(sold, 6)
    request = Request.objects.get()
    moves.approve(request.pk, by=adam(), reason="Broken on the way", now=sold.advance(minutes=1))
    assert [(one.method, one.title) for one in told(request)] == [
        ("write", "Release the credit note with 600.00 EUR more than was returned"),
        ("action_post", "Post the credit note"),
        ("message_post", "Note the decision in the record's chatter"),
    ]
    Command.objects.update(status="done")
    credited(sold, 6, x_ct_released_credit=600)
    assert pending() is None
    credited(sold, 8, x_ct_released_credit=600)
    assert pending()


def test_no_cancels_it_and_keeps_it_held_with_the_reason(sold: World) -> None:
    credited(sold, 6)
    request = Request.objects.get()
    moves.reject(request.pk, by=adam(), reason="Nothing came back", now=sold.advance(minutes=1))
    hold, cancel, activity, note = told(request)
    assert hold.arguments["vals"]["x_ct_hold_reason"] == "Rejected by Adam: Nothing came back"
    assert (cancel.method, activity.model, note.method) == ("button_cancel", "mail.activity", "message_post")
    # Set back to draft it is not asked about again by itself; an attempt to post it is another decision.
    credited(sold, 6, x_ct_hold=KIND)
    assert pending() is None
    sold.advance(minutes=1)
    sold.ask(600, kind=KIND, model="account.move")
    assert pending()


def test_one_kind_for_two_models_has_one_policy_and_each_its_own_facts(sold: World) -> None:
    credited(sold, 4)
    found = available_requests.of_record(sold.connection, "account.move", 600, by=adam(), now=sold.now)
    assert [(one.kind.name, one.kind.amount) for one in found] == [(KIND, "credited_beyond")]
    request = moves.ask(
        connection_id=sold.connection.pk,
        kind=KIND,
        model="account.move",
        odoo_id=600,
        reason="Goodwill",
        by=person("otto", User.objects.get(username="olga").role, team="service"),
        now=sold.now,
    )
    assert (request.amount, request.workflow) == (400, "invoicing")
    with pytest.raises(moves.DecisionRefusedError, match=r"requested for a account\.move / stock\.picking of a connection"):
        moves.ask(connection_id=sold.connection.pk, kind=KIND, model="sale.order", odoo_id=42, reason="", by=adam(), now=sold.now)
    assert {"return_value", "credited_beyond"} <= set(registry.facts_of(KIND))
    assert checks.declarations() == []
    rules = policy.active(KIND, now=sold.now).rules
    assert preview.preview(KIND, rules, access_scope=access.scope_of(User.objects.get(username="anna")), now=sold.now).asked == 1


def test_a_line_below_zero_hides_none_of_the_others(sold: World) -> None:
    credited(sold, 6, sold=None)
    sold.write(
        "account.move.line",
        6001,
        move_id=600,
        sale_line_ids=[],
        display_type="product",
        product_id=30,
        parent_state="draft",
        quantity=1,
        price_unit=-300,
        price_subtotal=-300,
        currency_id=1,
    )
    request = pending()
    assert request is not None
    assert request.amount == 600

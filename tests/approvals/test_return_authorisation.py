"""A return beyond the limit: asked about as it is made, authorised or refused."""

from typing import Any

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.approvals.requests import moves
from apps.outbox.models import Command
from apps.workflows.models import Position
from tests.world import World, odoo_time


def comes_back(world: World, quantity: float, *, state: str = "assigned", **more: Any) -> None:
    """So many desks at 100 are to come back."""
    world.write("product.template", 31, name="Oak desk", list_price=100)
    world.write("product.product", 30, product_tmpl_id=31)
    world.order(42, amount=1_000, state="sale")
    world.write("sale.order.line", 420, order_id=42, product_id=30, product_uom_qty=10, price_subtotal=1_000)
    world.write("stock.move", 710, picking_id=71, product_id=30, product_uom_qty=quantity, sale_line_id=420, state=state)
    values = {
        "name": "WH/IN/71",
        "state": state,
        "return_id": 70,
        "sale_id": 42,
        "partner_id": 50,
        "company_id": 1,
        "picking_type_code": "incoming",
    }
    world.write("stock.picking", 71, **values | more)


def stage() -> str:
    return Position.objects.get(workflow="returns").stage


def titles(request: Request) -> list[str]:
    """What Odoo is told on the decision: the hold that came first is left out."""
    told = Command.objects.filter(decision=f"approval:{request.pk}").order_by("sequence").values_list("title", flat=True)
    return list(told)[1:]


def adam() -> User:
    return User.objects.get(username="adam")


def test_a_large_return_is_asked_about_and_a_small_one_is_not(world: World) -> None:
    comes_back(world, 4)
    assert (stage(), Request.objects.count()) == ("awaiting_goods", 0)
    comes_back(world, 6)
    request = Request.objects.get()
    assert (stage(), request.kind, request.amount) == ("awaiting_authorisation", "return_authorisation", 600)
    assert [row.user for row in request.steps.get().assignments.all()] == [adam()]
    assert Command.objects.get().arguments["vals"]["x_ct_hold"] == "return_authorisation"


def test_yes_releases_it_and_confirms_one_that_is_still_a_draft(world: World) -> None:
    comes_back(world, 6, state="draft")
    request = Request.objects.get()
    moves.approve(request.pk, by=adam(), now=world.advance(minutes=1))
    assert titles(request) == [
        "Release the return up to 600.00 EUR",
        "Confirm the return",
        "Note the decision in the record's chatter",
    ]
    comes_back(world, 6, x_ct_released_value=600)
    assert (stage(), Request.objects.count()) == ("awaiting_goods", 1)
    Command.objects.update(status="done")
    comes_back(world, 8, x_ct_released_value=600)
    assert Request.objects.get(status="pending").amount == 800


def test_no_cancels_it(world: World) -> None:
    comes_back(world, 6)
    request = Request.objects.get()
    moves.reject(request.pk, by=adam(), reason="Used", now=world.advance(minutes=1))
    assert titles(request)[0] == "Cancel the return"
    comes_back(world, 6, state="cancel")
    assert (stage(), Request.objects.count()) == ("refused", 1)


def test_the_picker_who_asked_is_given_an_activity(world: World) -> None:
    world.write("res.users", 12, login="pia", name="Pia Picker")
    world.write(
        "x_ct_request",
        900,
        x_res_model="stock.picking",
        x_res_id=71,
        x_kind="return_authorisation",
        x_state="open",
        x_amount=600,
        x_exposure=600,
        x_requested_uid=12,
        x_requested_at=odoo_time(world.now),
    )
    comes_back(world, 6)
    request = Request.objects.get()
    moves.approve(request.pk, by=adam(), reason="Wrong colour", now=world.advance(minutes=1))
    told = Command.objects.get(title="Create an activity for Pia Picker with the reason").arguments["vals_list"][0]
    assert (told["user_id"], told["summary"]) == (12, "Receive the return: authorised by Adam")
    assert "Wrong colour" in told["note"]


def test_goods_sold_below_zero_hide_none_of_the_others(world: World) -> None:
    world.write("sale.order.line", 421, order_id=42, product_id=30, product_uom_qty=1, price_subtotal=-300)
    world.write("stock.move", 711, picking_id=71, product_id=30, product_uom_qty=1, sale_line_id=421, state="assigned")
    comes_back(world, 6)
    assert Request.objects.get().amount == 600


def test_one_that_is_cut_down_and_raised_within_the_same_second_is_asked_about_anew(world: World) -> None:
    comes_back(world, 6)
    comes_back(world, 4)
    comes_back(world, 7)
    assert list(Request.objects.order_by("id").values_list("status", "amount")) == [("cancelled", 600), ("pending", 700)]

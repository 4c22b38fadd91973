"""An order below the price limits, from the attempt to confirm it to what Odoo is told; also where credit comes first."""

from typing import Any

import pytest

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.approvals.requests import moves
from apps.exceptions.models import ExceptionCase, Status
from apps.mirror.models.sale_order import SaleOrder
from apps.odoo.guards import ASK
from apps.outbox.models import Command
from apps.workflows import registry
from apps.workflows.models import Position
from tests.world import World


def user(name: str) -> User:
    return User.objects.get(username=name)


def discounted(world: World, *, discount: float = 40, amount: float = 600, margin: float = 120, **more: Any) -> None:
    """Ten desks at 100 each, less the discount."""
    world.order(42, amount=amount, margin=margin, **more)
    world.write(
        "sale.order.line",
        4200,
        order_id=42,
        product_id=30,
        name="Oak desk",
        product_uom_qty=10,
        price_unit=100,
        discount=discount,
        price_subtotal=amount,
    )


def attempt(world: World, kind: str = "pricing_exception", state: str = "open", ask_id: int = 901) -> None:
    world.ask(42, kind=kind, state=state, ask_id=ask_id)


def stage() -> str:
    return Position.objects.get(odoo_id=42, workflow="order_to_cash").stage


def open_cases() -> list[str]:
    return list(ExceptionCase.objects.exclude(status=Status.RESOLVED).values_list("type", flat=True))


def pending() -> Request:
    return Request.objects.get(status="pending")


def commands_of(request: Request) -> list[str]:
    """What Odoo is told on the decision: the hold that came first is left out."""
    told = Command.objects.filter(decision=f"approval:{request.pk}").order_by("sequence").values_list("title", flat=True)
    return list(told)[1:]


def test_the_attempt_opens_an_exception_with_what_is_given_away_and_asks_the_right_person(world: World) -> None:
    discounted(world)
    assert (stage(), open_cases()) == ("quotation", [])
    attempt(world)
    assert stage() == "pricing_review"
    case = ExceptionCase.objects.get()
    assert (case.type, case.team.slug, case.amount) == ("order.price_breach", "sales", 600)
    # Ten desks at 100, 40 % off where 20 % are allowed: 200 too much. The margin of 20 % is well above the least.
    assert (case.plain_evidence["discount_given"], case.plain_evidence["margin_short"]) == ("200.00", "0.00")
    assert (case.plain_evidence["conceded"], case.plain_evidence["order_margin_percent"]) == ("200.00", "20.0")
    assert case.plain_evidence["discounted_names"] == "Oak desk (40 % off)"
    request = pending()
    assert (request.kind, request.requested_by, request.amount) == ("pricing_exception", "Sofia Sales", 600)
    assert [row.user for row in request.steps.get().assignments.all()] == [user("adam")]
    hold = Command.objects.get()
    assert hold.arguments["vals"]["x_ct_hold"] == "pricing_exception"
    assert hold.arguments["vals"]["x_ct_hold_reason"] == "The order waits for a price review."


def test_a_margin_too_thin_breaks_the_limit_without_any_discount(world: World) -> None:
    discounted(world, discount=0, amount=1_000, margin=40)
    attempt(world)
    evidence = ExceptionCase.objects.get().plain_evidence
    assert (evidence["margin_short"], evidence["conceded"], evidence["order_margin_percent"]) == ("60.00", "60.00", "4.0")


def test_where_odoo_keeps_no_margin_only_discounts_count(world: World) -> None:
    discounted(world, discount=20, amount=800, margin=0)
    SaleOrder.objects.filter(odoo_id=42).update(margin=None)
    attempt(world)
    assert (stage(), open_cases()) == ("quotation", [])


def test_yes_releases_what_is_conceded_and_confirms(world: World) -> None:
    discounted(world)
    attempt(world)
    request = pending()
    moves.approve(request.pk, by=user("adam"), reason="Fair price", now=world.advance(minutes=1))
    assert commands_of(request) == [
        "Add a note with the decision: approved",
        "Release the order with a 200.00 EUR concession",
        "Confirm the order",
        "Note the decision in the record's chatter",
    ]
    release = Command.objects.get(title__startswith="Release")
    assert release.arguments["vals"]["x_ct_released_concession"] == 200.0
    discounted(world, state="sale", x_ct_released_concession=200, delivery_status="pending")
    assert (stage(), open_cases()) == ("waiting_for_stock", [])


def test_no_keeps_it_held_and_the_same_order_is_not_asked_about_again(world: World) -> None:
    discounted(world)
    attempt(world)
    request = pending()
    moves.reject(request.pk, by=user("adam"), reason="Not below cost", now=world.advance(minutes=1))
    assert [title.split(" ")[0] for title in commands_of(request)] == ["Keep", "Add", "Create", "Note"]
    world.write("x_ct_request", 901, x_state="rejected")
    discounted(world, x_ct_hold="pricing_exception")
    assert (stage(), open_cases(), Request.objects.count()) == ("pricing_review", [], 1)


def test_a_released_order_that_gives_away_more_needs_a_new_decision(world: World) -> None:
    discounted(world, x_ct_released_concession=200)
    attempt(world)
    assert not Request.objects.exists()
    discounted(world, discount=50, amount=500, x_ct_released_concession=200)
    assert pending().context["conceded"] == "300.00"


def test_credit_comes_first_and_its_yes_leads_to_the_question_of_the_price(world: World) -> None:
    world.owes(4_900)
    discounted(world)
    # Odoo's guard asks for both at once, and tells of the credit first.
    attempt(world, kind="credit_override", ask_id=900)
    attempt(world)
    assert (stage(), open_cases()) == ("credit_review", ["order.credit_hold"])
    credit = pending()
    assert credit.kind == "credit_override"
    moves.approve(credit.pk, by=user("adam"), reason="Pays", now=world.advance(minutes=1))
    # Odoo would refuse: the price is not settled yet.
    assert "Confirm the order" not in commands_of(credit)
    discounted(world, x_ct_released_amount=600)
    world.write("x_ct_request", 900, x_state="approved")
    assert (stage(), open_cases()) == ("pricing_review", ["order.price_breach"])
    price = pending()
    moves.approve(price.pk, by=user("adam"), reason="", now=world.advance(minutes=1))
    assert "Confirm the order" in commands_of(price)


def test_asked_for_credit_alone_the_price_is_asked_about_once_credit_is_given(world: World) -> None:
    world.owes(4_900)
    discounted(world)
    attempt(world, kind="credit_override", ask_id=900)
    moves.approve(pending().pk, by=user("adam"), reason="Pays", now=world.advance(minutes=1))
    discounted(world, x_ct_released_amount=600)
    world.write("x_ct_request", 900, x_state="approved")
    assert (pending().kind, pending().requested_by) == ("pricing_exception", "Sofia Sales")


@pytest.mark.parametrize(("amount", "steps"), [(600, ["Pricing"]), (30_000, ["Pricing", "Sales management"])])
def test_a_large_order_needs_sales_management_as_well(world: World, amount: int, steps: list[str]) -> None:
    world.customer(50, name="Azure Interior", credit_limit=0)
    discounted(world, amount=amount, margin=amount / 2)
    attempt(world)
    assert [step.name for step in pending().steps.all()] == steps


@pytest.mark.parametrize(("discount", "amount"), [(90, 20_000), (100, 0), (5, -60_000)])
def test_who_gives_away_much_needs_those_who_may_decide_about_as_much(world: World, discount: int, amount: int) -> None:
    world.customer(50, name="Azure Interior", credit_limit=0)
    world.order(42, amount=amount, margin=None)
    line(world, 0, price=2_000, quantity=100, discount=discount)
    if amount < 0:
        line(world, 1, price=-2_500, quantity=100)
    attempt(world)
    request = pending()
    # What is left of the price is no measure of what is given away for it.
    assert float(request.amount or 0) == float(conceded()) >= 140_000
    assert [step.name for step in request.steps.all()] == ["Pricing", "Sales management"]
    assert [row.user for row in request.steps.get(name="Pricing").assignments.all()] == [user("mia")]


def line(
    world: World, number: int, *, price: float, quantity: float = 1, discount: float = 0, cost: float = 0, **more: Any
) -> None:
    """A further line of the order, with what it earns."""
    subtotal = price * quantity * (1 - discount / 100)
    world.write(
        "sale.order.line",
        4200 + number,
        order_id=42,
        product_id=30,
        name=f"Line {number}",
        product_uom_qty=quantity,
        price_unit=price,
        discount=discount,
        price_subtotal=subtotal,
        margin=subtotal - cost * quantity,
        **more,
    )


def conceded() -> str:
    return str(pending().context["conceded"])


@pytest.mark.parametrize(
    "beside",
    [
        {"price": -100, "quantity": 5},
        {"price": 100, "quantity": -5},
        {"price": -500, "discount": 60},
        {"price": 500, "discount": -100},
    ],
)
def test_no_other_line_pays_for_a_discount(world: World, beside: dict[str, float]) -> None:
    world.order(42, amount=100, margin=50)
    line(world, 0, price=1_000, discount=60)
    line(world, 1, **beside)
    attempt(world)
    assert float(conceded()) >= 400


def test_what_a_negative_line_takes_off_is_a_discount(world: World) -> None:
    world.order(42, amount=700, margin=300)
    line(world, 0, price=1_000)
    line(world, 1, price=-150)
    attempt(world)
    assert not Request.objects.exists()
    line(world, 1, price=-300)
    assert (conceded(), pending().context["deepest_discount_percent"]) == ("100.00", "30.00")


def test_headings_and_down_payments_are_no_discount(world: World) -> None:
    world.order(42, amount=1_000, margin=300)
    line(world, 0, price=1_000)
    line(world, 1, price=-900, quantity=0, is_downpayment=True)
    world.write("sale.order.line", 4202, order_id=42, name="Furniture", display_type="line_section")
    attempt(world)
    assert not Request.objects.exists()


def test_a_line_below_cost_is_not_made_good_by_what_another_earns(world: World) -> None:
    world.order(42, amount=1_100, margin=950)
    line(world, 0, price=100, cost=150)
    line(world, 1, price=1_000)
    attempt(world)
    assert conceded() == "50.00"


@pytest.mark.parametrize("beside", [{"price": 100, "cost": -500}, {"price": 100, "quantity": -1, "cost": 500}])
def test_neither_a_cost_below_zero_nor_goods_taken_back_raise_the_margin(world: World, beside: dict[str, float]) -> None:
    line(world, 0, price=1_000, cost=980)
    line(world, 1, **beside)
    world.order(42, amount=1_000 + beside["price"] * beside.get("quantity", 1), margin=20 + 500)
    attempt(world)
    assert float(conceded()) > 0


def test_an_order_given_away_whole_concedes_its_cost(world: World) -> None:
    world.order(42, amount=0, margin=-150)
    line(world, 0, price=0, cost=150)
    attempt(world)
    assert conceded() == "150.00"


def test_an_approval_answers_the_ask_before_anything_that_odoo_may_refuse() -> None:
    kinds = [kind for workflow in registry.workflows().values() for kind in workflow.approvals]
    answered = {kind.name: kind.on_approval for kind in kinds if any(call.model == ASK for call in kind.on_approval)}
    assert len(answered) >= 7
    assert [name for name, calls in answered.items() if calls[0].model != ASK] == []

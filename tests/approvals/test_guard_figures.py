"""What Odoo's guard counted and what the tower counts: an ask always opens a request, and a hold ends with its reason."""

from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.approvals.requests import moves
from apps.core import sentences
from apps.exceptions.models import ExceptionCase, Status
from apps.health import incidents
from apps.outbox.models import Command
from apps.workflows.models import Position
from tests.world import World, odoo_time


def asked(world: World, ask_id: int = 900, *, kind: str = "credit_override", **figures: Any) -> None:
    """The guard refused with these figures."""
    world.write(
        "x_ct_request",
        ask_id,
        x_res_model="sale.order",
        x_res_id=42,
        x_kind=kind,
        x_state="open",
        x_requested_at=odoo_time(world.now),
        x_requested_uid=7,
        x_count=1,
        **figures,
    )


def pending() -> Request:
    return Request.objects.get(status="pending")


def stage() -> str:
    return Position.objects.get(odoo_id=42, workflow="order_to_cash").stage


def adam() -> User:
    return User.objects.get(username="adam")


def test_an_ask_opens_a_request_with_its_own_figures_and_names_the_difference(world: World) -> None:
    world.order(amount=600)
    asked(world, x_amount=600, x_exposure=6_100.43, x_limit=5_000)
    request = pending()
    assert (stage(), request.amount) == ("credit_review", 600)
    assert (request.context["exposure"], request.context["credit_limit"]) == ("6100.43", "5000.00")
    named = sentences.said(request.context["odoo_counted"])
    assert "6,100.43" in named
    assert "600.00" in named


def test_figures_that_agree_name_no_difference(world: World) -> None:
    world.order(amount=6_200)
    asked(world, x_amount=6_200, x_exposure=6_200, x_limit=5_000)
    assert "odoo_counted" not in pending().context


CONFIRMS = '{"confirms": true}'


def test_what_was_changed_before_the_tower_read_the_ask_is_asked_about_as_it_stands(world: World) -> None:
    tried = odoo_time(world.now)
    world.advance(seconds=4)
    world.order(amount=90_000)
    asked(world, write_date=tried, x_amount=6_200, x_exposure=6_200, x_limit=5_000, x_terms=CONFIRMS)
    request = pending()
    assert (request.amount, request.context["exposure"]) == (90_000, "90000.00")
    assert "odoo_counted" not in request.context
    world.order(amount=95_000)
    assert pending().context["exposure"] == "95000.00"


def test_what_was_changed_within_the_limit_by_the_towers_count_is_asked_about_as_odoo_counted(world: World) -> None:
    tried = odoo_time(world.now)
    world.advance(seconds=4)
    world.order(amount=600)
    asked(world, write_date=tried, x_amount=600, x_exposure=6_100.43, x_limit=5_000, x_terms=CONFIRMS)
    assert pending().context["exposure"] == "6100.43"


def test_a_refused_change_is_asked_about_though_the_record_was_written_since(world: World) -> None:
    tried = odoo_time(world.now)
    world.advance(seconds=4)
    world.order(amount=5_500, state="sale")
    asked(world, write_date=tried, x_amount=9_000, x_exposure=9_000, x_limit=5_000, x_terms='{"confirms": false}')
    assert pending().context["exposure"] == "9000.00"


@pytest.mark.parametrize("kind", ["credit_override", "pricing_exception"])
def test_an_ask_over_the_action_menu_opens_a_request_within_all_limits(world: World, kind: str) -> None:
    world.order(amount=100)
    asked(world, kind=kind, x_amount=100)
    assert pending().kind == kind


def test_a_limit_that_the_mirror_lacks_is_the_guards(world: World) -> None:
    world.customer(50, name="Azure Interior", credit_limit=0)
    world.order(amount=6_200)
    asked(world, x_amount=6_200, x_exposure=6_200, x_limit=5_000)
    assert pending().context["credit_limit"] == "5000.00"


def test_the_request_follows_the_mirror_by_the_difference_and_ends_with_its_reason(world: World) -> None:
    invoice = world.owes(5_000)
    world.order(amount=600)
    # Odoo counts 400 that a rule hides from the tower.
    asked(world, x_amount=600, x_exposure=6_000, x_limit=5_000)
    world.write("account.move.line", invoice + 10_000, amount_residual=4_500)
    assert pending().context["exposure"] == "5500.00"
    world.write("account.move.line", invoice + 10_000, amount_residual=3_999)
    assert not Request.objects.filter(status="pending").exists()
    assert list(Command.objects.order_by("-sequence").values_list("title", flat=True)[:2]) == [
        "Add a note with the decision: withdrawn",
        "Lift the hold",
    ]
    # Until Odoo has the answer the ask stands open, and is not asked once more.
    world.order(amount=601)
    assert Request.objects.count() == 1


@pytest.mark.parametrize("change", ["limit", "customer", "amount"])
def test_after_a_rejection_the_hold_ends_with_its_reason_and_says_so(world: World, change: str) -> None:
    world.order(amount=6_200)
    asked(world, x_amount=6_200, x_exposure=6_200, x_limit=5_000)
    moves.reject(pending().pk, by=adam(), reason="Too much", now=world.advance(minutes=1))
    world.write("x_ct_request", 900, x_state="rejected")
    world.order(amount=6_200, x_ct_hold="credit_override", x_ct_hold_reason="Rejected by Mia: Too much")
    held = Command.objects.count()
    world.order(amount=6_100, x_ct_hold="credit_override")
    assert Command.objects.count() == held
    if change == "limit":
        world.customer(50, name="Azure Interior", credit_limit=9_000)
    elif change == "customer":
        world.customer(51, name="Gemini", credit_limit=0)
        world.order(amount=6_100, partner=51, x_ct_hold="credit_override")
    else:
        world.order(amount=5_000, x_ct_hold="credit_override")
    titles = list(Command.objects.order_by("sequence").values_list("title", flat=True))[held:]
    assert titles == ["Lift the hold", "Note that the hold is lifted"]
    note = Command.objects.order_by("-sequence").first()
    assert note is not None
    assert "Within the limit" in str(note.arguments)
    world.order(x_ct_hold="credit_override", amount=4_900)
    assert Command.objects.count() == held + 2


def test_the_reason_in_odoo_is_written_anew_when_its_figures_change(world: World) -> None:
    world.write("product.template", 31, name="Oak desk", list_price=100)
    world.write("product.product", 30, product_tmpl_id=31)
    own = {
        "name": "WH/IN/71",
        "state": "assigned",
        "return_id": 70,
        "partner_id": 50,
        "company_id": 1,
        "picking_type_code": "incoming",
    }

    def comes_back(quantity: float, **more: Any) -> None:
        world.write("stock.move", 710, picking_id=71, product_id=30, product_uom_qty=quantity, state="assigned")
        world.write("stock.picking", 71, **own, **more)

    comes_back(6)
    first = Command.objects.get()
    assert first.arguments["vals"]["x_ct_hold_reason"] == "600.00 EUR come back, which needs an authorisation."
    comes_back(6, origin="Return of WH/OUT/70")
    assert Command.objects.count() == 1
    comes_back(7)
    (second,) = Command.objects.exclude(pk=first.pk)
    assert second.arguments["vals"]["x_ct_hold_reason"] == "700.00 EUR come back, which needs an authorisation."


def test_a_reason_that_names_no_figures_is_not_written_anew_when_they_change(world: World) -> None:
    world.order(amount=6_200)
    asked(world, x_amount=6_200, x_exposure=6_200, x_limit=5_000)
    world.order(amount=7_000)
    asked(world, x_amount=7_000, x_exposure=7_000, x_limit=5_000)
    assert pending().context["exposure"] == "7000.00"
    # Customers may read it on their own orders.
    assert Command.objects.get().arguments["vals"]["x_ct_hold_reason"] == "The order waits for a credit review."


def unanswered(world: World) -> list[ExceptionCase]:
    incidents.detect_incidents(now=world.now)
    return list(ExceptionCase.objects.filter(type="integration.ask_unanswered").exclude(status=Status.RESOLVED))


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ({"x_res_model": "fleet.vehicle"}, "No workflow of this tower is over fleet.vehicle"),
        ({"x_kind": "dragon_riding"}, "knows no approval dragon_riding"),
        ({"x_res_id": 4_711}, "run manage.py reconcile main"),
    ],
)
def test_an_ask_that_opens_no_request_is_an_incident_with_its_remedy(world: World, values: dict[str, Any], remedy: str) -> None:
    world.order(amount=100)
    ask = {"x_res_model": "sale.order", "x_res_id": 42, "x_kind": "credit_override", "x_state": "open", "x_count": 3}
    world.write("x_ct_request", 900, **{**ask, "x_requested_at": odoo_time(world.now), "x_requested_uid": 7, **values})
    assert unanswered(world) == []
    world.now += timedelta(seconds=90)
    (case,) = unanswered(world)
    assert remedy in str(case.plain_evidence)
    world.write("x_ct_request", 900, x_state="withdrawn")
    assert unanswered(world) == []


def test_an_ask_with_its_request_is_no_incident_nor_is_one_that_waits_behind_it(world: World) -> None:
    world.order(amount=6_200)
    asked(world, x_amount=6_200, x_exposure=6_200, x_limit=5_000)
    asked(world, 901, kind="pricing_exception", x_amount=6_200, x_exposure=50)
    world.now += timedelta(minutes=5)
    assert unanswered(world) == []

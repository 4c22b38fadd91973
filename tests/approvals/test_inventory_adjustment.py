"""A count beyond the limit waits for a yes, is applied on it, and is cleared on a no."""

import pytest

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.approvals.requests import moves
from apps.outbox.models import Command
from apps.workflows.models import Position, Transition
from tests.world import World


@pytest.fixture
def world(world: World) -> World:
    world.write("stock.location", 8, name="Shelf", complete_name="WH/Shelf", usage="internal", company_id=1)
    world.write("product.template", 31, name="Oak desk", type="consu", active=True)
    world.write("product.product", 30, product_tmpl_id=31, active=True, standard_price=40)
    return world


def adam() -> User:
    return User.objects.get(username="adam")


def count(world: World, counted: float, **more: object) -> None:
    """The shelf, where the system says that there are twenty desks, is counted."""
    values = {
        "product_id": 30,
        "location_id": 8,
        "company_id": 1,
        "quantity": 20,
        "inventory_date": "2026-12-31",
        "inventory_quantity": counted,
        "inventory_quantity_set": True,
        "inventory_diff_quantity": counted - 20,
        "user_id": 7,
    }
    world.write("stock.quant", 70, **values | more)


def cleared(world: World, **more: object) -> None:
    """Odoo has forgotten the count."""
    world.write(
        "stock.quant", 70, inventory_quantity=0, inventory_quantity_set=False, inventory_diff_quantity=0, user_id=False, **more
    )


def titles(request: Request) -> list[str]:
    """What Odoo is told on the decision, after the hold that came first."""
    told = Command.objects.filter(decision=f"approval:{request.pk}").order_by("sequence").values_list("title", flat=True)
    return list(told)[1:]


def stage() -> str | None:
    return Position.objects.filter(workflow="inventory_control").values_list("stage", flat=True).first()


def test_it_is_asked_about_as_soon_as_it_is_entered(world: World) -> None:
    count(world, 5)
    request = Request.objects.get()
    assert (request.kind, request.model, request.odoo_id, request.amount) == ("inventory_adjustment", "stock.quant", 70, 600)
    assert (request.requested_by, request.record_name) == ("Sofia Sales", "Oak desk in WH/Shelf")
    hold = Command.objects.get()
    assert hold.arguments["vals"]["x_ct_hold"] == "inventory_adjustment"
    assert "600.00 EUR" in hold.arguments["vals"]["x_ct_hold_reason"]
    # The attempt to apply it all the same is no second asking.
    world.ask(70, kind="inventory_adjustment", model="stock.quant")
    assert Request.objects.count() == 1


def test_below_the_limit_nobody_is_asked(world: World) -> None:
    count(world, 14)
    assert (stage(), Request.objects.count()) == ("counted", 0)


def test_yes_releases_applies_and_takes_the_release_back(world: World) -> None:
    count(world, 5)
    world.ask(70, kind="inventory_adjustment", model="stock.quant")
    request = Request.objects.get()
    moves.approve(request.pk, by=adam(), now=world.advance(minutes=1))
    assert titles(request) == [
        "Add a note with the decision: approved",
        "Release the count up to 600.00 EUR",
        "Apply the count",
        "Withdraw the release: it covered this count only",
        "Note the decision in the product's chatter",
    ]
    apply = Command.objects.get(method="action_apply_inventory")
    assert apply.precondition == [["inventory_quantity_set", "=", True], ["inventory_diff_quantity", "=", -15]]
    note = Command.objects.get(method="message_post")
    assert (note.model, note.odoo_id) == ("product.product", 30)
    count(world, 5, x_ct_released_value=600)
    cleared(world, quantity=5, last_count_date="2026-11-23", x_ct_released_value=0)
    assert (stage(), Request.objects.count()) == ("applied", 1)


def test_no_clears_the_count_which_then_stands_as_rejected_until_the_next(world: World) -> None:
    count(world, 5)
    request = Request.objects.get()
    moves.reject(request.pk, by=adam(), reason="Count again", now=world.advance(minutes=1))
    assert titles(request) == [
        "Clear the count",
        "Lift the hold, and keep the reason",
        "Note the decision in the product's chatter",
    ]
    Command.objects.update(status="done")
    world.advance(minutes=1)
    cleared(world, x_ct_hold=False, x_ct_hold_reason="Rejected by Adam: Count again")
    assert stage() == "rejected"

    world.advance(minutes=1)
    count(world, 19)
    world.advance(minutes=1)
    cleared(world, quantity=19, last_count_date="2026-11-23")
    assert stage() == "applied"
    assert list(Transition.objects.order_by("id").values_list("to_stage", flat=True)) == [
        "awaiting_approval",
        "rejected",
        "counted",
        "applied",
    ]


def test_another_count_as_wrong_as_the_rejected_one_is_asked_about_again(world: World) -> None:
    count(world, 5)
    moves.reject(Request.objects.get().pk, by=adam(), reason="Count again", now=world.advance(minutes=1))
    Command.objects.update(status="done")
    world.advance(minutes=1)
    cleared(world, x_ct_hold=False, x_ct_hold_reason="Rejected by Adam: Count again")
    world.advance(minutes=1)
    count(world, 5)
    assert list(Request.objects.order_by("id").values_list("status", flat=True)) == ["rejected", "pending"]


def test_a_count_that_is_taken_back_in_odoo_is_no_longer_asked_about(world: World) -> None:
    count(world, 5)
    cleared(world)
    assert Request.objects.get().status == "cancelled"


def test_one_that_is_entered_anew_within_the_same_second_is_asked_about_anew(world: World) -> None:
    count(world, 5)
    cleared(world)
    count(world, 4)
    assert list(Request.objects.order_by("id").values_list("status", "amount")) == [("cancelled", 600), ("pending", 640)]
    # Seen once more, it is the same.
    count(world, 4)
    assert Request.objects.count() == 2

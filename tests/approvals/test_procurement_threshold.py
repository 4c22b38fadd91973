"""A purchase beyond the limit, held by the tower's guard or by Odoo's own two-step validation."""

from typing import Any

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.approvals.requests import moves
from apps.outbox.models import Command
from apps.workflows.models import Position
from tests.world import World, odoo_time


def user(name: str) -> User:
    return User.objects.get(username=name)


def purchase(world: World, *, amount: float = 12_000, **more: Any) -> None:
    world.write("res.partner", 60, name="Nordic Timber", commercial_partner_id=60)
    values = {
        "name": "P00080",
        "state": "draft",
        "partner_id": 60,
        "user_id": 7,
        "company_id": 1,
        "currency_id": 1,
        "currency_rate": 1.0,
        "amount_total": amount,
        "date_order": odoo_time(world.now),
    }
    world.write("purchase.order", 80, **values | more)


def attempt(world: World, state: str = "open") -> None:
    world.ask(80, kind="procurement_threshold", model="purchase.order", state=state)


def stage() -> str:
    return Position.objects.get(workflow="procure_to_pay").stage


def titles(request: Request) -> list[str]:
    """What Odoo is told on the decision: the hold that came first is left out."""
    told = Command.objects.filter(decision=f"approval:{request.pk}").order_by("sequence").values_list("title", flat=True)
    return list(told)[1:]


def test_an_attempt_beyond_the_limit_waits_for_an_approval(world: World) -> None:
    purchase(world)
    assert stage() == "request"
    attempt(world)
    assert stage() == "awaiting_approval"
    request = Request.objects.get()
    assert (request.kind, request.model, request.amount) == ("procurement_threshold", "purchase.order", 12_000)
    assert (request.requested_by, request.partner_name) == ("Sofia Sales", "Nordic Timber")
    assert [row.user for row in request.steps.get().assignments.all()] == [user("adam")]
    hold = Command.objects.get()
    assert (hold.model, hold.arguments["vals"]["x_ct_hold"]) == ("purchase.order", "procurement_threshold")


def test_below_the_limit_or_released_nothing_is_asked(world: World) -> None:
    purchase(world, amount=9_999)
    attempt(world)
    purchase(world, amount=12_000, x_ct_released_amount=12_000)
    assert (stage(), Request.objects.count()) == ("request", 0)


def test_yes_releases_confirms_and_approves(world: World) -> None:
    purchase(world)
    attempt(world)
    request = Request.objects.get()
    moves.approve(request.pk, by=user("adam"), now=world.advance(minutes=1))
    assert titles(request) == [
        "Add a note with the decision: approved",
        "Release the order up to 12,000.00 EUR",
        "Confirm the order",
        "Approve the order",
        "Note the decision in the record's chatter",
    ]
    purchase(world, state="purchase", x_ct_released_amount=12_000, acknowledged=True)
    # The world's purchase has no goods, so there is nothing to receive and nothing to bill.
    assert stage() == "closed"
    assert Request.objects.count() == 1


def test_what_odoo_itself_holds_is_asked_about_each_time_it_comes_there(world: World) -> None:
    purchase(world, amount=6_000)
    world.advance(minutes=1)
    purchase(world, amount=6_000, state="to approve")
    first = Request.objects.get()
    assert first.requested_by == "Sofia Sales"
    moves.reject(first.pk, by=user("adam"), reason="Too dear", now=world.advance(minutes=1))
    assert titles(first)[0] == "Cancel the order"
    Command.objects.update(status="done")
    purchase(world, amount=6_000, state="cancel")
    world.advance(minutes=1)
    purchase(world, amount=6_000, state="draft")
    world.advance(minutes=1)
    purchase(world, amount=6_000, state="to approve")
    second = Request.objects.get(status="pending")
    moves.approve(second.pk, by=user("adam"), now=world.advance(minutes=1))
    # Confirmed it is already.
    assert titles(second)[:2] == ["Release the order up to 6,000.00 EUR", "Approve the order"]


def test_somebody_approves_it_in_odoo(world: World) -> None:
    purchase(world, amount=6_000, state="to approve")
    request = Request.objects.get()
    purchase(world, amount=6_000, state="purchase")
    request.refresh_from_db()
    assert request.status == "cancelled"


def test_a_large_one_needs_management_as_well(world: World) -> None:
    purchase(world, amount=60_000, state="to approve")
    assert [step.name for step in Request.objects.get().steps.all()] == ["Purchasing", "Management"]


def test_a_line_below_zero_hides_none_of_the_others(world: World) -> None:
    User.objects.update(approval_limit=100_000)
    purchase(world, amount=9_000)
    for number, total in enumerate((60_000, -51_000)):
        world.write("purchase.order.line", 800 + number, order_id=80, product_id=30, product_qty=1, price_total=total)
    User.objects.update(approval_limit=100_000)
    attempt(world)
    request = Request.objects.get()
    assert (request.amount, [step.name for step in request.steps.all()]) == (60_000, ["Purchasing", "Management"])
    moves.approve(request.pk, by=user("adam"), now=world.advance(minutes=1))
    moves.approve(request.pk, by=user("mia"), now=world.advance(minutes=1))
    release = Command.objects.get(title__startswith="Release")
    assert release.arguments["vals"]["x_ct_released_amount"] == 60_000


def test_an_order_that_is_taken_back_and_confirmed_within_the_same_second_is_asked_about_anew(world: World) -> None:
    purchase(world, amount=6_000, state="to approve")
    purchase(world, amount=6_000, state="cancel")
    purchase(world, amount=7_000, state="to approve")
    assert list(Request.objects.order_by("id").values_list("status", "amount")) == [("cancelled", 6_000), ("pending", 7_000)]

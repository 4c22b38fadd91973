"""Express for a delivery whose promise is at risk: asked for with a carrier, decided, and what Odoo is told."""

import pytest
from django.test import Client

from apps.accounts.models import Role, Team, User
from apps.approvals.models import Request
from apps.approvals.requests import moves
from apps.outbox.models import Command
from tests.trade import company, days, purchase, sale
from tests.world import World, person

KIND = "expedited_freight"


def user(name: str) -> User:
    return User.objects.get(username=name)


@pytest.fixture
def world(db: None) -> World:
    """An order that was promised for yesterday; its delivery is ready, and planned for the day after tomorrow."""
    Team.objects.get_or_create(slug="warehouse", defaults={"name": "Warehouse"})
    person("olga", Role.OPERATOR, team="warehouse")
    person("wanda", Role.APPROVER, limit=50_000, team="warehouse")
    person("vera", Role.AUDITOR)
    made = company()
    made.write("delivery.carrier", 3, name="By road", active=True, delivery_type="fixed", fixed_price=12)
    made.write("delivery.carrier", 4, name="Express before noon", active=True, delivery_type="fixed", fixed_price=89)
    made.write("delivery.carrier", 5, name="Of another company", active=True, delivery_type="fixed", fixed_price=1, company_id=2)
    made.write("delivery.carrier", 6, name="By quotation", active=True, delivery_type="base_on_rule", fixed_price=0)
    sale(made, 42, promised_in=-1, reserved=10)
    made.write("stock.picking", 42, state="assigned", scheduled_date=days(made, 2), carrier_id=3)
    return made


def ask(world: World, option: str = "4") -> Request:
    return moves.ask(
        connection_id=world.connection.pk,
        kind=KIND,
        model="sale.order",
        odoo_id=42,
        option=option,
        by=user("olga"),
        reason="They wait for it",
        now=world.now,
    )


def told(request: Request) -> list[Command]:
    return list(Command.objects.filter(decision=f"approval:{request.pk}").order_by("sequence"))


def test_what_is_asked_for_names_the_carrier_its_cost_and_what_is_at_risk(world: World) -> None:
    request = ask(world)
    assert (request.kind, request.status, request.amount) == (KIND, "pending", 1_000)
    figures = {
        "carrier_name": "Express before noon",
        "freight_cost": "89.00",
        "express_present_name": "By road",
        "express_transfer_name": "WH/OUT/00042",
        "undelivered_amount": "1000.00",
    }
    assert figures.items() <= request.context.items()
    assert told(request) == []


def test_yes_makes_the_transfer_urgent_brings_it_forward_and_names_the_carrier(world: World) -> None:
    request = ask(world)
    moves.approve(request.pk, by=user("wanda"), reason="Once", now=world.now)
    urgent, carrier, note = told(request)
    at = world.now.strftime("%Y-%m-%d %H:%M:%S")
    assert (urgent.model, urgent.odoo_id, urgent.arguments) == (
        "stock.picking",
        42,
        {"vals": {"priority": "1", "scheduled_date": at}},
    )
    assert carrier.arguments == {"vals": {"carrier_id": 4}}
    assert (note.model, "Express before noon" in note.arguments["body"]) == ("sale.order", True)


def test_no_leaves_the_transfer_as_it_is_and_says_so(world: World) -> None:
    request = ask(world)
    moves.reject(request.pk, by=user("wanda"), reason="Too dear", now=world.now)
    (note,) = told(request)
    assert (note.method, "Too dear" in note.arguments["body"]) == ("message_post", True)


def test_nothing_chosen_leaves_the_carrier(world: World) -> None:
    request = ask(world, option="")
    moves.approve(request.pk, by=user("wanda"), now=world.now)
    assert [command.model for command in told(request)] == ["stock.picking", "sale.order"]
    assert request.context["carrier_name"] is None


def test_asked_for_in_odoo_it_is_answered_there(world: World) -> None:
    world.ask(42, kind=KIND)
    request = Request.objects.get(kind=KIND)
    assert request.requested_by == "Sofia Sales"
    moves.approve(request.pk, by=user("wanda"), now=world.now)
    assert "x_ct_request" in [one.model for one in told(request)]


def test_it_is_withdrawn_when_the_goods_have_gone(world: World) -> None:
    request = ask(world)
    world.write("stock.picking", 42, state="done")
    request.refresh_from_db()
    assert request.status == "cancelled"


def test_goods_that_are_still_to_come_cannot_go_before_they_are_there(world: World) -> None:
    world.write("stock.move", 42, state="confirmed", quantity=0)
    world.write("stock.picking", 42, state="confirmed", scheduled_date=days(world, 6))
    purchase(world, expected_in=4)
    request = ask(world)
    assert request.context["express_moment"] == days(world, 4)


def test_an_option_that_is_not_there_is_refused_with_those_that_are(world: World) -> None:
    with pytest.raises(moves.DecisionRefusedError, match=r"option 5\. Available: 4 \(Express before noon at 89\.00\)"):
        ask(world, option="5")
    world.write("stock.picking", 42, state="cancel")
    with pytest.raises(moves.DecisionRefusedError, match="too far along"):
        ask(world)


def test_the_page_offers_what_is_possible_and_asks_for_it(world: World, client: Client) -> None:
    client.force_login(user("olga"))
    address = f"/approvals/ask/{world.connection.name}/sale.order/42/"
    page = client.get(address).content.decode()
    assert "Express before noon at 89.00" in page
    assert "By road at 12.00, as planned" in page
    assert "Of another company" not in page
    assert "Credit override" not in page
    assert client.post(address, {"kind": KIND, "option": "4"}).status_code == 422
    answer = client.post(address, {"kind": KIND, "option": "4", "reason": "They wait"})
    request = Request.objects.get(kind=KIND)
    shown = client.get(f"/approvals/{request.pk}/").content.decode()
    for words in ("“They wait”", "Send WH/OUT/00042 by Express before noon", "Make WH/OUT/00042 urgent"):
        assert words in shown
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/approvals/{request.pk}/")
    assert "No approval can be requested now" in client.get(address).content.decode()
    assert f'href="{address}"' in client.get(f"/records/{world.connection.name}/sale.order/42/").content.decode()


def test_who_may_only_read_is_not_offered_it_and_refused(world: World, client: Client) -> None:
    client.force_login(user("vera"))
    address = f"/approvals/ask/{world.connection.name}/sale.order/42/"
    assert address not in client.get(f"/records/{world.connection.name}/sale.order/42/").content.decode()
    assert client.post(address, {"kind": KIND, "reason": "Please"}).status_code == 403
    assert not Request.objects.exists()

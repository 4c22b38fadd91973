"""Asking for an approval in the tower: who will be asked is said before, with whom it waits meanwhile, and it can be recalled."""

from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.models import Role, Team, User
from apps.approvals.errors import AlreadyDecidedError, NotAskedError
from apps.approvals.models import Absence, Assignment, Request
from apps.approvals.requests import available_requests, moves
from apps.audit.models import Entry
from apps.exceptions.models import ExceptionCase
from apps.notifications.models import Notification
from tests.trade import company, days, sale
from tests.world import World, person

KIND = "expedited_freight"


def user(name: str) -> User:
    return User.objects.get(username=name)


@pytest.fixture
def world(db: None) -> World:
    """An order that was promised for yesterday; its delivery is ready, and planned for the day after tomorrow."""
    Team.objects.get_or_create(slug="warehouse", defaults={"name": "Warehouse"})
    person("olga", Role.OPERATOR, team="warehouse")
    person("oskar", Role.OPERATOR)
    person("wanda", Role.APPROVER, limit=50_000, team="warehouse")
    person("wim", Role.APPROVER, limit=50_000, team="warehouse")
    person("paul", Role.APPROVER, limit=10, team="warehouse")
    person("vera", Role.AUDITOR)
    made = company()
    made.write("delivery.carrier", 4, name="Express before noon", active=True, delivery_type="fixed", fixed_price=89)
    sale(made, 42, promised_in=-1, reserved=10)
    made.write("stock.picking", 42, state="assigned", scheduled_date=days(made, 2))
    return made


def ask(world: World) -> Request:
    return moves.ask(
        connection_id=world.connection.pk,
        kind=KIND,
        model="sale.order",
        odoo_id=42,
        option="4",
        by=user("olga"),
        reason="They wait for it",
        now=world.now,
    )


def expected(world: World) -> list[tuple[str, list[str]]]:
    found = available_requests.of_record(world.connection, "sale.order", 42, by=user("olga"), now=world.now)
    (available,) = [one for one in found if one.kind.name == KIND]
    return [(step.name, [one.username for one in step.people]) for step in available.steps]


def asked(request: Request) -> list[str]:
    rows = Assignment.objects.filter(step__request=request, is_active=True).order_by("id")
    return list(rows.values_list("user__username", flat=True))


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(user(name))
    return client


def case() -> ExceptionCase:
    return ExceptionCase.objects.get(type="order.promise_at_risk")


def test_who_is_expected_to_be_asked_is_asked_and_until_the_same_moment(world: World) -> None:
    (step,) = next(
        one.steps
        for one in available_requests.of_record(world.connection, "sale.order", 42, by=user("olga"), now=world.now)
        if one.kind.name == KIND
    )
    assert (step.name, [one.username for one in step.people]) == ("Warehouse", ["wanda", "wim"])
    assert Request.objects.count() == 0
    request = ask(world)
    assert asked(request) == ["wanda", "wim"]
    assert request.due_at == step.due_at == world.now + timedelta(minutes=120)


def away(world: World, name: str, deputy: str) -> None:
    until = world.now + timedelta(days=1)
    Absence.objects.create(user=user(name), deputy=user(deputy), starts_at=world.now, until=until, created_at=world.now)


def test_a_deputy_is_expected_in_the_place_of_who_is_away(world: World) -> None:
    person("piet", Role.APPROVER, limit=50_000)
    away(world, "wanda", "piet")
    assert expected(world) == [("Warehouse", ["piet", "wim"])]
    assert sorted(asked(ask(world))) == ["piet", "wim"]


def test_a_deputy_who_may_not_decide_it_is_not_expected(world: World) -> None:
    away(world, "wanda", "paul")
    assert expected(world) == [("Warehouse", ["wanda", "wim"])]
    assert asked(ask(world)) == ["wanda", "wim"]


def test_the_page_that_asks_says_who_will_be_asked(world: World) -> None:
    page = signed_in("olga").get(f"/approvals/ask/{world.connection.name}/sale.order/42/").content.decode()
    assert "Who will be asked" in page
    assert "Wanda, Wim" in page


def test_the_exception_offers_the_approval_and_then_says_with_whom_it_waits(world: World) -> None:
    address = f"/approvals/of-exception/{case().pk}/"
    assert address in signed_in("olga").get(f"/exceptions/{case().pk}/").content.decode()
    offered = signed_in("olga").get(address).content.decode()
    assert "Request approval" in offered and "Wanda, Wim" in offered
    request = ask(world)
    waits = signed_in("olga").get(address).content.decode()
    assert "Expedited freight is pending" in waits and "Wanda, Wim" in waits and f"/approvals/{request.pk}/" in waits
    assert "Request approval" not in waits
    assert "Recall" in waits
    others = signed_in("oskar").get(address).content.decode()
    assert "is pending" in others and "Recall" not in others


def test_who_only_reads_is_told_what_waits_and_offered_nothing(world: World) -> None:
    address = f"/approvals/of-exception/{case().pk}/"
    assert "Request approval" not in signed_in("vera").get(address).content.decode()
    ask(world)
    assert "is pending" in signed_in("vera").get(address).content.decode()


def test_who_asked_recalls_it_and_those_asked_are_told(world: World) -> None:
    request = ask(world)
    done = signed_in("olga").post(f"/approvals/{request.pk}/recall/", {"reason": "They wait after all"}, follow=True)
    assert done.status_code == 200
    request.refresh_from_db()
    assert (request.status, request.decided_by, request.reason) == ("cancelled", user("olga"), "They wait after all")
    assert set(request.steps.values_list("status", flat=True)) == {"skipped"}
    entry = Entry.objects.get(action="approval.cancelled")
    assert entry.actor_name == "Olga"
    told = Notification.objects.filter(kind="approval.cancelled").values_list("user__username", flat=True)
    assert {"wanda", "wim"} <= set(told)
    assert expected(world) == [("Warehouse", ["wanda", "wim"])]


def test_nobody_else_recalls_it_and_nobody_what_is_decided(world: World) -> None:
    request = ask(world)
    with pytest.raises(NotAskedError, match="Olga requested S00042; only they can recall it"):
        moves.recall(request.pk, by=user("oskar"), now=world.now)
    moves.approve(request.pk, by=user("wanda"), now=world.now)
    with pytest.raises(AlreadyDecidedError, match="approved by Wanda"):
        moves.recall(request.pk, by=user("olga"), now=world.now)
    request.refresh_from_db()
    assert request.status == "approved"


def test_what_policy_asked_for_cannot_be_recalled(world: World) -> None:
    world.ask(42, kind=KIND)
    request = Request.objects.get(kind=KIND)
    with pytest.raises(NotAskedError):
        moves.recall(request.pk, by=user("olga"), now=world.now)
    assert not Entry.objects.filter(action="approval.cancelled").exists()

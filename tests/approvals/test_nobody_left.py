"""Steps left to administrators, teams that go, parallel steps that are undone, requests older than their words."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role, Team, User
from apps.approvals.models import Assignment, Request
from apps.approvals.policies import distinct, policy
from apps.approvals.requests import moves, undoing
from apps.notifications.models import Notification
from apps.outbox.models import Command
from tests.api.callers import caller
from tests.world import World, person

FIVE = timedelta(seconds=5)


def user(name: str) -> User:
    return User.objects.get(username=name)


def step(name: str, *asks: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"name": name, "levels": [{"ask": ask, "within_minutes": 60} for ask in asks], "fallback": "expire"} | more


def save(world: World, *steps: dict[str, Any], **more: Any) -> None:
    policy.save("credit_override", {"steps": list(steps), **more}, by=user("mia"), now=world.now)


def asked(name: str) -> set[str]:
    rows = Assignment.objects.filter(step__name=name, is_active=True, decision="", lapsed_at=None)
    return set(rows.values_list("user__username", flat=True))


ADAM, MIA, APPROVERS = {"user": "adam"}, {"user": "mia"}, {"role": "approver"}


@pytest.mark.parametrize(
    ("steps", "without"),
    [
        ([step("One", APPROVERS), step("Two", MIA)], []),
        ([step("One", APPROVERS), step("Two", ADAM)], ["Two"]),
        # Whoever could do either does the one that nobody else can.
        ([step("One", APPROVERS, MIA), step("Two", ADAM)], []),
        ([step("One", ADAM), step("Two", MIA), step("Three", ADAM, MIA)], ["Three"]),
        # Adam's limit does not reach the second step.
        ([step("One", MIA), step("Two", ADAM, MIA, from_amount=60_000)], ["Two"]),
    ],
)
def test_a_policy_warns_of_steps_that_are_left_to_administrators(
    world: World, steps: list[dict[str, Any]], without: list[str]
) -> None:
    found = distinct.warnings({"steps": steps})
    assert len(found) == len(without)
    assert all(name in sentence for name, sentence in zip(without, found, strict=True))
    assert distinct.warnings({"steps": steps, policy.SEVERAL_STEPS: True}) == []


def test_the_page_and_the_api_say_so_and_save_it(world: World, client: Client) -> None:
    client.force_login(user("mia"))
    save(world, step("One", ADAM), step("Two", ADAM))
    assert "may be left to administrators" in client.get("/approvals/policies/credit_override/").content.decode()
    rules = {"steps": [step("One", ADAM), step("Two", ADAM)]}
    answer = caller("mia", "admin").post("policies/", {"kind": "credit_override", "rules": rules})
    assert answer.status_code == 201, answer.content
    assert len(answer.json()["warnings"]) == 1


@pytest.mark.parametrize("how", ["deleted", "emptied", "renamed"])
def test_a_team_that_goes_is_replaced_at_once_in_what_waits_for_it(world: World, how: str) -> None:
    team = Team.objects.create(slug="board", name="Board")
    team.members.add(person("bea", Role.APPROVER, limit=90_000))
    save(world, step("Board", {"team": "board"}, MIA))
    world.held_order()
    assert asked("Board") == {"bea"}
    if how == "deleted":
        team.delete()
    elif how == "emptied":
        team.members.clear()
    else:
        team.slug = "directors"
        team.save()
    assert asked("Board") == {"mia"}


def test_undoing_one_of_two_steps_takes_back_who_was_asked_instead(world: World) -> None:
    save(world, step("One", ADAM, position=1), step("Two", ADAM, MIA, position=1))
    world.held_order()
    request = Request.objects.get()
    assert (asked("One"), asked("Two")) == ({"adam"}, {"adam"})
    moves.approve(request.pk, by=user("adam"), now=world.now, undo_for=FIVE)
    (left,) = [name for name in ("One", "Two") if not Assignment.objects.filter(step__name=name, decision="approved").exists()]
    instead = asked(left)
    assert "adam" not in instead
    told = Notification.objects.filter(kind="approval.asked", user__username__in=instead)
    assert all(one.held_until for one in told)
    undoing.undo(request.pk, by=user("adam"), now=world.now + timedelta(seconds=2))
    assert (asked("One"), asked("Two")) == ({"adam"}, {"adam"})
    assert not Notification.objects.filter(kind="approval.asked", user__username__in=instead).exists()
    # Decided after all, they are asked again.
    moves.approve(request.pk, by=user("adam"), now=world.advance(minutes=1))
    assert asked(left) == instead


@pytest.mark.parametrize("is_there", [True, False])
def test_a_request_that_is_older_than_its_words_is_decided(world: World, is_there: bool) -> None:
    world.held_order()
    request = Request.objects.get()
    Request.objects.update(context={"account_owner_login": "sofia"})
    if not is_there:
        Request.objects.update(odoo_id=4_711)
    moves.approve(request.pk, by=user("adam"), reason="Fine", now=world.advance(minutes=1))
    request.refresh_from_db()
    assert request.status == "approved"
    told = Command.objects.filter(decision=f"approval:{request.pk}").order_by("sequence")
    methods = [command.method for command in told if command.created_at == request.decided_at]
    if is_there:
        assert "action_confirm" in methods
        release = told.filter(arguments__vals__has_key="x_ct_released_amount").get()
        assert release.arguments["vals"]["x_ct_released_amount"] == 6_200.0
    else:
        # What would release nothing, or another sum, is left out; the decision is noted.
        assert methods == ["message_post"]


@pytest.mark.parametrize("yes", [True, False])
def test_a_request_of_every_kind_that_lacks_everything_is_decided(world: World, yes: bool) -> None:
    world.held_order()
    Request.objects.update(context={})
    request = Request.objects.get()
    if yes:
        moves.approve(request.pk, by=user("adam"), now=world.now)
    else:
        moves.reject(request.pk, by=user("adam"), reason="No", now=world.now)
    request.refresh_from_db()
    assert request.status == ("approved" if yes else "rejected")

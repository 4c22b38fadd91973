"""The clerks of the demonstration own, act and decide through the API, leave what is fresh, and are refused like anybody."""

import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.accounts.models import ApiToken, User
from apps.approvals.models import Request
from apps.exceptions.models import ExceptionCase
from controltower import prepare
from sandbox.clerks import CLERKS, FRESH, Call, Clerk, RefusedError
from tests.api.callers import caller
from tests.world import World

pytestmark = pytest.mark.usefixtures("db")


class Weighted(random.Random):
    """Chooses the one way that a test is about, and is never undecided."""

    def __init__(self, way: str = "", value: float = 0.5) -> None:
        super().__init__(1)
        self.way, self.value = way, value

    def choices(self, population: Any, *arguments: Any, **named: Any) -> Any:
        return [self.way]

    def random(self) -> float:
        return self.value


def through_the_api(username: str) -> Call:
    client = caller(username)

    def call(path: str, body: Mapping[str, Any] | None) -> Any:
        answer = client.get(path) if body is None else client.post(path, dict(body))
        if answer.status_code >= 400:
            raise RefusedError(answer.content.decode())
        return json.loads(answer.content)

    return call


def clerk(name: str, chance: random.Random) -> Clerk:
    return Clerk(name, through_the_api(name), role=CLERKS[name][1], chance=chance)


@pytest.fixture
def at_work(world: World) -> World:
    prepare.seed_clerks()
    return world


def held(world: World, **status: Any) -> ExceptionCase:
    """An order on credit hold, which is Ada's."""
    world.held_order()
    ExceptionCase.objects.update(owner=User.objects.get(username="ada"), **status)
    return ExceptionCase.objects.get()


def test_what_is_fresh_is_left_and_then_taken_up(at_work: World) -> None:
    case = held(at_work)
    ada = clerk("ada", Weighted(value=0.1))

    assert ada.act(case.opened_at + FRESH / 2) == ""
    assert (ada.act(case.opened_at + FRESH), ada.waiting) == ("acknowledge", 1)
    case.refresh_from_db()
    assert case.status == "acknowledged"


@pytest.mark.parametrize(
    ("way", "done", "status"),
    [("comment", "comment", "acknowledged"), ("snooze", "snooze", "snoozed"), ("resolve", "resolve", "resolved")],
)
def test_what_was_taken_up_is_worked_on(at_work: World, way: str, done: str, status: str) -> None:
    case = held(at_work, status="acknowledged")

    assert clerk("ada", Weighted(way)).act(datetime.now(UTC)) == done
    case.refresh_from_db()
    assert case.status == status


def test_where_nothing_is_suggested_it_is_commented_on(at_work: World) -> None:
    case = held(at_work, status="acknowledged")
    offered = through_the_api("ada")(f"exceptions/{case.pk}/actions/", None)

    assert clerk("ada", Weighted("apply")).act(datetime.now(UTC)) == ("apply" if offered else "comment")


@pytest.mark.parametrize(("value", "status"), [(0.1, "approved"), (0.9, "rejected")])
def test_approvals_are_decided_when_they_are_not_fresh_any_more(at_work: World, value: float, status: str) -> None:
    at_work.write("res.users", 15, login="lena", name="Lena Vogt", active=True, share=False)
    User.objects.filter(username="adam").update(is_active=False)
    at_work.held_order()
    request = Request.objects.get()
    lena = clerk("lena", Weighted(value=value))

    assert lena.act(request.requested_at + FRESH / 2) == ""
    assert lena.act(request.requested_at + FRESH) == {"approved": "approve", "rejected": "reject"}[status]
    request.refresh_from_db()
    assert request.decided_by is not None
    assert (request.status, request.decided_by.username) == (status, "lena")


def test_who_is_refused_turns_to_something_else(at_work: World) -> None:
    def refuse(path: str, body: Mapping[str, Any] | None) -> Any:
        raise RefusedError(path)

    assert Clerk("ada", refuse, role="operator", chance=random.Random(1)).act(datetime.now(UTC)) == ""


def test_the_more_waits_the_sooner_they_act() -> None:
    ada = Clerk("ada", lambda path, body: {"results": []}, role="operator", chance=random.Random(1))
    pauses = []
    for ada.waiting in (0, 10, 1_000):
        ada.chance = random.Random(1)
        pauses.append(ada.pause)
    assert pauses == sorted(pauses, reverse=True) and len(set(pauses)) == 3


def test_each_start_gives_each_clerk_one_token(at_work: World) -> None:
    first, second = prepare.seed_clerks(), prepare.seed_clerks()

    assert first.keys() == second.keys() == CLERKS.keys()
    assert ApiToken.objects.filter(name=prepare.CLERKS_TOKEN).count() == len(CLERKS)
    assert through_the_api("lena")("approvals/?status=pending", None)["results"] is not None
    assert {digest for token in second.values() for digest in [ApiToken.digest_of(token)]} == set(
        ApiToken.objects.filter(name=prepare.CLERKS_TOKEN).values_list("digest", flat=True)
    )

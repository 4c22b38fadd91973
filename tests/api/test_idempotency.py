"""A POST that is sent again has no second effect."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from apps.accounts.models import ApiToken, Role, Team
from apps.api import idempotency
from apps.api.models import IdempotencyKey
from apps.approvals.models import Request
from apps.core import clock
from apps.exceptions.models import Comment, ExceptionCase
from tests.api.callers import caller
from tests.world import World, person


@pytest.fixture
def number(world: World) -> int:
    world.held_order()
    return ExceptionCase.objects.get().pk


def test_the_same_key_gives_the_same_answer_and_one_effect(number: int) -> None:
    olga = caller("olga")
    first = olga.post(f"exceptions/{number}/comment/", {"text": "Called"}, key="a")
    again = olga.post(f"exceptions/{number}/comment/", {"text": "Called"}, key="a")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert "Idempotency-Replayed" not in first and again["Idempotency-Replayed"] == "true"
    assert again["Content-Type"].startswith("application/json")
    assert Comment.objects.count() == 1


def test_without_a_key_each_has_its_effect(number: int) -> None:
    for _ in range(2):
        caller("olga").post(f"exceptions/{number}/comment/", {"text": "Called"})
    assert Comment.objects.count() == 2


def test_the_same_key_for_another_body_or_another_address_is_refused(number: int) -> None:
    olga = caller("olga")
    olga.post(f"exceptions/{number}/comment/", {"text": "Called"}, key="a")
    for address, body in [("comment", {"text": "Called again"}), ("acknowledge", {"text": "Called"})]:
        answer = olga.post(f"exceptions/{number}/{address}/", body, key="a")
        assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert Comment.objects.count() == 1


def test_each_caller_has_keys_of_their_own(number: int) -> None:
    for name in ["olga", "mia"]:
        assert caller(name).post(f"exceptions/{number}/comment/", {"text": "Called"}, key="a").status_code == 200
    assert Comment.objects.count() == 2


def test_a_conflict_is_told_again_as_a_problem(number: int) -> None:
    olga = caller("olga")
    olga.post(f"exceptions/{number}/resolve/", {"resolution": "Paid"})
    answers = [olga.post(f"exceptions/{number}/acknowledge/", key="a") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [409, 409]
    assert answers[1]["Idempotency-Replayed"] == "true"
    assert answers[1]["Content-Type"] == "application/problem+json"


def test_a_fault_may_be_mended_under_the_same_key(number: int) -> None:
    olga = caller("olga")
    assert olga.post(f"exceptions/{number}/comment/", {}, key="a").status_code == 400
    assert olga.post(f"exceptions/{number}/comment/", {"text": "Called"}, key="a").status_code == 200
    assert IdempotencyKey.objects.count() == 1


def test_a_token_that_was_revoked_gets_no_answer_again(number: int) -> None:
    olga = caller("olga")
    assert olga.post(f"exceptions/{number}/comment/", {"text": "Called"}, key="a").status_code == 200
    ApiToken.objects.update(revoked_at=clock.now())
    assert olga.post(f"exceptions/{number}/comment/", {"text": "Called"}, key="a").status_code == 401


def test_a_key_that_is_too_long_is_refused(number: int) -> None:
    assert caller("olga").post(f"exceptions/{number}/comment/", {"text": "Called"}, key="k" * 256).status_code == 400


@pytest.mark.django_db(transaction=True)
def test_two_at_once_have_one_effect() -> None:
    person("olga", Role.OPERATOR)
    Team.objects.get_or_create(slug="finance", defaults={"name": "Finance"})
    World().order(amount=6_200)
    olga = caller("olga")
    body = {"kind": "credit_override", "model": "sale.order", "odoo_id": 42, "reason": "Good customer"}

    def send(_: int) -> Any:
        try:
            return olga.post("approvals/", body, key="once")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(4)))
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.content for answer in answers}) == 1
    assert sorted("Idempotency-Replayed" in answer for answer in answers) == [False, True, True, True]
    assert Request.objects.count() == 1


def test_an_answer_is_forgotten_when_nobody_will_ask_again(number: int) -> None:
    caller("olga").post(f"exceptions/{number}/comment/", {"text": "Called"}, key="a")
    made = IdempotencyKey.objects.get().created_at
    assert idempotency.forget_old(now=made + idempotency.KEPT_FOR) == 0
    assert idempotency.forget_old(now=made + idempotency.KEPT_FOR + timedelta(seconds=1)) == 1

"""Home, boards and records, as a browser asks for them."""

from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.core import clock
from tests.world import World


@pytest.fixture
def held(world: World) -> World:
    world.now = clock.now() - timedelta(minutes=10)
    world.owes(1_000)
    world.held_order(amount=6_200)
    return world


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


def page(name: str, path: str) -> str:
    answer = signed_in(name).get(path)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return answer.content.decode()


def test_home_tells_an_approver_that_a_decision_waits(held: World) -> None:
    assert "1 decision waits for you." in page("adam", "/")


def test_home_tells_an_operator_of_what_nobody_owns(held: World) -> None:
    assert "Nothing waits for you." in page("olga", "/") or "is yours." in page("olga", "/")


def test_the_board_counts_the_held_order_in_its_stage(held: World) -> None:
    text = page("mia", "/boards/order_to_cash/")
    assert 'id="stage-credit_review"' in text
    assert "Credit review" in page("mia", "/boards/")


def test_the_stage_leads_to_the_record(held: World) -> None:
    assert "/records/main/sale.order/42/" in page("mia", "/boards/order_to_cash/credit_review/")


def test_the_record_tells_where_it_stands_what_holds_it_up_and_what_happened(held: World) -> None:
    text = page("mia", "/records/main/sale.order/42/")
    for part in ("Credit review", "over the credit limit", "asked for the approval", "opened the exception", "Open in Odoo"):
        assert part in text


@pytest.mark.parametrize("path", ["/boards/nonsense/", "/boards/order_to_cash/nonsense/", "/records/main/sale.order/9999/",
                                  "/records/nobody/sale.order/42/"])  # fmt: skip
def test_what_is_not_there_is_a_page_that_says_so(held: World, path: str) -> None:
    assert signed_in("mia").get(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/approvals/", "/exceptions/", "/boards/", "/notifications/", "/connections/"])
def test_whoever_is_not_signed_in_is_asked_to(db: None, path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("path", ["/", "/approvals/", "/exceptions/", "/boards/", "/boards/order_to_cash/",
                                  "/records/main/sale.order/42/", "/notifications/", "/connections/"])  # fmt: skip
def test_no_page_carries_a_style_or_script_that_the_policy_forbids(held: World, path: str) -> None:
    text = page("mia", path)
    assert " style=" not in text
    assert " onclick=" not in text
    assert "<script>" not in text

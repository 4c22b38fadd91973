"""The approval pages, as a browser asks for them."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.models import Role, User
from apps.approvals.inbox import screens
from apps.approvals.models import Request, Status
from apps.approvals.requests import moves
from apps.core import clock
from tests.world import World, person


@pytest.fixture
def asked(world: World) -> Request:
    world.now = clock.now() - timedelta(minutes=10)
    world.owes(1_000, due_days_ago=12)
    world.held_order(amount=6_200)
    return Request.objects.get()


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


def form_of(client: Client, asked: Request) -> dict[str, str]:
    page = client.get(f"/approvals/{asked.id}/").content.decode()
    return {name: re.search(rf'name="{name}" value="([^"]+)"', page)[1] for name in ("token", "facts")}


def test_the_inbox_shows_what_waits_for_this_person_and_what_it_is_about(asked: Request) -> None:
    page = signed_in("adam").get("/approvals/").content.decode()
    assert "1 approval to decide" in page
    assert "S00042 · Azure Interior" in page
    assert "12 days overdue" in page


def test_the_inbox_of_somebody_else_says_that_nothing_waits_for_them(asked: Request) -> None:
    page = signed_in("olga").get("/approvals/").content.decode()
    assert "all caught up" in page
    assert "Waiting for others" in page


def test_the_page_shows_the_rule_in_numbers_and_what_follows_from_each_answer(asked: Request) -> None:
    page = signed_in("adam").get(f"/approvals/{asked.id}/").content.decode()
    for text in ("7,200.00", "5,000.00", "2,200.00", "Confirm the order", "Keep the order held", "version 1"):
        assert text in page


def test_looking_at_the_address_that_decides_decides_nothing(asked: Request) -> None:
    assert signed_in("adam").get(f"/approvals/{asked.id}/decide/?decision=approve").status_code == 405
    asked.refresh_from_db()
    assert asked.status == Status.PENDING


def test_an_approval_by_form_settles_the_request_and_shows_what_odoo_is_told(asked: Request) -> None:
    client = signed_in("adam")
    data = form_of(client, asked) | {"decision": "approve", "reason": "Good payer"}
    answer = client.post(f"/approvals/{asked.id}/decide/", data, follow=True)
    page = answer.content.decode()
    assert "Approved by Adam" in page
    assert "Confirm the order" in page and "Queued" in page


def test_a_rejection_without_a_reason_is_sent_back_with_a_sentence(asked: Request) -> None:
    client = signed_in("adam")
    answer = client.post(f"/approvals/{asked.id}/decide/", form_of(client, asked) | {"decision": "reject", "reason": " "})
    assert answer.status_code == 422
    assert "a rejection needs one" in answer.content.decode()


def test_the_same_form_sent_twice_has_no_second_effect_and_no_complaint(asked: Request) -> None:
    client = signed_in("adam")
    data = form_of(client, asked) | {"decision": "reject", "reason": "Pay first"}
    client.post(f"/approvals/{asked.id}/decide/", data)
    again = client.post(f"/approvals/{asked.id}/decide/", data, follow=True)
    assert again.status_code == 200
    assert 'role="alert"><svg' not in again.content.decode()


def test_whoever_comes_second_is_told_who_was_first(asked: Request) -> None:
    client = signed_in("adam")
    data = form_of(client, asked) | {"decision": "approve"}
    User.objects.filter(username="mia").update(role=Role.APPROVER)
    person("berta", Role.APPROVER, limit=50_000)
    moves.reject(asked.id, by=User.objects.get(username="adam"), reason="No", now=clock.now())
    answer = client.post(f"/approvals/{asked.id}/decide/", data)
    assert answer.status_code == 409
    assert "rejected by Adam" in answer.content.decode()


def test_a_decision_on_facts_that_have_changed_is_asked_for_again(asked: Request) -> None:
    client = signed_in("adam")
    data = form_of(client, asked) | {"decision": "approve"}
    Request.objects.filter(id=asked.id).update(context=asked.context | {"exposure": "9900.00"})
    answer = client.post(f"/approvals/{asked.id}/decide/", data)
    assert answer.status_code == 409
    assert "facts have changed" in answer.content.decode()


def test_who_may_not_decide_sees_disabled_buttons_and_the_sentence_why(asked: Request) -> None:
    page = signed_in("olga").get(f"/approvals/{asked.id}/").content.decode()
    assert "may not decide approvals" in page
    assert 'name="decision"' not in page


def test_a_live_update_gets_the_same_partial_as_the_first_load(asked: Request) -> None:
    client = signed_in("adam")
    part = client.get("/approvals/", headers={"X-Fragment": "1"}).content.decode()
    assert "<html" not in part
    assert "S00042 · Azure Interior" in part


def test_the_exposure_bar_ends_where_the_numbers_say() -> None:
    bar = screens.exposure_of(
        {
            "credit_limit": "5000",
            "open_invoices": "1000",
            "draft_invoices": "0",
            "open_orders": "500",
            "this_order": "4500",
            "exposure": "6000",
        }
    )
    assert bar is not None
    assert (bar.excess, bar.share) == (1000, 120)
    assert bar.segments[-1].x + bar.segments[-1].width == pytest.approx(1000 / 1.02, abs=0.2)
    assert bar.limit_x == pytest.approx(1000 / 1.02 * 5 / 6, abs=0.2)


def test_who_has_just_decided_can_undo_on_the_page(asked: Request) -> None:
    client = signed_in("adam")
    data = form_of(client, asked) | {"decision": "approve"}
    page = client.post(f"/approvals/{asked.id}/decide/", data, follow=True).content.decode()
    assert f'action="/approvals/{asked.id}/undo/"' in page
    page = client.post(f"/approvals/{asked.id}/undo/", follow=True).content.decode()
    assert "nothing was sent" in page
    asked.refresh_from_db()
    assert asked.status == Status.PENDING


def test_a_decision_sent_by_script_is_answered_in_words(asked: Request) -> None:
    client = signed_in("adam")
    data = form_of(client, asked) | {"decision": "approve"}
    answer = client.post(f"/approvals/{asked.id}/decide/", data, headers={"Accept": "application/json"})
    assert (answer.status_code, "is saved" in answer.json()["detail"]) == (200, True)
    again = client.post(f"/approvals/{asked.id}/decide/", data, headers={"Accept": "application/json"})
    assert again.status_code == 200
    late = client.post(f"/approvals/{asked.id}/decide/", data | {"token": "other"}, headers={"Accept": "application/json"})
    assert (late.status_code, "approved by Adam" in late.json()["detail"]) == (409, True)

"""A yes counts for what its giver saw, over REST and on the page, and no further."""

from decimal import Decimal
from typing import Any

import pytest

from apps.approvals.errors import FactsChangedError
from apps.approvals.models import Assignment, Request
from apps.approvals.requests import facts
from apps.approvals.requests.facts import Seen
from tests.api.callers import caller
from tests.approvals.reevaluation.credit import CREDIT, only, raised, save, say, step, user
from tests.world import World


def test_the_api_takes_what_was_seen_and_names_what_changed(world: World) -> None:
    world.held_order(amount=16_100)
    number = only().pk
    seen = caller("adam").get(f"approvals/{number}/").json()["facts_digest"]
    raised(world, 32_200)
    for body in ({"facts_digest": seen}, {"expected_amount": "16100.00"}, {}):
        answer = caller("adam").post(f"approvals/{number}/approve/", body)
        assert answer.status_code == 409, body
        assert "16,100.00" in answer.json()["detail"] and "32,200.00" in answer.json()["detail"]
        change = next(one for one in answer.json()["changes"] if one["fact"] == "amount")
        assert (Decimal(change["before"]), Decimal(change["now"])) == (16_100, 32_200)
    assert only().status == "pending"
    assert caller("adam").post(f"approvals/{number}/approve/", {"expected_amount": "32200"}).json()["status"] == "approved"


def test_a_digest_that_fits_is_taken_and_without_a_change_none_is_needed(world: World) -> None:
    world.held_order(amount=16_100)
    world.order(43, amount=7_000)
    world.ask(43, ask_id=901)
    first, second = Request.objects.order_by("pk")
    seen = caller("adam").get(f"approvals/{first.pk}/").json()["facts_digest"]
    assert caller("adam").post(f"approvals/{first.pk}/approve/", {"facts_digest": seen}).status_code == 200
    second.refresh_from_db()
    assert second.facts_changed_at is None
    assert caller("adam").post(f"approvals/{second.pk}/approve/").status_code == 200


def test_a_no_may_name_what_it_saw(world: World) -> None:
    world.held_order(amount=16_100)
    raised(world, 32_200)
    address = f"approvals/{only().pk}/reject/"
    assert caller("adam").post(address, {"reason": "No", "expected_amount": "16100"}).status_code == 409
    assert caller("adam").post(address, {"reason": "No"}).json()["status"] == "rejected"


def test_the_api_shows_who_approved_at_which_amount_and_whether_it_counts(world: World) -> None:
    save(world, CREDIT, step("Management", "role:manager"))
    world.held_order(amount=32_200)
    say(world, "adam")
    raised(world, 40_000)
    shown = caller("adam").get(f"approvals/{only().pk}/").json()
    answers = shown["steps"][0]["answers"]
    assert [(one["user"], one["decision"], one["amount"], one["counts"], one["is_asked"]) for one in answers] == [
        ("adam", "approved", "32200.00", False, False),
        ("adam", "", None, False, True),
    ]
    assert answers[0]["why"] == "Adam approved 32,200.00 EUR; it is now 40,000.00 EUR"
    assert shown["approvers"] == ["adam"]


def test_the_page_and_the_inbox_show_it(world: World, client: Any) -> None:
    save(world, CREDIT, step("Management", "role:manager"))
    world.held_order(amount=32_200)
    say(world, "adam")
    raised(world, 40_000)
    client.force_login(user("adam"))
    why = "Adam approved 32,200.00 EUR; it is now 40,000.00 EUR"
    page = client.get(f"/approvals/{only().pk}/").content.decode()
    assert why in page and "Changed since the request" in page and "no longer counts" in page
    assert why in client.get("/approvals/").content.decode()


def test_the_comparison_is_made_under_the_lock(world: World) -> None:
    world.held_order(amount=16_100)
    seen = Seen(digest=facts.digest(only()))
    raised(world, 32_200)
    with pytest.raises(FactsChangedError):
        say(world, "adam", seen=seen)
    assert not Assignment.objects.exclude(decision="").exists()

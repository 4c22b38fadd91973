"""Many at a time: only what the policy marks as safe, each by its own rules."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.approvals.policies import policy
from apps.core import clock
from apps.outbox.models import Command
from tests.world import World

LEVEL = {"ask": {"role": "approver"}, "within_minutes": 600}
STEPS = [{"name": "Credit control", "levels": [LEVEL], "fallback": "expire"}]
BULK = {"up_to_amount": "6500", "when": [{"fact": "overdue_days", "at_most": 0}]}


@pytest.fixture
def three(world: World) -> World:
    """Two small requests of a calm customer, and one large."""
    world.now = clock.now() - timedelta(minutes=5)
    policy.save("credit_override", {"steps": STEPS, "bulk": BULK}, by=User.objects.get(username="mia"), now=world.now)
    for number, amount in ((41, 5_200), (42, 6_200), (43, 9_000)):
        world.customer(number, name=f"Customer {number}", credit_limit=5_000)
        world.order(number, amount=amount, partner=number)
        world.ask(number, ask_id=900 + number)
    return world


def adam() -> Client:
    client = Client()
    client.force_login(User.objects.get(username="adam"))
    return client


def ticks(page: str) -> list[str]:
    return re.findall(r'name="chosen" value="([^"]+)"', page)


def token(page: str) -> str:
    return re.search(r'name="token" value="([^"]+)"', page)[1]


def statuses() -> dict[int, str]:
    return dict(Request.objects.values_list("odoo_id", "status"))


def test_only_what_its_policy_marks_can_be_ticked(three: World) -> None:
    offered = {int(tick.split(":")[0]) for tick in ticks(adam().get("/approvals/").content.decode())}
    assert offered == set(Request.objects.filter(odoo_id__in=[41, 42]).values_list("pk", flat=True))


def test_what_was_ticked_is_approved_and_can_be_undone_together(three: World) -> None:
    client = adam()
    page = client.get("/approvals/").content.decode()
    after = client.post("/approvals/bulk/", {"chosen": ticks(page), "token": token(page)}).content.decode()
    assert statuses() == {41: "approved", 42: "approved", 43: "pending"}
    assert Command.objects.filter(not_before__gt=clock.now()).exists()
    numbers = re.findall(r'name="request" value="(\d+)"', after)
    client.post("/approvals/bulk/undo/", {"request": numbers})
    assert set(statuses().values()) == {"pending"}


def test_a_form_that_is_made_up_approves_nothing_that_is_not_safe(three: World) -> None:
    large = Request.objects.get(odoo_id=43)
    page = adam().post("/approvals/bulk/", {"chosen": [f"{large.pk}:whatever", "x:y", "9999999:z"], "token": "t"})
    assert "does not allow bulk approval" in page.content.decode()
    assert statuses()[43] == "pending"


def test_one_that_is_refused_stops_no_other_and_says_why(three: World) -> None:
    client = adam()
    page = client.get("/approvals/").content.decode()
    changed = Request.objects.get(odoo_id=41)
    Request.objects.filter(pk=changed.pk).update(context=changed.context | {"exposure": "5300.00"})
    after = client.post("/approvals/bulk/", {"chosen": ticks(page), "token": token(page)}).content.decode()
    assert "facts have changed" in after
    assert statuses() == {41: "pending", 42: "approved", 43: "pending"}


def test_a_limit_holds_in_a_crowd_too(three: World) -> None:
    client = adam()
    page = client.get("/approvals/").content.decode()
    User.objects.filter(username="adam").update(approval_limit=6_000)
    after = client.post("/approvals/bulk/", {"chosen": ticks(page), "token": token(page)}).content.decode()
    assert "your limit is 6,000.00" in after
    assert statuses() == {41: "approved", 42: "pending", 43: "pending"}


@pytest.mark.parametrize("bulk", [{}, {"up_to_amount": "much"}, {"up_to_amount": -1}, [], {"up_to_amount": 5, "when": [{}]}])
def test_a_mark_that_cannot_be_is_refused(world: World, bulk: object) -> None:
    with pytest.raises(policy.PolicyError):
        policy.check("credit_override", {"steps": STEPS, "bulk": bulk})

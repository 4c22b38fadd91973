"""A policy as a form: what it describes, what it would have meant, and how it becomes a version."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.access import EVERYTHING, NOTHING
from apps.accounts.models import Role, User
from apps.approvals.models import Policy, Request
from apps.approvals.policies import editing, policy, preview
from apps.core import clock
from tests.world import World, person

PAGE = "/approvals/policies/credit_override/"
FORM = {
    "version": "1",
    "steps": "2",
    "note": "Large ones twice",
    "step-0-name": "Credit control",
    "step-0-fallback": "expire",
    "step-0-levels": "1",
    "step-0-from_amount": "",
    "step-0-level-0-ask": "role:approver",
    "step-0-level-0-within": "240",
    "step-0-level-0-remind": "120",
    "step-1-name": "Management",
    "step-1-fallback": "reject",
    "step-1-levels": "1",
    "step-1-from_amount": "7000",
    "step-1-needs_all": "on",
    "step-1-when-0-fact": "overdue_days",
    "step-1-when-0-test": "at_most",
    "step-1-when-0-value": "30",
    "step-1-level-0-ask": "role:manager",
    "step-1-level-0-within": "60",
    "bulk-up_to_amount": "6500",
}
RULES: dict[str, Any] = {
    "steps": [
        {
            "name": "Credit control",
            "fallback": "expire",
            "levels": [{"ask": {"role": "approver"}, "within_minutes": 240, "remind_after_minutes": 120}],
        },
        {
            "name": "Management",
            "fallback": "reject",
            "from_amount": "7000",
            "needs_all": True,
            "when": [{"fact": "overdue_days", "at_most": "30"}],
            "levels": [{"ask": {"role": "manager"}, "within_minutes": 60}],
        },
    ],
    "bulk": {"up_to_amount": "6500"},
}


@pytest.fixture
def month(world: World) -> World:
    """Two requests of this month and one order that needed none; a request from long ago."""
    world.now = clock.now() - timedelta(days=2)
    for number, amount in ((41, 6_200), (42, 8_000), (44, 9_000)):
        world.order(number, amount=amount)
        world.ask(number, ask_id=900 + number)
    world.order(43, amount=100)
    Request.objects.filter(odoo_id=44).update(requested_at=world.now - timedelta(days=40))
    return world


def client(name: str) -> Client:
    made = Client()
    made.force_login(User.objects.get(username=name))
    return made


def test_a_form_and_its_rules_say_the_same(world: World) -> None:
    assert editing.rules_of(FORM) == RULES
    policy.check("credit_override", RULES)


def test_the_form_says_what_counts_together() -> None:
    form = FORM | {"cumulative-over_days": "7", "cumulative-person": "on"}
    assert editing.rules_of(form) == RULES | {"cumulative": {"over_days": 7, "per": ["person"]}}
    assert editing.rules_of(FORM | {"cumulative-over_days": "soon"})["cumulative"] == {"over_days": "soon", "per": []}


def test_the_small_buttons_change_the_draft_and_nothing_else() -> None:
    assert len(editing.changed(RULES, "add-step")["steps"]) == 3
    assert [step["name"] for step in editing.changed(RULES, "drop-step:0")["steps"]] == ["Management"]
    assert len(editing.changed(RULES, "add-level:1")["steps"][1]["levels"]) == 2
    assert editing.changed(RULES, "drop-level:0:0")["steps"][0]["levels"] == []
    for act in ("drop-step:9", "drop-step:x", "add-level", "nonsense"):
        assert editing.changed(RULES, act) == RULES


def test_a_preview_counts_what_the_same_rules_would_have_asked_for(month: World) -> None:
    found = preview.preview("credit_override", RULES, access_scope=EVERYTHING, now=clock.now())
    assert (found.records, found.asked, found.bulk) == (4, 2, 1)
    assert [(step.name, step.needed, step.nobody) for step in found.steps] == [("Credit control", 2, 0), ("Management", 1, 0)]
    assert found.sentence == "With this policy, of the last 30 days' 4 records would have needed: 2 Credit control, 1 Management."


def test_a_preview_shows_for_how_many_nobody_could_decide(month: World) -> None:
    User.objects.filter(username="adam").update(approval_limit=7_000)
    found = preview.preview("credit_override", RULES, access_scope=EVERYTHING, now=clock.now())
    assert [step.nobody for step in found.steps] == [1, 0]


def test_a_preview_asks_the_manager_of_each_record_and_no_other(month: World) -> None:
    by_manager = [{"ask": {"manager_of": "record"}, "within_minutes": 60}]
    rules = {"steps": [{"name": "Manager", "fallback": "expire", "levels": by_manager}]}
    person("nora", Role.MANAGER, limit=100_000, team="north")
    found = preview.preview("credit_override", rules, access_scope=EVERYTHING, now=clock.now())
    assert [(step.needed, step.nobody) for step in found.steps] == [(2, 2)]
    person("sofia", Role.OPERATOR, team="north", odoo_login="sofia")
    found = preview.preview("credit_override", rules, access_scope=EVERYTHING, now=clock.now())
    assert [(step.needed, step.nobody) for step in found.steps] == [(2, 0)]


def test_a_preview_tells_nothing_of_what_is_out_of_sight(month: World) -> None:
    found = preview.preview("credit_override", RULES, access_scope=NOTHING, now=clock.now())
    assert (found.records, found.asked, found.bulk) == (0, 0, 0)


def test_a_manager_looks_first_and_then_saves_a_version(month: World) -> None:
    mia = client("mia")
    page = mia.post(PAGE, FORM | {"act": "preview"}).content.decode()
    assert "2 Credit control, 1 Management" in page
    assert Policy.objects.get(kind="credit_override").version == 1
    mia.post(PAGE, FORM | {"act": "save"})
    saved = Policy.objects.get(kind="credit_override", is_active=True)
    assert (saved.version, saved.rules, saved.note, saved.created_by) == (2, RULES, "Large ones twice", mia_())
    assert Request.objects.first().policy.version == 1


def mia_() -> User:
    return User.objects.get(username="mia")


def test_two_who_edit_at_once_do_not_overwrite_each_other(month: World) -> None:
    client("mia").post(PAGE, FORM | {"act": "save"})
    answer = client("mia").post(PAGE, FORM | {"act": "save", "note": "Other"})
    assert (answer.status_code, "saved meanwhile" in answer.content.decode()) == (422, True)
    assert Policy.objects.filter(kind="credit_override").count() == 2


def test_what_cannot_be_is_said_and_the_draft_stays(world: World) -> None:
    answer = client("mia").post(PAGE, FORM | {"act": "save", "step-1-level-0-within": "soon"})
    page = answer.content.decode()
    assert (answer.status_code, "within_minutes must be a whole number" in page, 'value="soon"' in page) == (422, True, True)


def test_who_may_not_make_policies_may_look_and_not_save(world: World) -> None:
    adam = client("adam")
    assert "may not change policies" in adam.get(PAGE).content.decode()
    assert adam.post(PAGE, FORM | {"act": "save"}).status_code == 403
    assert not Policy.objects.filter(version=2).exists()
    assert adam.get("/approvals/policies/").status_code == 200
    assert adam.get("/approvals/policies/nonsense/").status_code == 404


def test_the_reasons_to_choose_from_are_kept_a_kind_and_offered_on_the_request(month: World) -> None:
    texts = {"act": "reasons", "reasons-approve": "Good payer\n\n  Prepaid ", "reasons-reject": "Pay first"}
    assert client("adam").post(PAGE, texts).status_code == 403
    page = client("mia").post(PAGE, texts, follow=True).content.decode()
    assert "Good payer\nPrepaid</textarea>" in page
    asked = Request.objects.filter(kind="credit_override", status="pending").latest("id")
    shown = client("adam").get(f"/approvals/{asked.pk}/").content.decode()
    assert 'data-text="Prepaid"' in shown and 'data-text="Pay first"' in shown


def test_a_request_says_why_its_steps_are_there(world: World) -> None:
    policy.save("credit_override", RULES, by=mia_(), now=world.now)
    world.order(42, amount=8_000)
    world.ask(42)
    page = client("adam").get(f"/approvals/{Request.objects.get().pk}/").content.decode()
    assert "for every request" in page
    assert "from 7,000.00 EUR and days overdue, oldest at most 30" in page

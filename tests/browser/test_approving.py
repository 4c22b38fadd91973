"""Approving on a phone: by thumb, with an undo, and on a bad line."""

import json
import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.approvals.policies import policy
from apps.approvals.requests import moves
from apps.core import clock, wording
from tests.browser.conftest import DESKTOP, PHONE, Server, Visit, elsewhere
from tests.world import World

TABLET = {"width": 768, "height": 1024}


def status() -> str:
    return elsewhere(lambda: Request.objects.get().status)


def card(visit: Visit, size: dict[str, int] = PHONE) -> Page:
    page = visit("adam", f"/approvals/{elsewhere(lambda: Request.objects.get().id)}/", size=size)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    return page


def test_a_decision_is_taken_and_taken_back(visit: Visit, world: World) -> None:
    page = card(visit)
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#decided-h")).to_have_text("Approved by Adam")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#main").get_by_text("Undone.")).to_be_visible()
    assert status() == "pending"


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_after_a_decision_undo_is_in_sight_focused_and_said(visit: Visit, world: World, size: dict[str, int]) -> None:
    page = card(visit, size)
    reason = page.get_by_label("Reason")
    reason.scroll_into_view_if_needed()
    reason.fill("Pays by Friday")
    page.get_by_role("button", name="Reject", exact=True).click()
    heading = page.locator("#decided-h")
    expect(heading).to_have_text("Rejected by Adam")
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_in_viewport(ratio=1)
    expect(page.locator("#undo")).to_be_focused()
    expect(page.locator("#said")).to_contain_text("Rejected by Adam")
    expect(heading).to_be_in_viewport(ratio=1)
    page.keyboard.press("Tab")
    expect(undo).to_be_focused()
    # Who stands on Undo as its time ends stands on the decision then, not nowhere.
    expect(page.locator("#undo")).to_have_count(0)
    expect(heading).to_be_focused()


def test_a_decision_that_did_not_count_is_said_where_the_eye_is(visit: Visit, world: World) -> None:
    page = card(visit)
    asked = elsewhere(lambda: Request.objects.get())
    page.get_by_label("Reason").fill("Fine")
    elsewhere(lambda: Request.objects.filter(pk=asked.pk).update(context=asked.context | {"exposure": "9900.00"}))
    page.get_by_role("button", name="Approve").click()
    expect(page.locator(".unsent-row")).to_be_in_viewport()
    expect(page.locator(".unsent-row")).to_be_focused()
    expect(page.locator("#said")).to_contain_text("facts have changed")
    expect(page.get_by_label("Reason")).to_have_value("Fine")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#decided-h")).to_have_text("Approved by Adam")


def test_a_decision_taken_offline_is_shown_as_not_sent_and_sent_when_back(visit: Visit, world: World) -> None:
    page = card(visit)
    page.context.set_offline(True)
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("ct-unsent")).to_contain_text("Approve S00042: not yet sent")
    assert status() == "pending"
    page.context.set_offline(False)
    expect(page.locator("ct-unsent")).to_contain_text("Approve S00042: sent.")
    expect(page.locator("#decided-h")).to_have_text("Approved by Adam")
    assert status() == "approved"


def test_what_was_decided_offline_and_came_too_late_is_told_so(visit: Visit, world: World) -> None:
    page = card(visit)
    page.context.set_offline(True)
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("ct-unsent")).to_contain_text("not yet sent")
    asked = elsewhere(lambda: Request.objects.get())
    elsewhere(lambda: moves.reject(asked.pk, by=User.objects.get(username="adam"), reason="Pay first", now=clock.now()))
    page.context.set_offline(False)
    expect(page.locator("ct-unsent")).to_contain_text("not accepted. This request was rejected by Adam")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator("ct-unsent")).to_be_empty()
    assert status() == "rejected"


def test_an_answer_that_is_lost_is_asked_for_again_and_counts_once(visit: Visit, world: World) -> None:
    page = card(visit)
    lost = []

    def lose(route: object) -> None:
        route.fetch()  # type: ignore[attr-defined]  # the server takes it
        lost.append(route.abort())  # type: ignore[attr-defined]  # and the phone does not hear of it

    page.route(re.compile("/decide/"), lose, times=1)
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("ct-unsent")).to_contain_text(": sent.")
    assert lost
    assert elsewhere(lambda: Request.objects.get().steps.get().assignments.get().decision) == "approved"


def test_without_a_connection_the_app_shows_its_own_page_and_nothing_of_anybody(visit: Visit, world: World) -> None:
    page = card(visit)
    page.reload()  # under the worker from here on
    page.context.set_offline(True)
    page.goto("/approvals/")
    expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    kept = page.evaluate(
        "caches.keys().then((names) => Promise.all(names.map((name) => caches.open(name).then((one) => one.keys()))))"
        ".then((all) => all.flat().map((request) => new URL(request.url).pathname))"
    )
    of_nobody = ("/offline/", wording.address())
    assert kept and all(path in of_nobody or path.startswith("/static/") for path in kept), kept


def test_somebody_else_on_the_same_device_neither_sees_nor_sends_it(visit: Visit, world: World, server: Server) -> None:
    page = card(visit)
    page.context.set_offline(True)
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("ct-unsent")).to_contain_text("not yet sent")
    page.evaluate(
        "const rows = JSON.parse(localStorage['ct-unsent']); rows[0].person = '0';localStorage['ct-unsent'] = JSON.stringify(rows)"
    )
    page.context.set_offline(False)
    page.goto("/approvals/")
    expect(page.locator(".ask")).to_have_count(1)
    expect(page.locator("ct-unsent")).to_be_empty()
    assert status() == "pending"


def test_a_pushed_message_is_shown_and_knows_its_page(visit: Visit, world: World, server: Server) -> None:
    page = card(visit)
    page.context.grant_permissions(["notifications"])
    devtools = page.context.new_cdp_session(page)
    versions: list[dict[str, Any]] = []
    devtools.on("ServiceWorker.workerRegistrationUpdated", lambda event: versions.extend(event["registrations"]))
    devtools.send("ServiceWorker.enable")
    message = {"title": "Your decision: S00042", "body": "Azure Interior", "path": "/approvals/1/", "tag": "/approvals/1/"}
    shown: list[dict[str, str]] = []
    deadline = time.monotonic() + 60
    # The browser tells of the worker, and hands it a message, when it comes to it; of one tag it shows one, however often it comes.
    while not shown:
        assert time.monotonic() < deadline, versions
        page.wait_for_timeout(100)
        if known := [one["registrationId"] for one in versions if not one["isDeleted"]]:
            told = {"origin": server.url, "registrationId": known[-1], "data": json.dumps(message)}
            devtools.send("ServiceWorker.deliverPushMessage", told)
        shown = page.evaluate(
            "navigator.serviceWorker.getRegistration().then((one) => one ? one.getNotifications() : [])"
            ".then((all) => all.map((each) => ({title: each.title, path: each.data.path})))"
        )
    assert shown == [{"title": "Your decision: S00042", "path": "/approvals/1/"}]


def test_a_question_is_asked_on_a_phone_and_answered_on_a_desk(visit: Visit, world: World) -> None:
    page = card(visit)
    page.get_by_text("Request information").click()
    page.get_by_label("Question or requested change").fill("Who pays?")
    page.get_by_role("button", name="Request changes").click()
    expect(page.get_by_text("waiting for changes")).to_be_visible()
    desk = visit("olga", page.url.removeprefix(server_of(page)), size=DESKTOP)
    desk.get_by_label("Your answer").fill("The parent company")
    desk.get_by_role("button", name="Answer").click()
    expect(desk.get_by_text("The parent company")).to_be_visible()
    expect(page.get_by_text("The parent company")).to_be_visible(timeout=10_000)


def server_of(page: Page) -> str:
    return "/".join(page.url.split("/")[:3])


@pytest.mark.parametrize("size", [PHONE, TABLET, DESKTOP], ids=["phone", "tablet", "desktop"])
def test_what_a_policy_marks_is_approved_together(visit: Visit, world: World, size: dict[str, int]) -> None:
    step = {"name": "Credit", "levels": [{"ask": {"role": "approver"}, "within_minutes": 600}], "fallback": "expire"}
    rules = {"steps": [step], "bulk": {"up_to_amount": "10000"}}
    elsewhere(lambda: policy.save("credit_override", rules, by=User.objects.get(username="mia"), now=clock.now()))

    def another() -> None:
        world.now = clock.now()
        world.order(43, amount=7_000)
        world.ask(43, ask_id=943)

    elsewhere(another)
    page = visit("adam", "/approvals/", size=size)
    ticks = page.get_by_label("Select for bulk approval")
    expect(ticks).to_have_count(1)  # the one that began under the old version is decided alone
    ticks.check()
    page.get_by_role("button", name="Approve selected").click()
    expect(page.get_by_role("heading", name="Bulk approval: results")).to_be_visible()
    page.get_by_role("button", name="Undo all").click()
    expect(page.locator("#main").get_by_text("1 of 1 undone.")).to_be_visible()


def test_a_policy_is_looked_at_before_it_is_saved(visit: Visit, world: World) -> None:
    page = visit("mia", "/approvals/policies/credit_override/", size=PHONE)
    page.get_by_role("button", name="Step", exact=True).click()
    page.get_by_label("Name").last.fill("Management")
    page.get_by_label("From an amount of").last.fill("5000")
    page.get_by_role("button", name="Preview", exact=True).last.click()
    expect(page.locator("#preview")).to_contain_text("1 Credit control, 1 Management")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_text("Version 2 is in force.")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_buttons_lie_under_the_thumb(visit: Visit, world: World, theme: str) -> None:
    page = visit("adam", f"/approvals/{elsewhere(lambda: Request.objects.get().id)}/", size=PHONE, theme=theme)
    for name in ("Approve", "Reject"):
        box = page.get_by_role("button", name=name).bounding_box()
        assert box is not None and box["height"] >= 48 and box["y"] > PHONE["height"] * 0.7

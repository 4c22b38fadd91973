"""Pages that people keep open: they move by themselves, and recover by themselves."""

from datetime import timedelta

from playwright.sync_api import expect

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.approvals.requests import moves
from apps.core import clock, live
from apps.intake.models import Delivery
from tests.browser.conftest import PHONE, Server, Visit, elsewhere
from tests.world import World


def hold(world: World, order: int) -> None:
    world.now = clock.now() - timedelta(seconds=5)
    world.order(order, amount=7_000)
    world.ask(order, ask_id=900 + order)


def test_a_board_moves_by_itself_when_an_order_gets_stuck(visit: Visit, world: World) -> None:
    page = visit("mia", "/boards/order_to_cash/")
    count = page.locator("#stage-credit_review .lane-count")
    expect(count).to_have_text("1")
    expect(page.locator("ct-fresh")).to_have_attribute("data-state", "live")
    elsewhere(lambda: hold(world, 43))
    expect(count).to_have_text("2")


def test_an_inbox_shows_a_new_request_without_a_reload(visit: Visit, world: World) -> None:
    page = visit("adam", "/approvals/", size=PHONE)
    expect(page.locator(".ask")).to_have_count(1)
    expect(page.locator("ct-fresh")).to_have_attribute("data-state", "live")
    elsewhere(lambda: hold(world, 43))
    expect(page.locator(".ask")).to_have_count(2)


def test_a_page_that_lost_the_server_says_so_and_catches_up(visit: Visit, world: World, server: Server) -> None:
    page = visit("mia", "/boards/order_to_cash/")
    chip, count = page.locator("ct-fresh"), page.locator("#stage-credit_review .lane-count")
    expect(chip).to_have_attribute("data-state", "live")
    server.stop()
    expect(chip).to_have_attribute("data-state", "down")
    expect(chip).to_contain_text("reconnecting")
    elsewhere(lambda: hold(world, 43))
    server.start()
    expect(count).to_have_text("2")
    expect(chip).to_have_attribute("data-state", "live")


def test_what_somebody_types_survives_a_live_update(visit: Visit, world: World) -> None:
    asked = Request.objects.get()
    page = visit("adam", f"/approvals/{asked.id}/", size=PHONE)
    expect(page.locator("ct-fresh")).to_have_attribute("data-state", "live")
    page.fill("#reason", "Pays late, but pays")
    elsewhere(lambda: world.owes(500))
    expect(page.locator(".over").first).to_contain_text("154 %")
    expect(page.locator("#reason")).to_have_value("Pays late, but pays")


def test_a_button_that_has_the_focus_keeps_it_through_a_live_update(visit: Visit, world: World) -> None:
    def give_up(number: int) -> None:
        Delivery.objects.create(
            source="odoo",
            connection=world.connection,
            key=str(number),
            model="no.such.model",
            odoo_id=number,
            status="dead",
            received_at=clock.now(),
            not_before=clock.now(),
            processed_at=clock.now(),
        )
        live.announce(["health"])

    elsewhere(lambda: give_up(1))
    page = visit("ivan", "/health/")
    expect(page.locator("ct-fresh")).to_have_attribute("data-state", "live")
    page.get_by_role("button", name="Replay").focus()
    elsewhere(lambda: give_up(2))
    expect(page.get_by_role("button", name="Replay")).to_have_count(2)
    expect(page.get_by_role("button", name="Replay").nth(1)).to_be_focused()
    expect(page.locator("form.is-new")).to_have_count(0)


def test_what_is_missing_stays_said_through_a_live_update(visit: Visit, world: World) -> None:
    asked = Request.objects.get()
    page = visit("adam", f"/approvals/{asked.id}/", size=PHONE)
    expect(page.locator("ct-fresh")).to_have_attribute("data-state", "live")
    page.get_by_role("button", name="Reject", exact=True).click()
    expect(page.locator("#reason-missing")).to_be_visible()
    elsewhere(lambda: world.owes(500))
    expect(page.locator(".over").first).to_contain_text("154 %")
    expect(page.locator("#reason-missing")).to_be_visible()


def test_a_request_decided_elsewhere_closes_under_the_eyes_of_who_looks(visit: Visit, world: World) -> None:
    asked = Request.objects.get()
    page = visit("adam", f"/approvals/{asked.id}/")
    expect(page.locator("ct-fresh")).to_have_attribute("data-state", "live")
    elsewhere(lambda: moves.reject(asked.id, by=User.objects.get(username="adam"), reason="Pay first", now=clock.now()))
    expect(page.locator("#decided-h")).to_have_text("Rejected by Adam")


def test_a_decision_is_taken_on_a_phone(visit: Visit, world: World) -> None:
    page = visit("adam", "/", size=PHONE)
    page.get_by_role("link", name="S00042 · Azure Interior").click()
    page.get_by_role("button", name="Reject", exact=True).click()
    expect(page.locator("#reason-missing")).to_be_visible()
    expect(page.locator("#reason")).to_be_focused()
    box = page.get_by_role("button", name="Approve").bounding_box()
    assert box is not None and box["height"] >= 48
    page.fill("#reason", "Good payer")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#decided-h")).to_have_text("Approved by Adam")
    expect(page.locator(".progress-step").first).to_contain_text("Queued")

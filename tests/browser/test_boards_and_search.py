"""Boards, the wall, search and the record, as managers and operators use them in a browser."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, Visit, elsewhere
from tests.browser.test_live_pages import hold
from tests.world import World

TABLET = {"width": 768, "height": 1024}
LARGEST_FIRST_LOAD = 200_000


@pytest.mark.parametrize(("size", "theme"), [(PHONE, "dark"), (TABLET, "light"), (DESKTOP, "dark")])
def test_a_manager_goes_from_the_overview_to_the_record_that_waits(
    visit: Visit, world: World, size: dict[str, int], theme: str
) -> None:
    page = visit("mia", "/boards/", size=size, theme=theme)
    page.locator("#main").get_by_role("link", name="Order to cash").first.click()
    expect(page.locator("#bottleneck")).to_be_visible()
    expect(page.locator("#outlook-h")).to_have_text("Expected breaches")
    expect(page.get_by_role("link", name="Credit hold")).to_be_visible()
    page.locator("#stage-credit_review").click()
    page.get_by_role("link", name="S00042").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("S00042")
    expect(page.locator("#money-h")).to_be_visible()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_the_charts_are_drawn_after_the_page_and_lead_to_records(visit: Visit, world: World) -> None:
    page = visit("mia", "/boards/order_to_cash/flow/")
    expect(page.locator("ct-chart[data-drawn]").first).to_be_visible(timeout=20_000)
    assert page.locator(".heat a").count() >= 1
    buttons = page.get_by_role("button", name="Save the chart as PNG")
    names = set()
    # The heat map and the paths are drawn by the server, the others by Plotly.
    for number in range(buttons.count()):
        with page.expect_download() as saved:
            buttons.nth(number).click()
        assert Path(saved.value.path()).read_bytes().startswith(b"\x89PNG")
        names.add(saved.value.suggested_filename)
    assert {"order_to_cash-ages.png", "order_to_cash-paths.png", "order_to_cash-cumulative-flow.png"} <= names
    page.locator("#paths-h + span").wait_for()
    page.get_by_text("The figures as a table").first.click()
    page.locator("details[open] a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Transitions")
    expect(page.get_by_role("link", name="S00042").first).to_be_visible()


def test_somebody_finds_an_order_from_anywhere_without_the_mouse(visit: Visit, world: World) -> None:
    page = visit("olga", "/exceptions/")
    page.keyboard.press("/")
    expect(page.locator("#search-box")).to_be_focused()
    page.keyboard.type("0042")
    hit = page.locator("#search-hits .hit").first
    expect(hit).to_contain_text("S00042")
    page.keyboard.press("Escape")
    expect(page.locator("#search-hits")).to_be_hidden()
    page.locator("#search-box").press("End")
    page.keyboard.press("Backspace")
    expect(hit).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(hit).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/records/main/sale.order/42/"))


def test_somebody_finds_a_customer_on_a_phone(visit: Visit, world: World) -> None:
    page = visit("olga", "/", size=PHONE)
    page.get_by_role("link", name="Search", exact=True).click()
    page.get_by_role("searchbox").last.fill("azure")
    page.get_by_role("button", name="Search").click()
    page.locator(".search-page .hit", has_text="Azure Interior").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Azure Interior")
    expect(page.get_by_role("link", name="S00042", exact=True)).to_be_visible()


def test_the_wall_turns_stays_live_and_rests_when_told(visit: Visit, world: World) -> None:
    page = visit("mia", "/wall/?workflows=order_to_cash,invoicing&seconds=600")
    shown = page.locator(".slide:not([hidden]) h1")
    expect(shown).to_have_text("Order to cash")
    expect(page.locator("ct-fresh")).to_have_attribute("data-state", "live")
    elsewhere(lambda: hold(world, 43))
    expect(page.locator(".slide:not([hidden]) #stage-credit_review .lane-count")).to_have_text("2")
    page.keyboard.press("ArrowRight")
    expect(shown).to_have_text("Invoicing")
    page.keyboard.press(" ")
    expect(page.locator(".wall-pause")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("size", [{"width": 1920, "height": 1080}, {"width": 1366, "height": 768}])
def test_the_wall_shows_each_board_whole(visit: Visit, world: World, size: dict[str, int]) -> None:
    page = visit("mia", "/wall/?workflows=order_to_cash,invoicing,procure_to_pay&seconds=600", size=size)
    expect(page.locator(".wall-place")).to_have_text("1 of 3")
    for _ in range(3):
        root = page.locator("html")
        assert root.evaluate("(one) => one.scrollHeight <= innerHeight + 1 && one.scrollWidth <= innerWidth")
        assert root.evaluate("(one) => parseFloat(getComputedStyle(one).fontSize)") > 11
        page.keyboard.press("ArrowRight")


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_the_stage_a_record_is_in_is_seen_whole(visit: Visit, world: World, size: dict[str, int]) -> None:
    page = visit("mia", "/records/main/sale.order/42/", size=size)
    stage = page.locator(".track-stage[aria-current]")
    expect(stage).to_be_in_viewport(ratio=0.99)
    assert stage.locator(".track-words").evaluate("(one) => one.scrollWidth <= one.clientWidth + 1")
    track, box = page.locator(".track").bounding_box(), stage.bounding_box()
    assert track and box and box["x"] >= track["x"] - 1 and box["x"] + box["width"] <= track["x"] + track["width"] + 1


def test_the_paths_are_drawn_whole(visit: Visit, world: World) -> None:
    page = visit("mia", "/boards/order_to_cash/flow/")
    assert page.locator(".picture").evaluate("(one) => one.scrollWidth <= one.clientWidth + 1")


@pytest.mark.parametrize(
    "path",
    [
        "/boards/",
        "/boards/order_to_cash/",
        "/boards/order_to_cash/flow/",
        "/wall/",
        "/search/?q=s0",
        "/records/main/sale.order/42/",
    ],
)
def test_a_first_load_is_small_without_its_charts(visit: Visit, world: World, path: str) -> None:
    page = visit("mia", "/notifications/")
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: dict[str, float] = {}
    addresses: dict[str, str] = {}
    network.on("Network.responseReceived", lambda one: addresses.update({one["requestId"]: one["response"]["url"]}))
    network.on("Network.loadingFinished", lambda one: sizes.update({one["requestId"]: one["encodedDataLength"]}))
    page.goto(path)
    page.wait_for_load_state("load")
    expect(page.locator("h1").first).to_be_visible()
    total = sum(size for number, size in sizes.items() if "plotly-basic" not in addresses.get(number, ""))
    assert 0 < total < LARGEST_FIRST_LOAD, f"{path}: {total:,.0f} bytes"

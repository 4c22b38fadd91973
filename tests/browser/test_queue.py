"""The exception queue by hand and by key, in Chromium: at each size, live, alone and beside somebody else."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.core import clock
from apps.exceptions.bulk import jobs
from apps.exceptions.cases import moves
from apps.exceptions.models import ExceptionCase
from tests.browser.conftest import DESKTOP, PHONE, Visit, barriers, elsewhere
from tests.world import World

TABLET = {"width": 768, "height": 1024}


@pytest.fixture
def orders(world: World) -> World:
    """Three more orders on hold, each of more money than the one before."""
    elsewhere(lambda: [hold(world, number) for number in (43, 44, 45)])
    return world


def hold(world: World, order: int) -> None:
    world.now = clock.now() - timedelta(minutes=5)
    # Each of a customer of its own: what one has caused is one line.
    world.customer(1_000 + order, name="Azure Interior", credit_limit=5_000)
    world.order(order, amount=order * 300, partner=1_000 + order)
    world.ask(order, ask_id=900 + order)


def case_of(record: str) -> ExceptionCase:
    return elsewhere(lambda: ExceptionCase.objects.select_related("owner").get(record_name=record))


def live(page: Page) -> Page:
    expect(page.locator("ct-fresh")).to_have_attribute("data-state", "live")
    return page


def test_what_one_customer_has_caused_is_one_line_that_opens_beside_the_list(visit: Visit, world: World) -> None:
    def of_the_same() -> None:
        world.now = clock.now() - timedelta(minutes=5)
        world.order(43, amount=12_900)
        world.ask(43, ask_id=943)

    elsewhere(of_the_same)
    page = live(visit("olga", "/exceptions/"))
    expect(page.locator("tr[data-case]")).to_have_count(1)
    line = page.locator("tr.is-cause")
    expect(line).to_contain_text("Azure Interior")
    expect(line).to_contain_text("2 exceptions")
    line.locator(".row-link").click()
    expect(page.locator("#panel")).to_contain_text("What it holds up")
    expect(page.locator("#panel")).to_contain_text("S00043")
    page.reload()
    expect(page.locator("#panel")).to_contain_text("S00043")
    page.keyboard.press("Escape")
    page.select_option("select[name=group]", "none")
    expect(page.locator("tr[data-case]")).to_have_count(2)


def test_everything_is_done_by_key_and_undone(visit: Visit, orders: World) -> None:
    page = live(visit("olga", "/exceptions/"))
    rows = page.locator("tr[data-case]")
    expect(rows).to_have_count(4)
    # Sorted by what it costs: the most money, all being due alike.
    expect(rows.first).to_contain_text("S00045")
    page.keyboard.press("j")
    expect(rows.nth(0).locator(".row-link")).to_be_focused()
    page.keyboard.press("j")
    expect(rows.nth(1).locator(".row-link")).to_be_focused()
    page.keyboard.press("e")
    expect(page.locator(".toast")).to_contain_text("S00044: acknowledged")
    expect(rows.nth(1)).to_contain_text("Acknowledged")
    page.keyboard.press("z")
    expect(rows.nth(1)).to_contain_text("Open")
    page.keyboard.press("s")
    expect(page.locator("#do-snooze")).to_be_visible()
    page.get_by_role("button", name="4 hours").last.click()
    expect(page.locator(".toast").last).to_contain_text(": snoozed")
    page.keyboard.press("r")
    page.fill("#do-resolve input[name=resolution]", "Prepaid")
    page.keyboard.press("Enter")
    # What one resolves oneself leaves the list, and the next is at hand.
    expect(rows).to_have_count(3)
    expect(page.locator("tr.is-here")).to_have_count(1)
    assert case_of("S00044").resolution == "Prepaid"
    page.get_by_role("button", name="Undo").last.click()
    expect(page.locator("#news")).to_contain_text("1 new")


def test_the_keys_have_a_sheet_a_palette_and_an_off_switch(visit: Visit, orders: World) -> None:
    page = visit("olga", "/exceptions/")
    expect(page.locator("html.has-js")).to_have_count(1)
    page.keyboard.press("Control+k")
    palette = page.locator("#palette")
    palette.get_by_role("combobox").fill("board")
    expect(palette.get_by_role("option").first).to_contain_text("Boards")
    assert not barriers(page)
    page.keyboard.press("Escape")
    expect(palette).to_have_count(0)
    page.keyboard.press("?")
    sheet = page.locator("#keys-sheet")
    expect(sheet).to_contain_text("Snooze until")
    sheet.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("tr.is-here")).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()


def test_an_exception_opens_beside_the_list_in_the_address_and_back_restores(visit: Visit, orders: World) -> None:
    page = live(visit("olga", "/exceptions/?owner=me"))
    page.get_by_role("link", name="S00044").click()
    panel = page.locator("#panel")
    expect(panel.locator("h1")).to_contain_text("S00044")
    expect(panel.locator("#past-h")).to_be_visible()
    expect(panel.locator("#blocked-h")).to_be_visible()
    assert page.url.endswith(f"/exceptions/?owner=me&case={case_of('S00044').pk}")
    panel.get_by_role("button", name="Next exception").click()
    expect(panel.locator("h1")).to_contain_text("S00043")
    panel.locator("textarea[name=text]").fill("@mia what do you think?")
    panel.get_by_role("button", name="Comment").click()
    expect(panel.locator(".timeline")).to_contain_text("what do you think?")
    page.go_back()
    expect(panel).to_be_hidden()
    expect(page).to_have_url("http://" + page.url.split("/")[2] + "/exceptions/?owner=me")
    # The address of an open panel opens it for others.
    other = visit("olga", f"/exceptions/?case={case_of('S00042').pk}")
    expect(other.locator("#panel h1")).to_contain_text("S00042")


def test_new_rows_wait_behind_a_bar_and_no_row_moves(visit: Visit, orders: World) -> None:
    page = live(visit("olga", "/exceptions/"))
    rows = page.locator("tr[data-case]")
    expect(rows).to_have_count(4)
    third = rows.nth(2)
    before = third.bounding_box()
    elsewhere(lambda: hold(orders, 99))
    expect(page.locator("#news")).to_have_text("1 new")
    expect(rows).to_have_count(4)
    case = case_of("S00043")
    mia = elsewhere(lambda: User.objects.get(username="mia"))
    elsewhere(lambda: moves.assign(case.pk, owner=mia, by=mia, now=clock.now()))
    changed = page.locator(f"#case-{case.pk}")
    expect(changed).to_have_class("is-changed")
    expect(changed).to_contain_text("Mia")
    assert before is not None
    assert before["y"] <= third.bounding_box()["y"] <= before["y"] + 60  # type: ignore[index]
    page.locator("#news").click()
    expect(rows).to_have_count(5)
    expect(rows.first).to_contain_text("S00099")
    expect(page.locator("tr.is-new")).to_have_count(1)


def test_the_second_of_two_is_told_who_was_quicker(visit: Visit, orders: World) -> None:
    page = visit("olga", "/exceptions/")
    expect(page.locator("html.has-js")).to_have_count(1)
    case = case_of("S00045")
    # The page does not hear of it: what is tried is what it saw.
    page.evaluate("document.querySelector('.queue-live').refetch = () => {}")
    mia = elsewhere(lambda: User.objects.get(username="mia"))
    elsewhere(lambda: moves.assign(case.pk, owner=mia, by=mia, now=clock.now()))
    page.keyboard.press("j")
    page.keyboard.press("i")
    expect(page.locator(".toast.tone-late")).to_contain_text("Changed meanwhile (Mia")
    assert case_of("S00045").owner == mia


def test_many_are_done_as_one_job_that_says_what_became_of_each(visit: Visit, orders: World) -> None:
    page = live(visit("olga", "/exceptions/"))
    page.get_by_label("Select all on this page").check()
    bulk = page.locator("#bulk")
    expect(bulk).to_contain_text("4 selected")
    bulk.get_by_role("button", name="Resolve").click()
    page.fill("#do-resolve input[name=resolution]", "Duplicate")
    page.locator("#do-resolve button[type=submit]").click()
    toast = page.locator(".toast").last
    expect(toast.locator("progress")).to_be_visible()
    # There is no worker here: the test is it.
    elsewhere(lambda: jobs.work(now=clock.now()))
    expect(page.locator(".toast").last).to_contain_text("4 done")
    # What one did oneself leaves the list.
    expect(page.locator("tr[data-case]")).to_have_count(0)
    page.locator(".toast a").last.click()
    expect(page.locator("h1")).to_contain_text("4 exceptions resolved")
    page.get_by_role("button", name="Undo").click()
    elsewhere(lambda: jobs.work(now=clock.now()))
    expect(page.locator(".tab", has_text="Undone")).to_contain_text("4")


def test_a_view_is_saved_and_shared(visit: Visit, orders: World) -> None:
    page = visit("olga", "/exceptions/?amount=10000")
    page.get_by_text("Save view").click()
    page.get_by_label("Name").fill("Big ones")
    page.get_by_label("For", exact=True).select_option(label="Team Finance")
    page.locator(".save-view button.btn-main").click()
    expect(page.get_by_role("link", name="Big ones 3")).to_have_attribute("aria-current", "page")
    expect(visit("adam", "/exceptions/").get_by_role("link", name="Big ones 3")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, TABLET, DESKTOP], ids=["phone", "tablet", "desktop"])
def test_the_queue_is_whole_and_accessible_at_every_size(visit: Visit, orders: World, size: dict[str, int], theme: str) -> None:
    case = case_of("S00044")
    problems = []
    for path in ("/exceptions/", "/exceptions/?group=type", f"/exceptions/?case={case.pk}", f"/exceptions/{case.pk}/"):
        page = visit("olga", path, size=size, theme=theme)
        expect(page.locator("h1").first).to_be_visible()
        if "group" not in path and "case" not in path and path.endswith("exceptions/"):
            page.get_by_label("Select S00044").check()
            expect(page.locator("#bulk")).to_be_visible()
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            problems.append(f"{path}: wider than the screen")
        problems += [f"{path}: {found}" for found in barriers(page)]
        page.close()
    assert not problems, "\n".join(problems)


def test_on_a_phone_an_exception_is_a_page_of_its_own(visit: Visit, orders: World) -> None:
    page = visit("olga", "/exceptions/", size=PHONE)
    page.get_by_role("link", name="S00044").click()
    page.wait_for_url(f"**/exceptions/{case_of('S00044').pk}/")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".toast")).to_contain_text(": acknowledged")
    expect(page.locator(".badge", has_text="Acknowledged").first).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Acknowledge")).to_be_visible()


def test_on_a_phone_the_row_of_filters_does_not_cut_a_long_choice(visit: Visit, world: World) -> None:
    page = live(visit("olga", "/exceptions/", size=PHONE))
    page.locator(".pick-button").first.click()
    last = page.locator(".pick-option").nth(3)
    expect(last).to_be_visible()
    # What is cut is still in the document: what lies at its place tells.
    assert last.evaluate(
        """(option) => {
          const { x, y, width, height } = option.getBoundingClientRect();
          return option.contains(document.elementFromPoint(x + width / 2, y + height / 2));
        }"""
    )

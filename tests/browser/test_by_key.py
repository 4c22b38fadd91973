"""The keyboard on every page, the palette that finds records, folded groups, columns, and the comment box."""

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.audit.models import Entry
from apps.exceptions.models import Comment, ExceptionCase
from apps.notifications.models import Notification
from tests.browser.conftest import DESKTOP, PHONE, Visit, barriers, elsewhere
from tests.browser.test_queue import hold
from tests.world import World


@pytest.fixture
def orders(world: World) -> World:
    elsewhere(lambda: [hold(world, number) for number in (43, 44, 45)])
    return world


def ready(page: Page) -> Page:
    expect(page.locator("html.has-js")).to_have_count(1)
    return page


def test_g_and_a_letter_go_to_each_page_and_the_sheet_lists_them(visit: Visit, world: World) -> None:
    page = ready(visit("mia", "/"))
    for keys, path in (
        ("ge", "/exceptions/"),
        ("gb", "/boards/"),
        ("gl", "/health/"),
        ("gn", "/notifications/"),
        ("gc", "/connections/"),
        ("gh", "/"),
        ("ga", "/approvals/"),
    ):
        for key in keys:
            page.keyboard.press(key)
        page.wait_for_url(f"**{path}")
        ready(page)
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    for words in ("Go to Approvals", "Next entry", "Search"):
        expect(sheet).to_contain_text(words)
    assert not barriers(page)


@pytest.mark.parametrize("path", ["/approvals/", "/", "/exceptions/", "/approvals/?group=customer"])
def test_j_and_k_go_through_every_list_and_enter_opens(visit: Visit, orders: World, path: str) -> None:
    page = ready(visit("olga" if "exceptions" in path else "adam", path))
    page.keyboard.press("j")
    first = page.locator(".is-here")
    expect(first).to_have_count(1)
    here = first.inner_text()
    page.keyboard.press("j")
    expect(page.locator(".is-here")).not_to_have_text(here)
    page.keyboard.press("k")
    if path == "/exceptions/":
        page.keyboard.press("Enter")
        expect(page.locator("#panel h1")).to_be_visible()
        return
    page.keyboard.press("Enter")
    expect(page.locator(".split-decide h1").first).to_be_visible()


def test_a_refresh_leaves_the_mark_where_somebody_stands(visit: Visit, orders: World) -> None:
    page = ready(visit("adam", "/approvals/"))
    page.keyboard.press("j")
    page.keyboard.press("j")
    here = page.locator(".is-here")
    expect(here).to_have_count(1)
    before = here.get_attribute("id")
    page.evaluate("document.querySelector('ct-live[topic=inbox]').refresh()")
    assert here.get_attribute("id") == before
    # Whoever has clicked elsewhere meanwhile goes on from there all the same.
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("k")
    expect(here).not_to_have_id(before)


def test_the_palette_finds_records_from_any_page(visit: Visit, orders: World) -> None:
    page = ready(visit("mia", "/approvals/history/"))
    page.keyboard.press("Control+k")
    palette = page.locator("#palette")
    palette.get_by_role("combobox").fill("S00044")
    expect(palette.get_by_role("option", name="S00044")).to_be_visible()
    assert not barriers(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**/records/main/sale.order/44/")


def test_groups_fold_stay_folded_and_their_rows_are_passed_over(visit: Visit, orders: World) -> None:
    page = ready(visit("olga", "/exceptions/?group=type"))
    button = page.locator(".fold-button").first
    expect(page.locator("tr[data-case]").first).to_be_visible()
    button.click()
    expect(button).to_have_attribute("aria-expanded", "false")
    expect(page.locator("tbody.group").first.locator("tr[data-case]").first).to_be_hidden()
    page.reload()
    expect(page.locator("tbody.group").first.locator("tr[data-case]").first).to_be_hidden()
    ready(page).keyboard.press("+")
    expect(page.locator("tbody.group").first.locator("tr[data-case]").first).to_be_visible()


def test_columns_are_chosen_and_kept(visit: Visit, orders: World) -> None:
    page = ready(visit("olga", "/exceptions/"))
    expect(page.locator("th.col-promised")).to_be_hidden()
    page.get_by_text("Columns", exact=True).first.click()
    chooser = page.locator(".choose-columns")
    chooser.get_by_label("Promised").check()
    expect(page.locator("th.col-promised")).to_be_visible()
    chooser.get_by_label("Stage").uncheck()
    expect(page.locator("th.col-stage")).to_be_hidden()
    page.reload()
    expect(page.locator("th.col-promised")).to_be_visible()
    expect(page.locator("th.col-stage")).to_be_hidden()


@pytest.mark.parametrize("size", [DESKTOP, {"width": 1920, "height": 1080}], ids=["1440", "1920"])
def test_no_column_of_the_queue_is_cut(visit: Visit, orders: World, size: dict[str, int]) -> None:
    for path in ("/exceptions/", "/exceptions/?group=type"):
        page = visit("olga", path, size=size)
        wide = page.locator(".table-wrap").first.evaluate("one => [one.scrollWidth, one.clientWidth]")
        assert wide[0] <= wide[1], path
        for select in page.locator(".filters > label > select").all():
            assert select.evaluate("one => one.offsetWidth >= Math.min(one.scrollWidth, 224)")


def test_a_type_is_searched_among_its_workflows(visit: Visit, orders: World) -> None:
    page = ready(visit("olga", "/exceptions/"))
    page.get_by_role("button", name="Type: Any").click()
    listbox = page.get_by_role("listbox", name="Type")
    expect(listbox.get_by_role("group").first).to_be_visible()
    page.get_by_role("combobox", name="Search: Type").fill("credit hold")
    expect(listbox.get_by_role("option")).to_have_count(1)
    assert not barriers(page)
    page.keyboard.press("Enter")
    # Nothing that was not chosen stands in the address.
    page.wait_for_url("**/exceptions/?type=order.credit_hold")
    expect(page.get_by_role("button", name="Type: Credit hold")).to_be_visible()


def test_a_colleague_is_mentioned_by_key_and_told(visit: Visit, orders: World) -> None:
    case = elsewhere(lambda: ExceptionCase.objects.get(record_name="S00044"))
    page = ready(visit("olga", f"/exceptions/{case.pk}/"))
    page.keyboard.press("c")
    box = page.get_by_label("Comment")
    expect(box).to_be_focused()
    box.press_sequentially("Look @mi")
    people = page.get_by_role("listbox", name="People")
    expect(people.get_by_role("option")).to_have_count(1)
    assert not barriers(page)
    page.keyboard.press("Enter")
    expect(box).to_have_value("Look @mia ")
    page.keyboard.press("Escape")
    expect(box).not_to_be_focused()
    page.keyboard.press("c")
    box.press_sequentially("please")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".timeline")).to_contain_text("Look @mia please")
    assert elsewhere(lambda: Comment.objects.get().text) == "Look @mia please"
    assert elsewhere(lambda: Entry.objects.get(action="exception.commented").data["mentioned"]) == ["mia"]
    assert elsewhere(lambda: Notification.objects.filter(user=User.objects.get(username="mia"), kind="exception.mentioned").count())


def test_the_sentence_on_what_is_first_follows_the_queue(visit: Visit, orders: World) -> None:
    page = ready(visit("olga", "/exceptions/"))
    expect(page.locator("ct-fresh")).to_have_attribute("data-state", "live")
    expect(page.locator("#why-first")).to_contain_text("S00045")
    page.keyboard.press("j")
    page.keyboard.press("r")
    page.fill("#do-resolve input[name=resolution]", "Prepaid")
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-case]")).to_have_count(3)
    expect(page.locator("#why-first")).to_contain_text("S00044")


def test_notifications_are_chosen_in_a_table_that_fits(visit: Visit, world: World) -> None:
    for size in (PHONE, DESKTOP):
        page = visit("adam", "/notifications/choices/", size=size)
        head, box = (page.locator(one).first.bounding_box() for one in ("th.channel", ".table.channels td"))
        assert head and box and abs(head["x"] - box["x"]) < 2
        table, sheet = (page.locator(one).first.bounding_box() for one in (".table.channels", "section.table-wrap"))
        assert table and sheet and abs(table["width"] - sheet["width"]) < 4

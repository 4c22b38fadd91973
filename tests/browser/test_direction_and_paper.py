"""Main pages from right to left and on paper: nothing cut off, nothing inaccessible, nothing to press where nobody can."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, Visit, barriers
from tests.world import World

PAGES = [
    ("mia", "/"),
    ("adam", "/approvals/"),
    ("olga", "/exceptions/"),
    ("mia", "/boards/order_to_cash/"),
    ("mia", "/records/main/sale.order/42/"),
    ("mia", "/boards/order_to_cash/flow/"),
]


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_pages_are_whole_and_accessible_from_right_to_left(visit: Visit, world: World, size: dict[str, int]) -> None:
    problems = []
    for name, path in PAGES:
        page = visit(name, path, size=size)
        page.evaluate("document.documentElement.dir = 'rtl'")
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            problems.append(f"{path}: wider than the screen")
        start = page.locator("h1, h2").first.bounding_box()
        width = page.evaluate("document.querySelector('#main').getBoundingClientRect().right")
        if start and width - (start["x"] + start["width"]) > 60:
            problems.append(f"{path}: its heading does not begin at the right")
        problems += [f"{path}: {found}" for found in barriers(page)]
        page.close()
    assert not problems, "\n".join(problems)


def test_a_page_on_paper_has_no_navigation_nothing_to_press_and_is_light(visit: Visit, world: World) -> None:
    for name, path in PAGES:
        page = visit(name, path, theme="dark")
        page.emulate_media(media="print", color_scheme="dark")
        for what in (".rail", ".top", ".bar-nav", "#main .btn >> visible=true"):
            expect(page.locator(what)).to_have_count(0) if "visible" in what else expect(page.locator(what)).to_be_hidden()
        assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--sheet').trim()") == "#ffffff", path
        assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF"), path
        page.close()


def test_a_person_reads_the_language_they_choose_in_their_menu(visit: Visit, world: World) -> None:
    page = visit("olga", "/exceptions/")
    page.locator(".top-end details.menu > summary").last.click()
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("h1")).to_have_text("Ausnahmen")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    # What scripts say is said in it too, once they run.
    expect(page.locator("html.has-js")).to_have_count(1)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Nächster Eintrag")

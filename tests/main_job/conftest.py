"""People at their screens: each with a browser of their own, before a whole tower."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.tower import Tower

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}

Visit = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.fspath).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture
def visit(chromium: Browser, tower: Tower) -> Iterator[Visit]:
    """Opens a path as a person on a screen of a size; without a name as somebody who has no account."""
    contexts = []

    def open_page(name: str, path: str, *, size: dict[str, int] = DESKTOP) -> Page:
        context = chromium.new_context(viewport=size, base_url=tower.url)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        if name:
            page.goto("/accounts/login/")
            page.fill("#id_login", name)
            page.fill("#id_password", tower.passwords[name])
            page.click("button[type=submit]")
            page.wait_for_url(lambda url: "login" not in url)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()

"""Live boards: each page is sent the figures of what its person sees, and of the part that it shows."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from apps.accounts.models import User
from apps.boards.live import broadcast, consumers
from apps.exceptions.models import ExceptionCase
from tests.access.conftest import MARK
from tests.boards.test_live import Page, eventually, session_of
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)

BOARD = "board:order_to_cash"
Opens = Callable[[str], Awaitable[Page]]


@pytest.fixture
async def hub() -> AsyncIterator[broadcast.LiveHub]:
    hub = broadcast.hub()
    yield hub
    for task in hub.tasks:
        task.cancel()
    await asyncio.gather(*hub.tasks, return_exceptions=True)
    broadcast._hubs.clear()


@pytest.fixture
async def opens(hub: broadcast.LiveHub) -> AsyncIterator[Opens]:
    pages: list[Page] = []

    async def begin(name: str) -> Page:
        user = await User.objects.aget(username=name)
        page = Page(await sync_to_async(session_of)(user))
        pages.append(page)
        assert (await page.connect(timeout=10))[0]
        return page

    yield begin
    for page in pages:
        await page.disconnect(timeout=10)


def standing(frame: dict[str, Any], stage: str = "credit_review") -> int:
    """How many records the frame shows in a stage."""
    text = re.sub(r"\s+", " ", frame["html"])
    here = re.search(rf'id="stage-{stage}".*?class="lane-count"[^>]*>\s*([\d,]+)', text)
    assert here, text[:3000]
    return int(here[1].replace(",", ""))


async def test_a_board_is_drawn_once_for_each_who_sees_the_same(hidden: World, hub: broadcast.LiveHub, opens: Opens) -> None:
    pages = {name: [await opens(name) for _ in range(3)] for name in ("olga", "mia", "max")}
    for page in [page for own in pages.values() for page in own]:
        await page.watch(BOARD, version=broadcast.version_now() + 60_000)
    await eventually(lambda: len(hub.watchers.get(BOARD, ())) == 9)

    hub.changed([BOARD])
    frames = {name: [await page.frame() for page in own] for name, own in pages.items()}

    assert hub.drawings == 2
    assert {name: {standing(frame) for frame in own} for name, own in frames.items()} == {"olga": {1}, "mia": {1}, "max": {3}}
    for frame in [*frames["olga"], *frames["mia"]]:
        assert MARK.casefold() not in frame["html"].casefold() and "8,765" not in frame["html"] and "8.8" not in frame["html"]


async def test_a_page_is_sent_the_part_that_it_shows_and_never_more_than_its_person_sees(
    hidden: World, main: World, hub: broadcast.LiveHub, opens: Opens
) -> None:
    own, other = main.connection.pk, hidden.connection.pk
    wanted = {
        ("max", f"{BOARD}@{own}"): 2,
        ("max", f"{BOARD}@{own}:2"): 1,
        ("max", f"{BOARD}@{other}"): 1,
        ("olga", f"{BOARD}@{own}"): 1,
        ("olga", f"{BOARD}@{own}:2"): 0,
        ("olga", f"{BOARD}@{other}"): 0,
        ("olga", f"{BOARD}@0"): 0,
    }
    found = {}
    for name, topic in wanted:
        page = await opens(name)
        await page.watch(topic, version=1)
        frame = await page.frame()
        assert frame["topic"] == topic
        found[name, topic] = standing(frame)
    assert found == wanted


async def test_a_change_of_a_board_reaches_those_who_watch_a_part_of_it(main: World, hub: broadcast.LiveHub, opens: Opens) -> None:
    page, topic = await opens("olga"), f"{BOARD}@{main.connection.pk}:1"
    await page.watch(topic, version=broadcast.version_now() + 60_000)
    await eventually(lambda: topic in hub.watchers)
    hub.changed([BOARD])
    assert (await page.frame())["topic"] == topic


async def test_of_a_record_out_of_sight_no_page_is_told(hidden: World, main: World, hub: broadcast.LiveHub, opens: Opens) -> None:
    case = await ExceptionCase.objects.filter(record_name__contains=MARK, connection=main.connection).afirst()
    assert case is not None
    secret, open_ = f"record:{main.connection.pk}:{case.model}:{case.odoo_id}", f"record:{main.connection.pk}:sale.order:1000"
    page = await opens("olga")
    await page.watch(secret, open_, version=broadcast.version_now() + 60_000)
    await eventually(lambda: open_ in hub.watchers)
    hub.changed([secret, open_])
    assert (await page.frame())["topic"] == open_
    assert secret not in hub.watchers


async def test_who_may_see_something_else_by_now_has_to_load_the_page_anew(
    main: World, hub: broadcast.LiveHub, opens: Opens
) -> None:
    page = await opens("max")
    await User.objects.filter(username="max").aupdate(sees=[])
    await hub.recheck()
    assert await page.closed_with() == consumers.NOT_ALLOWED


async def test_a_page_that_shows_a_part_of_the_business_is_told_of_a_change_and_sent_nothing(
    hidden: World, hub: broadcast.LiveHub, opens: Opens
) -> None:
    pages, topic = [await opens(name) for name in ("olga", "max")], f"{BOARD}@changed"
    for page in pages:
        await page.watch(topic, version=broadcast.version_now() + 60_000)
    await eventually(lambda: len(hub.watchers.get(topic, ())) == 2)
    hub.changed([BOARD])
    assert [set(await page.frame()) for page in pages] == [{"topic", "version"}] * 2
    assert hub.drawings == 0

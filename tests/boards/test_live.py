"""The live socket and the hub behind it, with a real channel layer and real sessions."""

import asyncio
import contextlib
import gzip
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import import_module
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.access import AccessScope
from apps.accounts.models import User
from apps.boards.live import broadcast, consumers
from apps.boards.live.session_check import sights_now
from apps.core import clock, live
from apps.core.live import publish
from controltower.asgi import django_and_live

pytestmark = pytest.mark.django_db(transaction=True)

BOARD = "board:order_to_cash"
TICKS = 4 * broadcast.TICK_SECONDS


def session_of(user: User) -> Any:
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session


class Page(WebsocketCommunicator):
    """An open page of somebody, or of nobody."""

    def __init__(self, session: Any = None, *, origin: str = "http://127.0.0.1:8000", language: str = "") -> None:
        cookie = f"{settings.SESSION_COOKIE_NAME}={session.session_key if session else ''}"
        super().__init__(
            django_and_live,
            "/ws/live/",
            headers=[(b"origin", origin.encode()), (b"cookie", cookie.encode()), (b"accept-language", language.encode())],
        )

    async def watch(self, *topics: str, version: int = 0) -> None:
        await self.send_json_to({"watch": [{"topic": topic, "version": version} for topic in topics]})

    async def frame(self) -> dict[str, Any]:
        message = await self.receive_output(timeout=10)
        assert message["type"] == "websocket.send", message
        return dict(json.loads(message.get("text") or gzip.decompress(message["bytes"])))

    async def closed_with(self) -> int:
        message = await self.receive_output(timeout=10)
        assert message["type"] == "websocket.close", message
        return message["code"]


@pytest.fixture
async def hub() -> AsyncIterator[broadcast.LiveHub]:
    hub = broadcast.hub()
    yield hub
    for task in hub.tasks:
        task.cancel()
    await asyncio.gather(*hub.tasks, return_exceptions=True)
    broadcast._hubs.clear()


@pytest.fixture
async def session(olga_operator: User) -> Any:
    return await sync_to_async(session_of)(olga_operator)


@pytest.fixture
async def open_page(hub: broadcast.LiveHub, session: Any) -> AsyncIterator[Callable[[], Awaitable[Page]]]:
    pages: list[Page] = []

    async def begin() -> Page:
        page = Page(session)
        pages.append(page)
        accepted, _ = await page.connect(timeout=10)
        assert accepted
        return page

    yield begin
    for page in pages:
        await page.disconnect(timeout=10)


async def eventually(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_who_has_not_signed_in_is_refused() -> None:
    page = Page()
    accepted, _ = await page.connect(timeout=10)

    assert accepted
    assert await page.closed_with() == consumers.NOT_SIGNED_IN


@pytest.mark.parametrize(
    "origin",
    [
        "https://elsewhere.test",
        "null",
        "",
        "http://127.0.0.1.elsewhere.test",
        "http://elsewhere.127.0.0.1",
        "file://",
    ],
)
async def test_another_sites_page_is_refused(session: Any, origin: str) -> None:
    accepted, _ = await Page(session, origin=origin).connect(timeout=10)

    assert not accepted


async def test_a_page_that_shows_something_old_is_told_at_once(
    hub: broadcast.LiveHub, open_page: Callable[[], Awaitable[Page]]
) -> None:
    page = await open_page()
    await page.watch(BOARD, version=1)
    frame = await page.frame()

    assert frame["topic"] == BOARD
    assert frame["version"] == hub.version_of(BOARD)
    assert "<" in frame["html"]


async def test_a_page_that_shows_the_newest_is_told_nothing(
    hub: broadcast.LiveHub, open_page: Callable[[], Awaitable[Page]]
) -> None:
    page = await open_page()
    await page.watch(BOARD, version=broadcast.version_now() + 60_000)

    assert await page.receive_nothing(timeout=TICKS)


async def test_a_change_is_drawn_once_for_all_who_watch(hub: broadcast.LiveHub, open_page: Callable[[], Awaitable[Page]]) -> None:
    pages = [await open_page() for _ in range(20)]
    for page in pages:
        await page.watch(BOARD, version=broadcast.version_now() + 60_000)
    await eventually(lambda: len(hub.watchers.get(BOARD, ())) == 20)

    hub.changed([BOARD])
    frames = {id((await page.receive_output(timeout=10))["bytes"]) for page in pages}

    assert len(frames) == 1, "drawn and compressed once, for all the same bytes"
    assert hub.drawings == 1


async def test_a_board_is_drawn_once_for_each_language_in_which_it_is_read(hub: broadcast.LiveHub, session: Any) -> None:
    pages = [Page(session, language=language) for language in ("de", "de", "en")]
    for page in pages:
        await page.connect(timeout=10)
        await page.watch(BOARD, version=broadcast.version_now() + 60_000)
    await eventually(lambda: len(hub.watchers.get(BOARD, ())) == 3)

    hub.changed([BOARD])
    drawn = [(await page.frame())["html"] for page in pages]

    assert hub.drawings == 2
    assert drawn[0] == drawn[1] != drawn[2]
    assert "Kreditprüfung" in drawn[0] and "Credit review" in drawn[2]
    for page in pages:
        await page.disconnect(timeout=10)


async def test_all_pages_that_come_back_at_once_are_given_the_same_drawing(
    hub: broadcast.LiveHub, open_page: Callable[[], Awaitable[Page]]
) -> None:
    pages = [await open_page() for _ in range(20)]
    for page in pages:
        await page.watch(BOARD, version=1)
    for page in pages:
        await page.frame()

    assert hub.drawings <= 3


async def test_many_changes_of_a_moment_are_few_frames(hub: broadcast.LiveHub, open_page: Callable[[], Awaitable[Page]]) -> None:
    page = await open_page()
    await page.watch(BOARD, version=broadcast.version_now() + 60_000)
    await eventually(lambda: BOARD in hub.watchers)
    for _ in range(200):
        hub.changed([BOARD])
        await asyncio.sleep(0)
    await eventually(lambda: hub.drawings >= 1)
    await asyncio.sleep(TICKS)

    assert hub.drawings <= 3


async def test_a_change_announced_elsewhere_reaches_the_page(open_page: Callable[[], Awaitable[Page]]) -> None:
    page = await open_page()
    await page.watch("queue", version=broadcast.version_now() + 1_000)
    frame: dict[str, Any] = {}
    async with asyncio.timeout(10):
        # The first may come before this process listens.
        while frame.get("version", 0) < broadcast.version_now() - 1_000:
            await asyncio.to_thread(publish, {"queue"})
            with contextlib.suppress(TimeoutError):
                frame = await page.receive_json_from(timeout=0.5)

    assert frame["topic"] == "queue"
    assert "html" not in frame, "What the page shows depends on who looks; it fetches its own."


async def test_changes_reach_the_page_again_after_the_channel_layer_was_away(
    hub: broadcast.LiveHub, open_page: Callable[[], Awaitable[Page]]
) -> None:
    page = await open_page()
    await page.watch("queue", version=broadcast.version_now() + 60_000)
    await eventually(lambda: "queue" in hub.watchers)
    client = caches["default"]._cache.get_client(None, write=True)
    await asyncio.to_thread(client.execute_command, "CLIENT", "KILL", "TYPE", "pubsub")

    before = hub.version_of("queue")
    async with asyncio.timeout(20):
        while hub.version_of("queue") == before:
            await asyncio.to_thread(publish, {"queue"})
            await asyncio.sleep(0.1)


async def test_what_was_lost_on_the_way_makes_every_page_look_again(
    hub: broadcast.LiveHub, open_page: Callable[[], Awaitable[Page]], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await open_page()
    await page.watch("inbox", version=broadcast.version_now() + 60_000)
    await eventually(lambda: "inbox" in hub.watchers)
    # From here on the process listens.
    async with asyncio.timeout(10):
        while not hub.heard:
            await asyncio.to_thread(publish, {"health"})
            await asyncio.sleep(0.05)
    before = hub.version_of("inbox")

    def lost_then_sent() -> None:
        with monkeypatch.context() as broken:
            broken.setattr(live, "get_channel_layer", lambda: None)
            publish({"inbox"})
        assert hub.version_of("inbox") == before
        publish({"health"})

    await asyncio.to_thread(lost_then_sent)
    await eventually(lambda: hub.version_of("inbox") > before)
    assert (await page.frame())["topic"] == "inbox"


async def test_a_page_that_cannot_keep_up_skips_to_the_newest(hub: broadcast.LiveHub, session: Any) -> None:
    sent: list[dict[str, Any]] = []
    flows, incoming = asyncio.Event(), asyncio.Queue[dict[str, Any]]()
    flows.set()

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            await flows.wait()
            sent.append(json.loads(message["text"]))

    page = Page(session)
    socket = asyncio.create_task(django_and_live(page.scope, incoming.get, send))
    await incoming.put({"type": "websocket.connect"})
    watch = {"watch": [{"topic": "queue", "version": broadcast.version_now() + 60_000}]}
    await incoming.put({"type": "websocket.receive", "text": json.dumps(watch)})
    await eventually(lambda: "queue" in hub.watchers)
    (watcher,) = hub.watchers["queue"]

    flows.clear()
    versions = []
    for number in range(5):
        hub.changed(["queue"])
        versions.append(hub.version_of("queue"))
        await eventually(lambda: "queue" not in hub.dirty)
        # The first is on its way and stuck; of the others the newest waits.
        await eventually(lambda number=number: len(watcher.pending) == min(number, 1))
        await asyncio.sleep(broadcast.TICK_SECONDS)
    flows.set()
    await eventually(lambda: len(sent) == 2)

    assert [frame["version"] for frame in sent] == [versions[0], versions[-1]]
    await incoming.put({"type": "websocket.disconnect", "code": 1001})
    with contextlib.suppress(Exception):
        await asyncio.wait_for(socket, 10)
    assert "queue" not in hub.watchers


async def test_nobody_sees_what_another_is_told(open_page: Callable[[], Awaitable[Page]], olga_operator: User) -> None:
    page = await open_page()
    await page.watch(f"notifications:{olga_operator.pk}", version=1)
    assert (await page.frame())["topic"] == f"notifications:{olga_operator.pk}"

    await page.watch(f"notifications:{olga_operator.pk + 1}")

    assert await page.closed_with() == consumers.NOT_ALLOWED


BAD = [
    "",
    "hello",
    "[]",
    "{}",
    '{"watch": 1}',
    '{"watch": [1]}',
    '{"watch": [{"version": 1}]}',
    '{"watch": [{"topic": "queue", "version": "1"}]}',
    '{"watch": [{"topic": "queue", "version": true}]}',
    '{"watch": [{"topic": ["queue"]}]}',
    '{"watch": [{"topic": "secrets"}]}',
    '{"watch": [{"topic": "queue\\n"}]}',
    "[" * 8_000,
    '{"watch": [{"topic": "queue"}]}' + " " * 9_000,
    json.dumps({"watch": [{"topic": f"record:1:sale.order:{number}"} for number in range(51)]}),
]


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
async def test_what_is_no_message_ends_the_socket(open_page: Callable[[], Awaitable[Page]], text: str) -> None:
    page = await open_page()
    await page.send_input({"type": "websocket.receive", "text": text})

    assert await page.closed_with() == consumers.MALFORMED


# What a template fills in stands for a number, except where it names a workflow, a model, or a part that may be missing.
FILLED = ((r"\{\{ *[a-z_.]*workflow\.name *\}\}", "order_to_cash"), (r"\{\{ *[a-z_.]*model *\}\}", "sale.order"))
LEFT = ((r"\{%[^%]*%\}", ""), (r"\{\{ *narrowing *\}\}", ""), (r"\{\{[^}]*\}\}", "1"))


def shown_topics() -> set[str]:
    """What the templates watch, as a page says it; those that a view puts together as a whole are left out."""
    found = set()
    for template in (settings.BASE_DIR / "templates").rglob("*.html"):
        for topic in re.findall(r'\btopic="([^"]+)"', template.read_text()):
            for pattern, value in (*FILLED, *LEFT):
                topic = re.sub(pattern, value, topic)
            found |= set(topic.split())
    return found - {"1"}


def test_what_the_pages_watch_is_what_the_socket_takes() -> None:
    topics = shown_topics()
    assert {"queue", "inbox", "proposals", "messages", "board:order_to_cash@changed", "record:1:sale.order:1"} <= topics
    assert [topic for topic in sorted(topics) if not consumers.TOPIC.fullmatch(topic)] == []


async def test_who_signs_out_or_is_locked_out_is_told_no_more(
    hub: broadcast.LiveHub, open_page: Callable[[], Awaitable[Page]], session: Any
) -> None:
    page = await open_page()
    await hub.recheck()
    assert await page.receive_nothing(timeout=0.05)

    await sync_to_async(session.delete)()
    await hub.recheck()

    assert await page.closed_with() == consumers.NOT_ALLOWED


async def test_a_person_who_is_deactivated_is_told_no_more(
    hub: broadcast.LiveHub, open_page: Callable[[], Awaitable[Page]], olga_operator: User
) -> None:
    page = await open_page()

    await User.objects.filter(pk=olga_operator.pk).aupdate(is_active=False)
    await hub.recheck()

    assert await page.closed_with() == consumers.NOT_ALLOWED


async def test_a_session_that_has_run_out_or_whose_password_was_changed_is_told_no_more(
    hub: broadcast.LiveHub, open_page: Callable[[], Awaitable[Page]], olga_operator: User, session: Any
) -> None:
    page = await open_page()
    row = Session.objects.filter(session_key=session.session_key)
    until = (await row.aget()).expire_date
    await row.aupdate(expire_date=clock.now())
    await hub.recheck()
    assert await page.closed_with() == consumers.NOT_ALLOWED

    await row.aupdate(expire_date=until)
    page = await open_page()
    olga_operator.set_password("another long password")
    await olga_operator.asave()
    await hub.recheck()
    assert await page.closed_with() == consumers.NOT_ALLOWED


async def test_the_rights_of_all_who_watch_are_looked_at_in_two_statements(
    hub: broadcast.LiveHub, open_page: Callable[[], Awaitable[Page]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(10):
        await open_page()
    entered = {one.credentials for one in hub.sockets}

    def counted() -> int:
        with CaptureQueriesContext(connection) as statements:
            sights_now(entered)
        return len(statements)

    assert len(hub.sockets) == 10
    assert await sync_to_async(counted)() == 2


async def test_a_board_that_cannot_be_drawn_stops_no_other(
    hub: broadcast.LiveHub, open_page: Callable[[], Awaitable[Page]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(topic: str, sight: AccessScope) -> str:
        raise ValueError("no such column")

    monkeypatch.setitem(broadcast.DRAWN, "board", fail)
    page = await open_page()
    await page.watch(BOARD, "queue", version=broadcast.version_now() + 60_000)
    await eventually(lambda: "queue" in hub.watchers)

    hub.changed([BOARD])
    hub.changed(["queue"])

    assert (await page.frame())["topic"] == "queue"

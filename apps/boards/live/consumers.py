"""The live socket: a page says what it shows, and is told what has changed."""

import asyncio
import contextlib
import json
import re
from collections.abc import Iterable

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from apps.accounts import access, languages
from apps.boards.live.broadcast import Frame, LiveHub, hub
from apps.boards.live.session_check import credentials_of
from apps.workflows.models import Position

LARGEST_MESSAGE = 8_192
MOST_TOPICS = 50
PING_SECONDS = 20
TOPIC = re.compile(
    r"board:[a-z0-9_]{1,60}(?:@(?:changed|[0-9]{1,18}(?::[0-9]{1,18})?))?|queue|inbox|proposals|messages|health|notifications:[0-9]{1,18}|record:[0-9]{1,18}:[a-z0-9_.]{1,80}:[0-9]{1,18}"
)

NOT_SIGNED_IN, NOT_ALLOWED, MALFORMED = 4401, 4403, 4400


class LiveConsumer(AsyncWebsocketConsumer):
    """One page's socket. It keeps at most one unsent frame a topic: one that cannot keep up skips to the newest."""

    async def connect(self) -> None:
        """Let signed-in people in; the origin was looked at before."""
        self.pending: dict[str, Frame] = {}
        self.topics: set[str] = set()
        self.news = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []
        await self.accept()
        if not self.scope["user"].is_authenticated:
            await self.close(NOT_SIGNED_IN)
            return
        self.access_scope = access.scope_of(self.scope["user"])
        self.language = languages.language_of(self.scope["user"], _accepted(self.scope["headers"]))
        self.credentials = credentials_of(self.scope["session"], self.scope["user"])
        self.hub: LiveHub = hub()
        self.hub.enter(self)
        self.tasks = [asyncio.create_task(task) for task in (self._send(), self._ping())]

    async def disconnect(self, code: int) -> None:
        """Stop telling it."""
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            self.hub.leave(self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """``{"watch": [{"topic", "version"}]}``: what the page shows. Anything else ends the socket."""
        if not self.tasks:
            return
        wanted = _wanted(text_data)
        if wanted is None or len(self.topics | wanted.keys()) > MOST_TOPICS:
            await self.close(MALFORMED)
            return
        for topic, shown in wanted.items():
            if topic.startswith("notifications:") and topic != f"notifications:{self.scope['user'].pk}":
                await self.close(NOT_ALLOWED)
                return
            self.topics.add(topic)
            if topic.startswith("record:") and not self.access_scope.is_everything and not await self._may_know(topic):
                # As of a record that is not there: nothing is ever told.
                continue
            await self.hub.watch(topic, self, shown=shown)

    async def _may_know(self, topic: str) -> bool:
        # In a thread of its own, as below.
        return bool(await database_sync_to_async(_is_in_sight, thread_sensitive=False)(topic, self.access_scope))

    def offer(self, topic: str, frame: Frame) -> None:
        """Take the newest frame of a topic."""
        self.pending[topic] = frame
        self.news.set()

    async def end(self) -> None:
        """Close: the page reloads, and says why."""
        with contextlib.suppress(Exception):
            await self.close(NOT_ALLOWED)

    async def _send(self) -> None:
        while True:
            await self.news.wait()
            self.news.clear()
            while self.pending:
                frame = self.pending.pop(next(iter(self.pending)))
                # Waits while the socket's buffer is full; newer frames take the place of older ones meanwhile.
                await (self.send(text_data=frame) if isinstance(frame, str) else self.send(bytes_data=frame))

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            await self.send(text_data='{"ping": true}')


def _accepted(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """What the browser accepts as a language."""
    return next((value.decode("latin-1") for name, value in headers if name == b"accept-language"), "")


def _is_in_sight(topic: str, access_scope: access.AccessScope) -> bool:
    _, connection, model, odoo_id = topic.split(":")
    here = Position.objects.filter(access_scope.of_records(), connection_id=int(connection), model=model, odoo_id=int(odoo_id))
    return here.exists()


def _wanted(text: str | None) -> dict[str, int] | None:
    """Topics with the versions shown, or None where the message is not one."""
    if text is None or len(text) > LARGEST_MESSAGE:
        return None
    try:
        entries = json.loads(text)["watch"]
        found = {entry["topic"]: entry.get("version", 0) for entry in entries}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    are_known = all(isinstance(topic, str) and TOPIC.fullmatch(topic) for topic in found)
    return found if are_known and all(type(shown) is int for shown in found.values()) else None

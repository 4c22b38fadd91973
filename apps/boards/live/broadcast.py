"""What open pages are told: one listener a process, one drawing a tick, the same bytes for all who see the same.

A page that shows a part of what its person sees says so behind the topic: ``board:order_to_cash@3:2`` is company 2 of
connection 3. What is drawn is that part of what the person may see, so no figure of anything else is in it. A page that shows a
board of one warehouse, customer or the like, or a list of its records, watches ``board:order_to_cash@changed``: it is told that the
board changed, and fetches what it shows with what its address asks for.

What is drawn is compressed once, and the same compressed bytes go to every socket: a server that compressed each message of
each socket for itself would spend most of a tick on it, and hold a compressor a socket.

A topic's version is the moment, in milliseconds, when this process last heard that it changed. A page says which
version it shows and is told only what is newer, so one that was away catches up with one frame.
"""

import asyncio
import gzip
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.template.loader import render_to_string
from django.utils import translation

from apps.accounts.access import EVERYTHING, AccessScope
from apps.boards.boards import queries
from apps.boards.boards.slice_choice import TOLD_ONLY
from apps.boards.live.session_check import Credentials, sights_now
from apps.core import clock
from apps.core.live import GROUP
from apps.odoo import request_scope
from apps.workflows import registry

logger = logging.getLogger(__name__)

# A tick is as short as the work of one allows, which grows with those who watch: a fifth of the time goes into it at most,
# until a tick is as long as anybody shall wait for one.
SHORTEST_TICK_SECONDS, TICK_SECONDS = 0.08, 0.25
REST_AFTER_WORK = 4
RETRY_SECONDS = 0.5
# When a server comes back, all of its pages ask at once: they are given the same drawing for this long.
KEPT_SECONDS = 1.0
MOST_VERSIONS = 50_000
MOST_PUBLISHERS = 10_000
RECHECK_SECONDS = 60
# Of HTML, the quickest level leaves a tenth; a better one takes five times as long for a hundredth more.
GZIP_LEVEL = 1


# As it is sent: a few words as text, what is drawn as gzip.
Frame = str | bytes


class Watcher(Protocol):
    """A socket that is told.

    Attributes:
        sight: what its person may see.
        language: what they read.
        credentials: by what it was let in.
    """

    access_scope: AccessScope
    language: str
    credentials: Credentials

    def offer(self, topic: str, frame: Frame) -> None:
        """Take the newest frame of a topic; one that was not sent yet is dropped for it."""

    async def end(self) -> None:
        """Tell it to load the page anew: what its person may see has changed, or the session has ended."""


@dataclass(frozen=True)
class RenderKey:
    """For whom a topic is drawn: all who see the same, in the same language, get the same bytes."""

    access_scope: AccessScope
    language: str


def draw_board(topic: str, key: RenderKey) -> str | None:
    """The stages of the board, of the records in sight, as the page itself draws them."""
    workflow = registry.workflows().get(announced(topic).partition(":")[2])
    if workflow is None:
        return None
    shown = request_scope.narrow(key.access_scope, request_scope.of_topic(topic.partition("@")[2]))
    with translation.override(key.language):
        return render_to_string("boards/board.html#stages", {"board": queries.board(workflow, now=clock.now(), access_scope=shown)})


ALL = RenderKey(EVERYTHING, "")
# Topics that look the same to all who see the same are drawn here, once for all of them. Of the others a page is only told
# that they changed, and fetches what its person may see.
DRAWN: dict[str, Callable[[str, RenderKey], str | None]] = {"board": draw_board}


def announced(topic: str) -> str:
    """The topic under which changes of ``topic`` are announced: without the part that a page shows of it."""
    return topic.partition("@")[0]


def is_drawn(topic: str) -> bool:
    """Whether those who watch ``topic`` are sent what is drawn; otherwise they are told that it changed."""
    return topic.partition(":")[0] in DRAWN and not topic.endswith(TOLD_ONLY)


def version_now() -> int:
    """The present as a version: milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class LiveHub:
    """The process's one listener, and the sockets that it tells."""

    def __init__(self) -> None:
        self.watchers: dict[str, set[Watcher]] = {}
        self.sockets: set[Watcher] = set()
        # The watched topics under each that is announced.
        self.watched: dict[str, set[str]] = {}
        self.versions: dict[str, int] = {}
        # What changed before this process listened is unknown to it: pages older than it are told.
        self.started = version_now()
        self.dirty: set[str] = set()
        # The newest number of each that publishes (apps/core/live.py).
        self.heard: dict[str, int] = {}
        self.frames: dict[str, dict[RenderKey, tuple[int, float, asyncio.Task[Frame]]]] = {}
        self.drawings = 0
        self.wake = asyncio.Event()
        self.tasks = [asyncio.create_task(task) for task in (self._listen(), self._tick(), self._keep_rechecking())]

    def version_of(self, topic: str) -> int:
        """The topic's newest version."""
        return self.versions.get(announced(topic), self.started)

    async def watch(self, topic: str, watcher: Watcher, *, shown: int) -> None:
        """Tell ``watcher`` about ``topic`` from now on, and at once if it shows an older version."""
        self.watchers.setdefault(topic, set()).add(watcher)
        self.watched.setdefault(announced(topic), set()).add(topic)
        if shown < self.version_of(topic):
            watcher.offer(topic, await self._frame(topic, _drawn_for(topic, watcher)))

    def enter(self, watcher: Watcher) -> None:
        """Look at ``watcher``'s rights from now on, as long as it stays."""
        self.sockets.add(watcher)

    def leave(self, watcher: Watcher) -> None:
        """Tell ``watcher`` nothing more."""
        self.sockets.discard(watcher)
        for topic in [topic for topic, watching in self.watchers.items() if watcher in watching]:
            self.watchers[topic].discard(watcher)
            if not self.watchers[topic]:
                del self.watchers[topic]
                self.frames.pop(topic, None)
                self.watched[announced(topic)].discard(topic)
                if not self.watched[announced(topic)]:
                    del self.watched[announced(topic)]

    def changed(self, topics: list[str]) -> None:
        """Note that ``topics`` changed; those that somebody watches are drawn at the next tick."""
        version = version_now()
        for topic in topics:
            self.versions[topic] = max(version, self.version_of(topic) + 1)
            self.dirty |= self.watched.get(topic, set())
        if len(self.versions) > MOST_VERSIONS:
            # Forgotten versions count as changed at this moment: a page that shows less is told once too often.
            self.started, self.versions = version, {}
        if self.dirty:
            self.wake.set()

    def everything_changed(self) -> None:
        """Take every page for old: those that are open look again, and those that come back."""
        self.started, self.versions = max([version_now(), *self.versions.values()]), {}
        self.changed(list(self.watched))

    def missed_before(self, publisher: str, number: int) -> bool:
        """Note a message's number; whether one that was sent before it by the same has not come."""
        if publisher not in self.heard and len(self.heard) >= MOST_PUBLISHERS:
            del self.heard[next(iter(self.heard))]
        before = self.heard.pop(publisher, 0)
        self.heard[publisher] = number
        return number > before + 1

    async def _frame(self, topic: str, key: RenderKey) -> Frame:
        """The topic's newest version as it is sent to ``key``; drawn once, however many ask for it."""
        version, now, frames = self.version_of(topic), time.monotonic(), self.frames.setdefault(topic, {})
        drawn, drawn_at, drawing = frames.get(key, (-1, 0.0, None))
        if drawing is None or drawn != version or now - drawn_at > KEPT_SECONDS:
            drawing = asyncio.create_task(self._draw(topic, key, version))
            frames[key] = (version, now, drawing)
        try:
            # Who asked first may leave while others still wait for the same drawing.
            return await asyncio.shield(drawing)
        except Exception:
            frames.pop(key, None)
            raise

    async def _draw(self, topic: str, key: RenderKey, version: int) -> Frame:
        frame: dict[str, Any] = {"topic": topic, "version": version}
        if not is_drawn(topic):
            return json.dumps(frame)
        draw = DRAWN[topic.partition(":")[0]]
        self.drawings += 1

        def drawn() -> bytes:
            return gzip.compress(json.dumps(frame | {"html": draw(topic, key)}).encode(), GZIP_LEVEL)

        # Gives its database session back to the pool: a thread of this process's would keep it for good.
        frame_of: bytes = await database_sync_to_async(drawn, thread_sensitive=False)()
        return frame_of

    async def _tick(self) -> None:
        while True:
            await self.wake.wait()
            self.wake.clear()
            begun = time.monotonic()
            topics, self.dirty = self.dirty, set()
            # What needs no drawing does not wait for what does.
            for topic in sorted(topics, key=is_drawn):
                by_key: dict[RenderKey, list[Watcher]] = {}
                for watcher in self.watchers.get(topic, ()):
                    by_key.setdefault(_drawn_for(topic, watcher), []).append(watcher)
                for key, watchers in by_key.items():
                    await self._tell(topic, key, watchers)
            # Those who were told send in the loop's next round.
            await asyncio.sleep(0)
            took = time.monotonic() - begun
            await asyncio.sleep(min(TICK_SECONDS, max(SHORTEST_TICK_SECONDS, REST_AFTER_WORK * took)))

    async def _tell(self, topic: str, key: RenderKey, watchers: list[Watcher]) -> None:
        try:
            frame = await self._frame(topic, key)
        except Exception:
            logger.exception("The live topic %s could not be drawn", topic)
            return
        for watcher in watchers:
            # Who left meanwhile, or may see something else by now, is not told.
            if watcher in self.watchers.get(topic, ()) and _drawn_for(topic, watcher) == key:
                watcher.offer(topic, frame)

    async def recheck(self) -> None:
        """End the sockets whose session has ended or whose person may see something else by now: two statements for all."""
        sockets = list(self.sockets)
        now_seen = await database_sync_to_async(sights_now, thread_sensitive=False)({one.credentials for one in sockets})
        for watcher in sockets:
            if now_seen.get(watcher.credentials) != watcher.access_scope:
                await watcher.end()

    async def _keep_rechecking(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            try:
                await self.recheck()
            except Exception:
                logger.exception("The rights of who watches could not be looked at; trying again in a minute")

    async def _listen(self) -> None:
        while True:
            try:
                layer = get_channel_layer()
                channel = await layer.new_channel()
                await layer.group_add(GROUP, channel)
                # Whatever was announced while nobody listened is made up for.
                self.changed(list(self.watched))
                while True:
                    message = await layer.receive(channel)
                    # A worker of the version before, beside which this one starts, counts nothing.
                    if self.missed_before(message.get("publisher", ""), message.get("number", 0)):
                        logger.warning("Announcements were lost on the way: every open page looks again")
                        self.everything_changed()
                    self.changed(message["topics"])
            except asyncio.CancelledError:
                raise
            except Exception:
                logger.warning("The channel layer is away; trying again", exc_info=True)
                await asyncio.sleep(RETRY_SECONDS)


def _drawn_for(topic: str, watcher: Watcher) -> RenderKey:
    """For whom a topic is drawn: what is only told to have changed is the same for all."""
    return RenderKey(watcher.access_scope, watcher.language) if is_drawn(topic) else ALL


_hubs: dict[asyncio.AbstractEventLoop, LiveHub] = {}


def hub() -> LiveHub:
    """This process's hub."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = LiveHub()
    return _hubs[loop]

"""What open pages are told: one listener a process, one drawing a tick, the same bytes for all who watch.

A topic's version is the moment, in milliseconds, when this process last heard that it changed. A page says which
version it shows and is told only what is newer, so one that was away catches up with one frame.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.template.loader import render_to_string

from apps.boards import queries
from apps.core import clock
from apps.core.live import GROUP
from apps.workflows import registry

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.25
RETRY_SECONDS = 0.5
# When a server comes back, all of its pages ask at once: they are given the same drawing for this long.
KEPT_SECONDS = 1.0
MOST_VERSIONS = 50_000


class Watcher(Protocol):
    """A socket that is told."""

    def offer(self, topic: str, frame: str) -> None:
        """Take the newest frame of a topic; one that was not sent yet is dropped for it."""


def draw_board(topic: str) -> str | None:
    """The board's stages, as the page itself draws them."""
    workflow = registry.workflows().get(topic.partition(":")[2])
    if workflow is None:
        return None
    return render_to_string("boards/board.html#stages", {"board": queries.board(workflow, now=clock.now())})


# Topics that look the same to everybody are drawn here, once for all. Of the others a page is only told that they
# changed, and fetches what its person may see.
DRAWN: dict[str, Callable[[str], str | None]] = {"board": draw_board}


def version_now() -> int:
    """The present as a version: milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Hub:
    """The process's one listener, and the sockets that it tells."""

    def __init__(self) -> None:
        self.watchers: dict[str, set[Watcher]] = {}
        self.versions: dict[str, int] = {}
        # What changed before this process listened is unknown to it: pages older than it are told.
        self.started = version_now()
        self.dirty: set[str] = set()
        self.frames: dict[str, tuple[int, float, asyncio.Task[str]]] = {}
        self.drawings = 0
        self.wake = asyncio.Event()
        self.tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._tick())]

    def version_of(self, topic: str) -> int:
        """The topic's newest version."""
        return self.versions.get(topic, self.started)

    async def watch(self, topic: str, watcher: Watcher, *, shown: int) -> None:
        """Tell ``watcher`` about ``topic`` from now on, and at once if it shows an older version."""
        self.watchers.setdefault(topic, set()).add(watcher)
        if shown < self.version_of(topic):
            watcher.offer(topic, await self._frame(topic))

    def leave(self, watcher: Watcher) -> None:
        """Tell ``watcher`` nothing more."""
        for topic in [topic for topic, watching in self.watchers.items() if watcher in watching]:
            self.watchers[topic].discard(watcher)
            if not self.watchers[topic]:
                del self.watchers[topic]
                self.frames.pop(topic, None)

    def changed(self, topics: list[str]) -> None:
        """Note that ``topics`` changed; those that somebody watches are drawn at the next tick."""
        version = version_now()
        for topic in topics:
            self.versions[topic] = max(version, self.version_of(topic) + 1)
            if topic in self.watchers:
                self.dirty.add(topic)
        if len(self.versions) > MOST_VERSIONS:
            # Forgotten versions count as changed at this moment: a page that shows less is told once too often.
            self.started, self.versions = version, {}
        if self.dirty:
            self.wake.set()

    async def _frame(self, topic: str) -> str:
        """The topic's newest version as it is sent; drawn once, however many ask for it."""
        version, now = self.version_of(topic), time.monotonic()
        drawn, drawn_at, drawing = self.frames.get(topic, (-1, 0.0, None))
        if drawing is None or drawn != version or now - drawn_at > KEPT_SECONDS:
            drawing = asyncio.create_task(self._draw(topic, version))
            self.frames[topic] = (version, now, drawing)
        try:
            # Who asked first may leave while others still wait for the same drawing.
            return await asyncio.shield(drawing)
        except Exception:
            self.frames.pop(topic, None)
            raise

    async def _draw(self, topic: str, version: int) -> str:
        frame: dict[str, Any] = {"topic": topic, "version": version}
        if draw := DRAWN.get(topic.partition(":")[0]):
            self.drawings += 1
            # Gives its database session back to the pool: a thread of this process's would keep it for good.
            frame["html"] = await database_sync_to_async(draw, thread_sensitive=False)(topic)
        return json.dumps(frame)

    async def _tick(self) -> None:
        while True:
            await self.wake.wait()
            self.wake.clear()
            topics, self.dirty = self.dirty, set()
            # What needs no drawing does not wait for what does.
            for topic in sorted(topics, key=lambda topic: topic.partition(":")[0] in DRAWN):
                try:
                    frame = await self._frame(topic)
                except Exception:
                    logger.exception("The live topic %s could not be drawn", topic)
                    continue
                for watcher in list(self.watchers.get(topic, ())):
                    watcher.offer(topic, frame)
            await asyncio.sleep(TICK_SECONDS)

    async def _listen(self) -> None:
        while True:
            try:
                layer = get_channel_layer()
                channel = await layer.new_channel()
                await layer.group_add(GROUP, channel)
                # Whatever was announced while nobody listened is made up for.
                self.changed(list(self.watchers))
                while True:
                    message = await layer.receive(channel)
                    self.changed(message["topics"])
            except asyncio.CancelledError:
                raise
            except Exception:
                logger.warning("The channel layer is away; trying again", exc_info=True)
                await asyncio.sleep(RETRY_SECONDS)


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def hub() -> Hub:
    """This process's hub."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]

"""Is it alive, is it ready: for load balancers, not for people."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.core.cache import caches
from django.db import connection as database

from apps.core import clock
from apps.health import workers

BOUND_SECONDS = 2.0
_pool = ThreadPoolExecutor(8, thread_name_prefix="probe")


def _database() -> str:
    try:
        with database.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        database.close()
    return ""


def _broker() -> str:
    caches["default"].get("probe")
    return ""


def _channel_layer() -> str:
    async def round_trip() -> None:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.send(channel, {"type": "probe"})
        await asyncio.wait_for(layer.receive(channel), BOUND_SECONDS)

    async_to_sync(round_trip)()
    return ""


def _workers() -> str:
    missing = workers.unserved(workers.alive(now=clock.now()))
    return f"no worker serves {', '.join(missing)}" if missing else ""


PARTS: dict[str, Callable[[], str]] = {
    "database": _database,
    "broker": _broker,
    "channel_layer": _channel_layer,
    "workers": _workers,
}


def readiness() -> dict[str, str]:
    """Each part of the tower with "ok", or what is wrong with it; within two seconds, whatever hangs."""
    deadline = time.monotonic() + BOUND_SECONDS
    running = {name: _pool.submit(probe) for name, probe in PARTS.items()}
    found = {}
    for name, answer in running.items():
        try:
            found[name] = answer.result(timeout=max(0.0, deadline - time.monotonic())) or "ok"
        except TooLate:
            # One that has not begun behind others that hang is not begun any more.
            answer.cancel()
            found[name] = "no answer in time"
        except Exception as error:
            found[name] = type(error).__name__
    return found

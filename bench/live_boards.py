"""2,000 people with a board open beside 100: what an announcement costs, and how soon all of them have the new board (g7)."""

import asyncio
import json
import resource
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from statistics import median, quantiles

from bench import ground
from bench.row import CannotMeasureError, Row

MANY, FEW = 2_000, 100
ROUNDS, PAUSE_SECONDS = 12, 1.5
CONNECT_AT_ONCE = 40
WORKFLOW = "order_to_cash"


def run() -> list[Row]:
    """Serve the tower, open real sockets on loopback, and announce changes of a board."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 3 * MANY:
        raise CannotMeasureError(f"this machine allows {hard} open files; raise the limit above {3 * MANY} (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 3 * MANY), hard))
    ground.tower()
    import os

    from django.conf import settings
    from django.test import Client

    from apps.accounts.models import User

    watcher = User.objects.create_user("watcher", password="a long password", role="manager")
    client = Client()
    client.force_login(watcher)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "controltower.asgi:application", "--port", str(port), "--no-access-log",
         "--log-level", "warning"], env=os.environ | {"PUBLIC_URL": url, "PORT": str(port)}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _await(url)
        few = asyncio.run(_measure(port, cookie, FEW))
        many = asyncio.run(_measure(port, cookie, MANY))
    finally:
        server.terminate()
        server.wait(20)
    p95 = quantiles(many[1], n=20)[-1]
    return [
        Row(name=f"announcing a change, {MANY:,} boards beside {FEW}", value=median(many[0]), peer=median(few[0]),
            ratio=median(many[0]) / median(few[0]), goal=1.3, unit="ms", lower_is_better=True),
        Row(name=f"change to receipt at {MANY:,} boards, p95, beside 1 s", value=p95, peer=1_000, ratio=p95 / 1_000, goal=1.0,
            unit="ms", lower_is_better=True),
    ]  # fmt: skip


def _await(url: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(f"{url}/healthz", timeout=5):
            return
        time.sleep(0.2)
    raise CannotMeasureError("the web process did not answer within two minutes")


async def _measure(port: int, cookie: str, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds that announcing took each time, and from the announcement to each board's receipt."""
    from asgiref.sync import sync_to_async
    from websockets.asyncio.client import ClientConnection, connect

    from apps.core.live import publish

    gate, sockets = asyncio.Semaphore(CONNECT_AT_ONCE), []
    received: list[float] = []
    begun = [0.0]

    async def listen(one: "ClientConnection") -> None:
        async for text in one:
            if '"topic"' in text[:40] and begun[0]:
                received.append((time.perf_counter() - begun[0]) * 1_000)

    async def enter() -> "ClientConnection":
        async with gate:
            one = await connect(f"ws://127.0.0.1:{port}/ws/live/", origin=f"http://127.0.0.1:{port}",  # type: ignore[arg-type]
                                additional_headers={"Cookie": cookie}, open_timeout=60, max_queue=None)  # fmt: skip
            watch = {"watch": [{"topic": f"board:{WORKFLOW}", "version": int(time.time() * 1000) + 60_000}]}
            await one.send(json.dumps(watch))
            return one

    sockets = await asyncio.gather(*(enter() for _ in range(count)))
    listeners = [asyncio.create_task(listen(one)) for one in sockets]
    await asyncio.sleep(PAUSE_SECONDS)
    announcing: list[float] = []
    every: list[float] = []
    for number in range(ROUNDS + 1):
        received.clear()
        begun[0] = time.perf_counter()
        await sync_to_async(publish)({f"board:{WORKFLOW}"})
        took = (time.perf_counter() - begun[0]) * 1_000
        deadline = time.perf_counter() + 20
        while len(received) < count and time.perf_counter() < deadline:
            await asyncio.sleep(0.02)
        if len(received) < count:
            raise CannotMeasureError(f"{len(received)} of {count} boards were told within 20 s")
        if number:
            # The first draws with cold caches.
            announcing.append(took)
            every += received[:count]
        await asyncio.sleep(PAUSE_SECONDS)
    for listener in listeners:
        listener.cancel()
    await asyncio.gather(*(one.close() for one in sockets), return_exceptions=True)
    return announcing, every

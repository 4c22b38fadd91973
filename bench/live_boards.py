"""2,000 people with a board open beside 100: what an announcement costs, and how soon all of them have the new board (g7).

And what comes after a deploy: all of them lose their socket at once and come back, as the page's own script does.
"""

import asyncio
import gzip
import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from statistics import median, quantiles
from typing import TYPE_CHECKING

from bench import ground
from bench.row import CannotMeasureError, Row

MANY, FEW = int(os.environ.get("BENCH_BOARDS", "2000")), 100
ROUNDS, PAUSE_SECONDS = 12, 1.5
CONNECT_AT_ONCE = 40
# As static/js/live.js has them, in seconds; and within what all are to have their board again.
FIRST_WAIT, LONGEST_WAIT, STORM_SECONDS = 0.3, 10.0, 20
WORKFLOW = "order_to_cash"
# Announces as a worker does, in a process of its own: this one is busy with 2,000 sockets.
ANNOUNCER = """
import sys, time
import django
django.setup()
from apps.core.live import publish
for topic in sys.stdin:
    begun = time.perf_counter()
    publish({topic.strip()})
    print((time.perf_counter() - begun) * 1_000, flush=True)
"""

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection


def run() -> list[Row]:
    """Serve the tower, open real sockets on loopback, and announce changes of a board."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 3 * MANY:
        raise CannotMeasureError(f"this machine allows {hard} open files; raise the limit above {3 * MANY} (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 3 * MANY), hard))
    ground.tower()
    from django.conf import settings
    from django.test import Client

    from apps.accounts.models import User
    from controltower import embedded
    from controltower.supervisor import uvicorn

    watcher = User.objects.create_user("watcher", password="a long password", role="manager")
    client = Client()
    client.force_login(watcher)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"

    def serve() -> "subprocess.Popen[bytes]":
        environment = os.environ | {"PUBLIC_URL": url, "PORT": str(port)}
        begun = subprocess.Popen(
            uvicorn("controltower.asgi:application", port),
            env=environment,
            stderr=subprocess.DEVNULL,
            preexec_fn=embedded.die_with_parent(signal.SIGKILL),
        )
        _await(url)
        return begun

    server = serve()
    announcer = subprocess.Popen(
        [sys.executable, "-c", ANNOUNCER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=embedded.die_with_parent(signal.SIGKILL),
    )
    try:
        few = asyncio.run(_measure(port, cookie, FEW, announcer))
        many = asyncio.run(_measure(port, cookie, MANY, announcer))
        server.terminate()
        server.wait(20)
        server = serve()
        back = asyncio.run(_storm(port, cookie, MANY))
    finally:
        announcer.kill()
        announcer.wait()
        server.terminate()
        server.wait(20)
    p95 = quantiles(many[1], n=20)[-1]
    return [
        Row(
            name=f"announcing a change, {MANY:,} boards beside {FEW}",
            value=median(many[0]),
            peer=median(few[0]),
            ratio=median(many[0]) / median(few[0]),
            goal=1.3,
            unit="ms",
            lower_is_better=True,
        ),
        Row(
            name=f"change to receipt at {MANY:,} boards, p95, beside 1 s",
            value=p95,
            peer=1_000,
            ratio=p95 / 1_000,
            goal=1.0,
            unit="ms",
            lower_is_better=True,
        ),
        Row(
            name=f"{MANY:,} boards cut off at once, last one up to date again, of {STORM_SECONDS} s",
            value=max(back),
            peer=STORM_SECONDS,
            ratio=max(back) / STORM_SECONDS,
            goal=1.0,
            unit="s",
            lower_is_better=True,
        ),
    ]


def _await(url: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(f"{url}/healthz", timeout=5):
            return
        time.sleep(0.2)
    raise CannotMeasureError("the web process did not answer within two minutes")


async def _enter(port: int, cookie: str, *, version: int) -> "ClientConnection":
    """A page's socket that has said which version of the board it shows."""
    from websockets.asyncio.client import connect

    one = await connect(
        f"ws://127.0.0.1:{port}/ws/live/",
        origin=f"http://127.0.0.1:{port}",  # type: ignore[arg-type]
        additional_headers={"Cookie": cookie},
        open_timeout=60,
        max_queue=None,
    )
    await one.send(json.dumps({"watch": [{"topic": f"board:{WORKFLOW}", "version": version}]}))
    return one


async def _storm(port: int, cookie: str, count: int) -> list[float]:
    """Seconds until each of ``count`` pages that lost their socket at the same moment shows the newest board again."""
    begun = time.perf_counter()

    async def come_back() -> float:
        wait = FIRST_WAIT
        while True:
            await asyncio.sleep(wait * random.uniform(0.5, 1))
            with suppress(OSError, TimeoutError):
                one = await _enter(port, cookie, version=1)
                await one.recv()
                took = time.perf_counter() - begun
                await one.close()
                return took
            wait = min(wait * 2, LONGEST_WAIT)

    return list(await asyncio.gather(*(come_back() for _ in range(count))))


async def _measure(port: int, cookie: str, count: int, announcer: "subprocess.Popen[str]") -> tuple[list[float], list[float]]:
    """Milliseconds that announcing took each time, and from the announcement to each board's receipt."""

    def announce() -> float:
        assert announcer.stdin is not None and announcer.stdout is not None
        announcer.stdin.write(f"board:{WORKFLOW}\n")
        announcer.stdin.flush()
        return float(announcer.stdout.readline())

    gate, sockets = asyncio.Semaphore(CONNECT_AT_ONCE), []
    received: list[float] = []
    begun = [0.0]
    # A browser unpacks its own frame on its own machine; here one of them is looked into, not 2,000 on the server's cores.
    newest = [b""]

    async def listen(one: "ClientConnection") -> None:
        async for text in one:
            if begun[0] and not isinstance(text, str):
                received.append((time.perf_counter() - begun[0]) * 1_000)
                newest[0] = text

    async def enter() -> "ClientConnection":
        async with gate:
            return await _enter(port, cookie, version=int(time.time() * 1000) + 60_000)

    sockets = await asyncio.gather(*(enter() for _ in range(count)))
    listeners = [asyncio.create_task(listen(one)) for one in sockets]
    await asyncio.sleep(PAUSE_SECONDS)
    announcing: list[float] = []
    every: list[float] = []
    for number in range(ROUNDS + 1):
        received.clear()
        begun[0] = time.perf_counter()
        took = await asyncio.to_thread(announce)
        deadline = time.perf_counter() + 20
        while len(received) < count and time.perf_counter() < deadline:
            await asyncio.sleep(0.02)
        if len(received) < count:
            raise CannotMeasureError(f"{len(received)} of {count} boards were told within 20 s")
        assert json.loads(gzip.decompress(newest[0]))["topic"] == f"board:{WORKFLOW}"
        if number:
            # The first draws with cold caches.
            announcing.append(took)
            every += received[:count]
        await asyncio.sleep(PAUSE_SECONDS)
    for listener in listeners:
        listener.cancel()
    await asyncio.gather(*(one.close() for one in sockets), return_exceptions=True)
    return announcing, every

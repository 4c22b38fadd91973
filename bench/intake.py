"""Intake: durable deliveries/s at 64 connections, beside the same server answering 202 without storing.

Both are the intake process as it runs in service, one process each, posted to over loopback by kept-alive connections
that send the next webhook when the last was answered. Whatever was answered 202 is counted in the table afterwards.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from statistics import quantiles
from typing import Any

from bench import ground
from bench.row import Row

CONNECTIONS = 64
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
WARM_SECONDS, SECONDS = 0.5, float(os.environ.get("BENCH_SECONDS", "4"))
SECRET = "a-secret-of-the-measurement"
# The record of the first delivery, which only asks whether the server stands.
FIRST = 2**40

numbers = count(1)


def run() -> list[Row]:
    """Measure."""
    ground.tower()
    from apps.intake.models import Delivery
    from apps.odoo.models import Connection

    connection = Connection.objects.create(name="intake", url="http://odoo.test", hook_secret=SECRET)
    with served("apps.intake.asgi:application") as durable, served("bench.intake:bare") as bare:
        stored = 0

        def store() -> float:
            nonlocal stored
            rate, accepted = posted(durable, "durable")
            stored += accepted
            return rate

        found = ground.interleaved({"durable": store, "bare": lambda: posted(bare, "bare")[0]}, rounds=ROUNDS)
    kept = Delivery.objects.filter(connection=connection).exclude(odoo_id=FIRST).count()
    assert kept == stored, f"{stored} deliveries were accepted and {kept} are stored"
    return [
        Row(
            name=f"intake, {CONNECTIONS} connections, ÷ 202 without storing", goal=0.35, unit="per second",
            **ground.beside(found["durable"], found["bare"]),
        )
    ]  # fmt: skip


async def bare(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The intake application with one step left out: what it accepts is not stored."""
    from apps.intake import asgi, store

    store.Store.add = _forget  # type: ignore[method-assign]
    await asgi.application(scope, receive, send)


async def _forget(*_: object) -> None: ...


@contextlib.contextmanager
def served(application: str) -> Iterator[int]:
    """A server of ``application`` as the supervisor starts it; its port."""
    from controltower import embedded
    from controltower.env import BASE_DIR
    from controltower.process import free_port
    from controltower.supervisor import uvicorn

    port = free_port()
    process = subprocess.Popen(
        uvicorn(application, port), cwd=BASE_DIR, env=os.environ, preexec_fn=embedded.die_with_parent(signal.SIGKILL)
    )
    try:
        deadline = time.monotonic() + 60
        while asyncio.run(first_answer(port)) != 202:
            assert process.poll() is None and time.monotonic() < deadline, f"{application} does not serve"
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


async def first_answer(port: int) -> int:
    """The status of one delivery that is the same each time and belongs to no figure; 0 where nobody answers."""
    with contextlib.suppress(OSError):
        sender = Sender(number=FIRST, until=0.0)
        await asyncio.get_running_loop().create_connection(lambda: sender, "127.0.0.1", port)
        await sender.ended
        return sender.status
    return 0


def posted(port: int, what: str) -> tuple[float, int]:
    """Post for some seconds; answers/s, and how many were accepted in all."""
    import uvloop

    accepted, _ = uvloop.run(post(port, seconds=WARM_SECONDS))
    measured, seconds = uvloop.run(post(port, seconds=SECONDS))
    cuts = quantiles(seconds, n=100)
    rate = measured / SECONDS
    said = f"    {what}: {rate:,.0f}/s, half within {cuts[49] * 1000:.1f} ms, 99 % within {cuts[98] * 1000:.1f} ms"
    print(said, file=sys.stderr, flush=True)
    return rate, accepted + measured


async def post(port: int, *, seconds: float) -> tuple[int, list[float]]:
    """Post over all connections; how many were accepted, and how long each answer took."""
    until = time.perf_counter() + seconds
    senders = [Sender(number=None, until=until) for _ in range(CONNECTIONS)]
    for sender in senders:
        await asyncio.get_running_loop().create_connection(lambda sender=sender: sender, "127.0.0.1", port)
    await asyncio.gather(*(sender.ended for sender in senders))
    taken = [one for sender in senders for one in sender.seconds]
    return len(taken), taken


def request(number: int) -> bytes:
    """A webhook as Odoo 19 posts it."""
    body = json.dumps(
        {
            "_action": "Control Tower: sale.order(#412)", "_id": number, "_model": "sale.order", "id": number,
            "write_date": "2026-11-23 10:00:00.123456", "state": "sale", "amount_total": 6200.0,
        }
    )  # fmt: skip
    return (
        f"POST /hooks/odoo/{SECRET}/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: python-requests/2.32.3\r\n"
        "Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


class Sender(asyncio.Protocol):
    """One kept-alive connection that posts, waits for the answer, and posts again until its time is over."""

    def __init__(self, *, number: int | None, until: float) -> None:
        self.number, self.until = number, until
        self.seconds: list[float] = []
        self.answer = b""
        self.status = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.post()

    def post(self) -> None:
        self.begun = time.perf_counter()
        self.transport.write(request(self.number or next(numbers)))

    def data_received(self, data: bytes) -> None:
        self.answer += data
        if not self.answer.endswith(b"}"):  # Every answer's body is a JSON object, and no head ends like one.
            return
        self.status, self.answer = int(self.answer[9:12]), b""
        now = time.perf_counter()
        if self.status == 202:
            self.seconds.append(now - self.begun)
        if now < self.until:
            self.post()
        else:
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

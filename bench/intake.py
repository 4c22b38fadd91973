"""Intake: durable deliveries/s at 64 connections, beside the same server storing nothing or each by itself, Restate and n8n.

The first three are the intake process as it runs in service, one process each. All are posted to over loopback by kept-alive
connections that send the next webhook when the last was answered. Whatever the tower answered 202 is counted in its table
afterwards. A peer that cannot be had here is left out with a word.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from statistics import median, quantiles
from typing import Any

from bench import ground, receivers
from bench.row import CannotMeasureError, Row

CONNECTIONS = 64
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
WARM_SECONDS, SECONDS = 0.5, float(os.environ.get("BENCH_SECONDS", "4"))
SECRET = "a-secret-of-the-measurement"
# The record of the first delivery, which only asks whether the server stands.
FIRST = 2**40
# n8n says 200 where the others say 202.
ACCEPTED = {200, 202}

numbers = count(1)


def run() -> list[Row]:
    """Measure."""
    ground.tower()
    from apps.intake.models import Delivery
    from apps.odoo.models import Connection

    connection = Connection.objects.create(name="intake", url="http://odoo.test", hook_secret=SECRET)
    ours = {"durable": "apps.intake.asgi:application", "bare": "bench.intake:bare", "singly": "bench.intake:singly"}
    slowest: list[float] = []
    stored = 0

    def store(receiver: receivers.Receiver, what: str) -> float:
        nonlocal stored
        rate, accepted, cuts = posted(receiver, what)
        if what != "bare":
            stored += accepted
        if what == "durable":
            slowest.append(cuts[98] * 1000)
        return rate

    with contextlib.ExitStack() as running:
        contenders: dict[str, Callable[[], float]] = {}
        for what, application in ours.items():
            receiver = receivers.Receiver(running.enter_context(served(application)), f"/hooks/odoo/{SECRET}/", "")
            contenders[what] = partial(store, receiver, what)
        peers = {"Restate": receivers.restate, "n8n": partial(receivers.n8n, os.environ["DATABASE_URL"])}
        for what, start in peers.items():
            try:
                receiver = running.enter_context(start())
            except CannotMeasureError as reason:
                print(f"!!! {what} is left out: {reason}", file=sys.stderr, flush=True)
            else:
                contenders[what] = lambda receiver=receiver, what=what: posted(receiver, f"{what} {receiver.version}")[0]
        found = ground.interleaved(contenders, rounds=ROUNDS)
    kept = Delivery.objects.filter(connection=connection).exclude(odoo_id=FIRST).count()
    assert kept == stored, f"{stored} deliveries were accepted and {kept} are stored"
    goals = {
        "bare": (0.4, "202 without storing"),
        "singly": (4, "one commit each"),
        "Restate": (2, "Restate's send"),
        "n8n": (300, "n8n, answering at once"),
    }
    worst = median(slowest)
    return [
        *(
            Row(
                name=f"intake, {CONNECTIONS} connections, ÷ {words}",
                goal=goal,
                unit="per second",
                **ground.beside(found["durable"], found[what]),
            )
            for what, (goal, words) in goals.items()
            if what in found
        ),
        Row(
            name=f"intake, {CONNECTIONS} connections, p99 ÷ 50 ms",
            goal=1,
            unit="ms",
            lower_is_better=True,
            value=worst,
            peer=50.0,
            ratio=worst / 50,
        ),
    ]


async def bare(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The intake application with one step left out: what it accepts is not stored."""
    from apps.intake import asgi, store

    store.Store.add = _forget  # type: ignore[method-assign]
    await asgi.application(scope, receive, send)


async def _forget(*_: object) -> None: ...


async def singly(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The intake application with one step changed: each delivery is stored in a transaction of its own."""
    from apps.intake import asgi, store

    store.GROUP = 1
    await asgi.application(scope, receive, send)


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
        sender = Sender(path=f"/hooks/odoo/{SECRET}/", number=FIRST, until=0.0)
        await asyncio.get_running_loop().create_connection(lambda: sender, "127.0.0.1", port)
        await sender.ended
        return sender.status
    return 0


def posted(receiver: receivers.Receiver, what: str) -> tuple[float, int, list[float]]:
    """Post for some seconds; answers/s, how many were accepted in all, and the hundredths of the seconds that answers took."""
    import uvloop

    accepted, _ = uvloop.run(post(receiver, seconds=WARM_SECONDS))
    measured, seconds = uvloop.run(post(receiver, seconds=SECONDS))
    cuts = quantiles(seconds, n=100)
    rate = measured / SECONDS
    said = f"    {what}: {rate:,.0f}/s, half within {cuts[49] * 1000:.1f} ms, 99 % within {cuts[98] * 1000:.1f} ms"
    print(said, file=sys.stderr, flush=True)
    return rate, accepted + measured, cuts


async def post(receiver: receivers.Receiver, *, seconds: float) -> tuple[int, list[float]]:
    """Post over all connections; how many were accepted, and how long each answer took."""
    until = time.perf_counter() + seconds
    senders = [Sender(path=receiver.path, number=None, until=until) for _ in range(CONNECTIONS)]
    for sender in senders:
        await asyncio.get_running_loop().create_connection(lambda sender=sender: sender, "127.0.0.1", receiver.port)
    await asyncio.gather(*(sender.ended for sender in senders))
    taken = [one for sender in senders for one in sender.seconds]
    return len(taken), taken


def request(path: str, number: int) -> bytes:
    """A webhook as Odoo 19 posts it."""
    body = json.dumps(
        {
            "_action": "Control Tower: sale.order(#412)",
            "_id": number,
            "_model": "sale.order",
            "id": number,
            "write_date": "2026-11-23 10:00:00.123456",
            "state": "sale",
            "amount_total": 6200.0,
        }
    )
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: python-requests/2.32.3\r\n"
        "Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


class Sender(asyncio.Protocol):
    """One kept-alive connection that posts, waits for the answer, and posts again until its time is over."""

    def __init__(self, *, path: str, number: int | None, until: float) -> None:
        self.path, self.number, self.until = path, number, until
        self.seconds: list[float] = []
        self.answer = b""
        self.status = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.post()

    def post(self) -> None:
        self.begun = time.perf_counter()
        self.transport.write(request(self.path, self.number or next(numbers)))

    def data_received(self, data: bytes) -> None:
        self.answer += data
        if not self.answer.endswith(b"}"):  # Every answer's body is a JSON object, and no head ends like one.
            return
        self.status, self.answer = int(self.answer[9:12]), b""
        now = time.perf_counter()
        if self.status in ACCEPTED:
            self.seconds.append(now - self.begun)
        if now < self.until:
            self.post()
        else:
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

"""What the tower's rules cost Odoo's users: a write of twenty orders, beside the same with a receiver that does nothing.

Odoo posts each webhook while its user waits, and gives up after a second. So the same write is timed with the tower's intake
well, without its Valkey, and with a database that refuses or says nothing; each time beside the receiver that answers at once.
And how long intake takes to answer while a million rows are being written into the same database by the first read.
"""

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from statistics import median, quantiles
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from bench import ground, intake, odoo
from bench.row import Row

ORDERS = 20
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
BATCH = 2_000
BESIDE_SECONDS, A_SECOND = 15, 100
REFUSED_WITHIN, STORED_WITHIN = 20.0, 10.0

words = itertools.count(1)


def run() -> list[Row]:
    """Measure."""
    ground.tower()
    address = odoo.fresh()
    with contextlib.ExitStack() as running:
        line = running.enter_context(Line(os.environ["DATABASE_URL"]))
        ports = {
            "nothing": running.enter_context(served("bench.hooks:nothing")),
            "tower": running.enter_context(served("apps.intake.asgi:application")),
            "no Valkey": running.enter_context(served("apps.intake.asgi:application", REDIS_URL="redis://127.0.0.1:1")),
            "no database": running.enter_context(served("apps.intake.asgi:application", DATABASE_URL=line.url)),
        }
        odoo_of = Rules(address, ports)
        try:
            waited: dict[str, list[float]] = {}
            contenders = {what: (lambda what=what: odoo_of.write(what)) for what in ("nothing", "tower", "no Valkey")}
            found = ground.interleaved(contenders, rounds=ROUNDS)
            for how in ("refuses", "is silent"):
                line.how = how
                odoo_of.write("no database")  # the first that meets it finds out
                found |= {how: [odoo_of.write("no database") for _ in range(ROUNDS)]}
                waited[how] = answers(ports["no database"])
        finally:
            odoo_of.remove()
        beside = while_a_million_come(ports["tower"])
    named = {
        "tower": "",
        "no Valkey": ", its Valkey away",
        "refuses": ", its database refusing",
        "is silent": ", its database silent",
    }
    rows = [
        Row(
            name=f"Odoo writes {ORDERS} orders, told to the tower{more} ÷ to nothing",
            goal=1.1,
            unit="ms",
            lower_is_better=True,
            **ground.beside(found[what], found["nothing"]),
        )
        for what, more in named.items()
    ]
    rows += [
        Row(
            name=f"intake answers, its database {how}, p99 ÷ 20 ms",
            goal=1,
            unit="ms",
            lower_is_better=True,
            value=p99(seconds),
            peer=REFUSED_WITHIN,
            ratio=p99(seconds) / REFUSED_WITHIN,
        )
        for how, seconds in waited.items()
    ]
    return [
        *rows,
        Row(
            name=f"intake answers while {ROWS:,} rows are first read, p99 ÷ 10 ms",
            goal=1,
            unit="ms",
            lower_is_better=True,
            value=p99(beside),
            peer=STORED_WITHIN,
            ratio=p99(beside) / STORED_WITHIN,
        ),
    ]


def p99(seconds: list[float]) -> float:
    """Milliseconds within which 99 of a hundred came."""
    return quantiles(seconds, n=100)[98] * 1000


async def nothing(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """A receiver that takes what comes, and answers."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})


@contextlib.contextmanager
def served(application: str, **environment: str) -> Iterator[int]:
    """A server of ``application`` as the supervisor starts it, with other settings where given; its port."""
    from controltower import embedded
    from controltower.env import BASE_DIR
    from controltower.process import free_port
    from controltower.supervisor import uvicorn

    port = free_port()
    process = subprocess.Popen(
        uvicorn(application, port), cwd=BASE_DIR, env=os.environ | environment, preexec_fn=embedded.die_with_parent(signal.SIGKILL)
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None and time.monotonic() < deadline, f"{application} does not serve"
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


class Rules:
    """The tower's rules in an Odoo, whose messages can be sent to one receiver or another."""

    def __init__(self, address: dict[str, str], ports: dict[str, int]) -> None:
        from django.conf import settings

        from apps.core import clock
        from apps.odoo import client, provision
        from apps.odoo.models import Connection
        from apps.pipeline.upkeep import probing
        from apps.workflows import blueprint

        self.ports, settings.INTAKE_URL = ports, f"http://127.0.0.1:{ports['nothing']}"
        self.connection = Connection.objects.create(name="hooks", hook_secret=intake.SECRET, **address)
        probing.probe(self.connection, now=clock.now())
        provision.apply(self.connection, blueprint.of_catalogue())
        self.client = client.connect(self.connection)
        ours = [("state", "=", "webhook"), ("webhook_url", "like", intake.SECRET)]
        self.actions = [row["id"] for row in self.client.search_read("ir.actions.server", ours, ["id"])]
        orders = self.client.search_read("sale.order", [("state", "=", "draft")], ["id"], limit=ORDERS)
        self.orders = [row["id"] for row in orders]
        while len(self.orders) < ORDERS:
            self.orders.append(self.client.call("sale.order", "copy", [self.orders[0]])[0])
        self.told = ""

    def write(self, receiver: str) -> float:
        """Milliseconds that a person waits for a write of all the orders, told to ``receiver``."""
        if self.told != receiver:
            url = f"http://127.0.0.1:{self.ports[receiver]}/hooks/odoo/{intake.SECRET}/"
            self.client.write("ir.actions.server", self.actions, {"webhook_url": url})
            self.told = receiver
            self._write()
        return self._write()

    def _write(self) -> float:
        begun = time.perf_counter()
        self.client.write("sale.order", self.orders, {"client_order_ref": f"bench {next(words)}"})
        return (time.perf_counter() - begun) * 1000

    def remove(self) -> None:
        """Leave Odoo as it was."""
        from apps.odoo import provision

        provision.remove(self.connection)


class Line:
    """A way to the database server that can refuse or fall silent."""

    def __init__(self, database_url: str) -> None:
        parts = urlsplit(database_url)
        # The host is the directory of the server's socket, quoted.
        self.to = f"{unquote(parts.netloc.rpartition('@')[2])}/.s.PGSQL.5432"
        self.listener = socket.create_server(("127.0.0.1", 0))
        place = f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{self.listener.getsockname()[1]}"
        self.url = urlunsplit(parts._replace(netloc=place))
        self._how = "works"
        self.open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self.how = "refuses"
        self.listener.close()

    @property
    def how(self) -> str:
        """``works``, ``refuses`` or ``is silent``."""
        return self._how

    @how.setter
    def how(self, how: str) -> None:
        self._how = how
        if how == "refuses":
            for one in self.open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            self.open.clear()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                if self._how == "refuses":
                    near.close()
                    continue
                far = socket.socket(socket.AF_UNIX)
                far.connect(self.to)
                self.open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65_536):
                if self._how == "works":
                    other.sendall(data)


def answers(port: int) -> list[float]:
    """Seconds that a hundred answers took, asked for one after the other."""
    return _asked(port, number=100, pause=0.0)


def _asked(port: int, *, number: int, pause: float) -> list[float]:
    """Seconds until each of so many webhooks was answered, each over a connection of its own as Odoo opens them."""
    seconds = []
    for _ in range(number):
        begun = time.perf_counter()
        with socket.create_connection(("127.0.0.1", port), 10) as line:
            line.sendall(intake.request(f"/hooks/odoo/{intake.SECRET}/", next(intake.numbers)))
            answer = b""
            while not answer.endswith(b"}") and (data := line.recv(65_536)):
                answer += data
        seconds.append(time.perf_counter() - begun)
        assert answer.startswith((b"HTTP/1.1 202", b"HTTP/1.1 503")), answer
        time.sleep(pause)
    return seconds


def while_a_million_come(port: int) -> list[float]:
    """Seconds that answers of intake took while orders are written into the mirror as the first read writes them."""
    done = threading.Event()
    written = [0]

    def write() -> None:
        from datetime import UTC, datetime

        from django.db import connection as database
        from django.db import transaction

        from apps.mirror import registry, upsert
        from apps.odoo.models import Connection

        large = Connection.objects.create(name="large", url="http://odoo.test")
        model, at = registry.models()["sale.order"], datetime.now(UTC)
        empty: dict[str, Any] = dict.fromkeys(model.odoo_fields(), False)
        for first in range(1, ROWS, BATCH):
            if done.is_set():
                break
            rows = [
                empty
                | {
                    "id": number,
                    "write_date": "2026-11-23 10:00:00",
                    "create_date": "2026-11-23 10:00:00",
                    "name": f"S{number:07}",
                    "state": "sale",
                    "amount_total": 10.0,
                    "company_id": 1,
                }
                for number in range(first, first + BATCH)
            ]
            with transaction.atomic():
                upsert.apply(model, connection_id=large.pk, rows=rows, read_at=at)
            written[0] += BATCH
        database.close()

    writing = threading.Thread(target=write)
    writing.start()
    seconds = _asked(port, number=BESIDE_SECONDS * A_SECOND, pause=1 / A_SECOND)
    assert writing.is_alive() or written[0] >= ROWS, "the rows beside it were not written"
    done.set()
    writing.join()
    figures = json.dumps({"median ms": round(median(seconds) * 1000, 1), "rows written beside it": written[0]})
    print(f"    intake: {figures}", file=sys.stderr, flush=True)
    return seconds

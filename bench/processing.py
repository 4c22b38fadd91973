"""Deliveries from stored to mirrored and evaluated, in batches as the worker takes them, beside one task a delivery."""

import atexit
import os
import signal
import subprocess
import sys
import time
import urllib.request

from bench import ground
from bench.row import CannotMeasureError, Row

ROUNDS, ORDERS = 5, 1_500
FLOOD, SINGLY = 6_000, 60


def run() -> list[Row]:
    """Measure."""
    ground.tower()
    from apps.core import clock
    from apps.odoo import client as wire
    from apps.odoo.models import Connection
    from apps.pipeline import upkeep

    url = _company()
    connection = Connection.objects.create(name="flood", url=url, database="sandbox", login="tower", api_key="sandbox-key")
    upkeep.probe(connection, now=clock.now())
    for _ in upkeep.first_read(connection, clock=clock.now):
        pass
    calls = _count_calls(wire)
    found = ground.interleaved(
        {"batches": lambda: _through(connection.pk, FLOOD), "one": lambda: _one_by_one(connection.pk, SINGLY)}, rounds=ROUNDS
    )
    calls.clear()
    _through(connection.pk, FLOOD)
    print(f"    {FLOOD:,} deliveries of {ORDERS:,} orders: {len(calls)} calls to Odoo", file=sys.stderr, flush=True)
    return [
        Row(name="deliveries to committed effect ÷ one task a delivery", goal=10, unit="per second",
            **ground.beside(found["batches"], found["one"])),
        Row(name="calls to Odoo per 1,000 deliveries of a flood ÷ one each", goal=0.05, unit="calls", lower_is_better=True,
            value=1_000 * len(calls) / FLOOD, peer=1_000.0, ratio=len(calls) / FLOOD),
    ]  # fmt: skip


def _company() -> str:
    """A stand-in company in a process of its own; its address."""
    from controltower import embedded
    from controltower.process import free_port

    port = free_port()
    command = [sys.executable, "manage.py", "sandbox", "--port", str(port), "--orders", str(ORDERS), "--no-business"]
    process = subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL,
                               preexec_fn=embedded.die_with_parent(signal.SIGKILL))  # fmt: skip
    atexit.register(process.kill)
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 180
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/web/health", timeout=5):
                return url
        except OSError:
            time.sleep(0.2)
    raise CannotMeasureError("the stand-in company did not start")


def _count_calls(wire: object) -> list[str]:
    """A list that every call to Odoo is noted in from now on."""
    calls: list[str] = []
    real = wire.OdooClient.call  # type: ignore[attr-defined]

    def call(self: object, model: str, method: str, *arguments: object, **named: object) -> object:
        calls.append(f"{model}.{method}")
        return real(self, model, method, *arguments, **named)

    wire.OdooClient.call = call  # type: ignore[attr-defined]
    return calls


def _flood(connection_id: int, number: int) -> None:
    """Deliveries of orders, each told of several times, as intake stores them."""
    from django.db import connection as database

    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO intake_delivery (source, connection_id, key, model, odoo_id, body, received_at, not_before, status, "
            "attempts, problem) SELECT 'odoo', %s, md5(random()::text), 'sale.order', 1 + n %% %s, '{}', now(), now(), "
            "'pending', 0, '' FROM generate_series(1, %s) AS n",
            [connection_id, ORDERS, number],
        )


def _through(connection_id: int, number: int) -> float:
    """Deliveries a second, as the worker takes them."""
    from apps.core import clock
    from apps.pipeline import batch

    _flood(connection_id, number)
    begun = time.perf_counter()
    while batch.process(clock=clock.now):
        pass
    return number / (time.perf_counter() - begun)


def _one_by_one(connection_id: int, number: int) -> float:
    """Deliveries a second where each is read and settled by itself; the cost of a broker's message is not counted."""
    from apps.core import clock
    from apps.pipeline import batch

    _flood(connection_id, number)
    most, batch.DELIVERIES = batch.DELIVERIES, 1
    try:
        begun = time.perf_counter()
        while batch.process(clock=clock.now):
            pass
        return number / (time.perf_counter() - begun)
    finally:
        batch.DELIVERIES = most

"""Deliveries from stored to mirrored and evaluated, in batches as the worker takes them, beside one task a delivery.

And 200 changes a second, posted to the intake and taken by a worker as in service: how long each takes to its committed effect;
and changed records a second beside the bare reading of them.
"""

import atexit
import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from typing import Any

from bench import ground, intake
from bench.row import CannotMeasureError, Row

ROUNDS, ORDERS = 5, 1_500
FLOOD, SINGLY = 6_000, 60
A_SECOND, SECONDS, WARM_SECONDS, WITHIN_MS = 200, 20, 5, 1_000.0

numbers = itertools.count(1)


def run() -> list[Row]:
    """Measure."""
    ground.tower()
    from apps.core import clock
    from apps.odoo import client as wire
    from apps.odoo.models import Connection
    from apps.pipeline import first_sync
    from apps.pipeline.upkeep import probing

    url = _company()
    connection = Connection.objects.create(
        name="flood", url=url, database="sandbox", login="tower", api_key="sandbox-key", hook_secret=intake.SECRET
    )
    probing.probe(connection, now=clock.now())
    for _ in first_sync.first_read(connection, clock=clock.now):
        pass
    calls = _count_calls(wire)
    found = ground.interleaved(
        {"batches": lambda: _through(connection.pk, FLOOD), "one": lambda: _one_by_one(connection.pk, SINGLY)}, rounds=ROUNDS
    )
    read: dict[str, Any] = ground.interleaved(
        {"taken": lambda: _all_changed(connection.pk), "bare": lambda: _read(connection)}, rounds=ROUNDS
    )
    calls.clear()
    _through(connection.pk, FLOOD)
    print(f"    {FLOOD:,} deliveries of {ORDERS:,} orders: {len(calls)} calls to Odoo", file=sys.stderr, flush=True)
    p95 = _at_a_steady_rate(connection.pk)
    return [
        Row(
            name=f"delivery to committed effect, p95, {A_SECOND} changes/s ÷ 1 s",
            goal=1,
            unit="ms",
            lower_is_better=True,
            value=p95,
            peer=WITHIN_MS,
            ratio=p95 / WITHIN_MS,
        ),
        Row(
            name="changed orders to committed effect ÷ reading them and throwing them away",
            goal=0.2,
            unit="per second",
            **ground.beside(read["taken"], read["bare"]),
        ),
        Row(
            name="deliveries to committed effect ÷ one task a delivery",
            goal=10,
            unit="per second",
            **ground.beside(found["batches"], found["one"]),
        ),
        Row(
            name="calls to Odoo per 1,000 deliveries of a flood ÷ one each",
            goal=0.05,
            unit="calls",
            lower_is_better=True,
            value=1_000 * len(calls) / FLOOD,
            peer=1_000.0,
            ratio=len(calls) / FLOOD,
        ),
    ]


def _company() -> str:
    """A stand-in company in a process of its own; its address."""
    from controltower import embedded
    from controltower.process import free_port

    port = free_port()
    command = [sys.executable, "manage.py", "sandbox", "--port", str(port), "--orders", str(ORDERS), "--no-business"]
    process = subprocess.Popen(
        command, env=os.environ, stdout=subprocess.DEVNULL, preexec_fn=embedded.die_with_parent(signal.SIGKILL)
    )
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


def _change(connection_id: int, orders: list[int]) -> None:
    """As if these orders had changed in Odoo since they were read."""
    from django.db import connection as database

    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE mirror_sale_order SET amount_total = amount_total - 1, write_date = write_date - interval '1 second'"
            " WHERE connection_id = %s AND odoo_id = ANY(%s)",
            [connection_id, orders],
        )


def _all_changed(connection_id: int) -> float:
    """Changed orders a second, told of once each."""
    _change(connection_id, list(range(1, ORDERS + 1)))
    return _through(connection_id, ORDERS)


def _read(connection: Any) -> float:
    """Orders a second that are read as a batch reads them, and thrown away."""
    from apps.core import clock
    from apps.mirror import registry
    from apps.mirror.sync import refresh
    from apps.odoo import client as wire

    begun = time.perf_counter()
    reads = refresh.read(wire.connect(connection), registry.models()["sale.order"], list(range(1, ORDERS + 1)), now=clock.now())
    assert len(reads[0].rows) == ORDERS
    return ORDERS / (time.perf_counter() - begun)


def _at_a_steady_rate(connection_id: int) -> float:
    """Milliseconds from a delivery's arrival to its committed effect, at p95; intake and worker run as in service."""
    from django.db import connection as database

    from controltower import embedded, supervisor
    from controltower.env import BASE_DIR

    worker = subprocess.Popen(
        supervisor.worker("steady", "decide,refresh", at_once=2),
        cwd=BASE_DIR,
        env=os.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=embedded.die_with_parent(signal.SIGKILL),
    )
    try:
        with intake.served("apps.intake.asgi:application") as port, database.cursor() as cursor:
            wire, begun, told = http.client.HTTPConnection("127.0.0.1", port, timeout=30), time.monotonic(), 0
            while (since := time.monotonic() - begun) < WARM_SECONDS + SECONDS:
                due = int(since * A_SECOND)
                orders = [1 + number % ORDERS for number in range(told, due)]
                if orders:
                    _change(connection_id, orders)
                for order in orders:
                    body = json.dumps({"_model": "sale.order", "_id": order, "write_date": f"steady {next(numbers)}"})
                    wire.request("POST", f"/hooks/odoo/{intake.SECRET}/", body, {"Content-Type": "application/json"})
                    answer = wire.getresponse()
                    answer.read()
                    assert answer.status == 202
                told = due
                time.sleep(0.02)
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                cursor.execute("SELECT count(*) FROM intake_delivery WHERE status <> 'done'")
                if not cursor.fetchone()[0]:
                    break
                time.sleep(0.2)
            cursor.execute(
                "SELECT count(*), percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM"
                " processed_at - received_at) * 1000) FROM (SELECT * FROM intake_delivery WHERE body LIKE '%%steady%%'"
                " ORDER BY id OFFSET %s) AS one WHERE status = 'done'",
                [WARM_SECONDS * A_SECOND],
            )
            number, (half, p95, p99) = cursor.fetchone()
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    assert number >= A_SECOND * SECONDS * 0.9, f"{number} of {A_SECOND * SECONDS} came to their end"
    print(
        f"    {number:,} deliveries: half within {half:.0f} ms, 95 % within {p95:.0f}, 99 % within {p99:.0f}",
        file=sys.stderr,
        flush=True,
    )
    return float(p95)

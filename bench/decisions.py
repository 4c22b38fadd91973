"""Decisions: from the commit of one to its effect verified in Odoo, beside the bare reading, writing and reading again.

The tower's worker is one as it runs in service, woken over Valkey. Each decision writes a note on one order of a real Odoo.
"""

import os
import signal
import subprocess
import time
from itertools import count
from typing import Any

from bench import ground, odoo
from bench.row import Row

ROUNDS, EACH = int(os.environ.get("BENCH_ROUNDS", "5")), 10
TICK_MS = 1_000.0
WAIT_SECONDS = 60

numbers = count(1)


def run() -> list[Row]:
    """Measure."""
    home = ground.tower()
    from apps.core import clock
    from apps.odoo import client as wire
    from apps.odoo.models import Connection
    from apps.pipeline.upkeep import probing
    from controltower import embedded, supervisor
    from controltower.env import BASE_DIR

    connection = Connection.objects.create(name="decisions", **odoo.fresh())
    probing.probe(connection, now=clock.now())
    client = wire.connect(connection)
    order = client.search("sale.order", [("state", "=", "draft")], limit=1)[0]
    command = supervisor.worker("decisions", "decide,refresh", at_once=2)
    with (home / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            command,
            cwd=BASE_DIR,
            env=os.environ,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=embedded.die_with_parent(signal.SIGKILL),
        )
    try:
        _decide(connection, order)  # The first waits for the worker to stand.
        found: dict[str, Any] = ground.interleaved(
            {"tower": lambda: _half(lambda: _decide(connection, order)), "bare": lambda: _half(lambda: _bare(client, order))},
            rounds=ROUNDS,
        )
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    limits = [2 * one + TICK_MS for one in found["bare"]]
    return [
        Row(
            name="decision to effect seen in Odoo, half within ÷ twice bare read, write, read and a tick",
            goal=1,
            unit="ms",
            lower_is_better=True,
            **ground.beside(found["tower"], limits),
        ),
    ]


def _half(work: Any) -> float:
    """Milliseconds within which half of a few rounds were done."""
    return sorted(work() for _ in range(EACH))[EACH // 2]


def _decide(connection: Any, order: int) -> float:
    """Milliseconds from the commit of a decision until the tower knows that its effect is there."""
    from django.db import transaction

    from apps.core import clock
    from apps.core.actor import system
    from apps.outbox import enqueue
    from apps.outbox.models import Command, Status
    from apps.workflows.declare import OdooCall

    number = next(numbers)
    words = f"decision {number}"
    call = OdooCall(
        title="Write a reference",
        method="write",
        arguments={"vals": {"client_order_ref": words}},
        require=[["state", "=", "draft"]],
        expect=[["client_order_ref", "=", words]],
    )
    with transaction.atomic():
        (command,) = enqueue.commands(
            [call],
            connection=connection,
            model="sale.order",
            odoo_id=order,
            by=system("bench"),
            context={},
            decision=f"bench:{number}",
            now=clock.now(),
        )
    begun = time.perf_counter()
    while (status := Command.objects.values_list("status", flat=True).get(pk=command.pk)) != Status.DONE:
        assert status not in {Status.REFUSED, Status.CANCELLED} and time.perf_counter() < begun + WAIT_SECONDS, status
        time.sleep(0.002)
    return (time.perf_counter() - begun) * 1000


def _bare(client: Any, order: int) -> float:
    """Milliseconds of the calls that cannot be done without."""
    words = f"bare {next(numbers)}"
    begun = time.perf_counter()
    client.read("sale.order", [order], ["state", "client_order_ref"])
    client.write("sale.order", [order], {"client_order_ref": words})
    client.read("sale.order", [order], ["state", "client_order_ref"])
    return (time.perf_counter() - begun) * 1000

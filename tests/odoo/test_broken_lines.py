"""Over a line that breaks at any moment, and with two workers at once, every command has exactly one effect in Odoo.

Each seed is another order, with other breaks. ``EFFECT_SEEDS=200`` tries more of them; one that fails names its seed.
"""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.db import transaction

from apps.core import clock
from apps.core.actor import system
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection
from apps.outbox import dispatch, enqueue
from apps.outbox.models import Command, Status
from apps.workflows.declare import OdooCall
from tests.faults.line import FAULTS, Line
from tests.odoo.calls import ACTIVITY, CONFIRM, NOTE
from tests.platform.conftest import wait_until

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]

SEEDS = int(os.environ.get("EFFECT_SEEDS", "6"))
# More than a line breaks: each look settles at least one command, or the line breaks once more.
LOOKS = 14
KILLER = Path(__file__).with_name("killed_worker.py")
KILLED = ["before it is begun", "before the call", "after the call", "before the note of success"]
# As they stand in the request, in whichever of Odoo's two ways to be called.
WRITES = [b"message_post", b"action_confirm", b'"write"', b"/write", b'"create"', b"/create", b"action_feedback"]

PROMISE = OdooCall(
    title="Write the reference",
    method="write",
    arguments={"vals": {"client_order_ref": "{reference}"}},
    require=[["state", "in", ["draft", "sent"]]],
    expect=[["client_order_ref", "=", "{reference}"]],
)
CALLS = [PROMISE, CONFIRM, NOTE, ACTIVITY, NOTE]


class Breaking:
    """Breaks writes by chance, so many and then no more."""

    def __init__(self, chance: random.Random, *, breaks: int, reads_too: bool) -> None:
        self.chance, self.left, self.reads_too = chance, breaks, reads_too

    def __call__(self, request: bytes) -> str:
        is_write = any(name in request for name in WRITES)
        if self.left and (is_write or self.reads_too) and self.chance.random() < 0.6:
            self.left -= 1
            return self.chance.choice(FAULTS)
        return ""


@pytest.fixture
def order(odoo: OdooClient) -> Iterator[int]:
    partner = odoo.create("res.partner", {"name": "Tower test of lines"})
    product = odoo.search("product.product", [("sale_ok", "=", True), ("type", "=", "consu")], limit=1)[0]
    line = {"product_id": product, "product_uom_qty": 1, "price_unit": 10}
    order = odoo.create("sale.order", {"partner_id": partner, "order_line": [(0, 0, line)]})
    yield order
    odoo.call("sale.order", "action_cancel", [order])
    odoo.unlink("sale.order", [order])
    odoo.write("res.partner", [partner], {"active": False})


def all_at_once() -> None:
    """What waits is due, and the breaker is closed again: as if some time had passed."""
    cache.clear()
    Command.objects.filter(status__in=dispatch.WAITING).update(not_before=clock.now())


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_command_has_one_effect_though_the_line_breaks(
    seed: int, real: Connection, odoo: OdooClient, order: int, process_environment: dict[str, str]
) -> None:
    chance = random.Random(seed)
    calls = chance.sample(CALLS, len(CALLS))
    if calls.index(CONFIRM) < calls.index(PROMISE):
        calls = [PROMISE, *(call for call in calls if call is not PROMISE)]
    with transaction.atomic():
        enqueue.commands(
            calls,
            connection=real,
            model="sale.order",
            odoo_id=order,
            by=system("tests"),
            context={"uid": 2, "reference": f"seed {seed}"},
            decision="approval:1",
            now=clock.now(),
        )
    line = Line(real.url, Breaking(chance, breaks=chance.randint(2, 6), reads_too=chance.random() < 0.3))
    Connection.objects.filter(pk=real.pk).update(url=line.url)
    environment = process_environment | {"PYTHONPATH": "."}
    try:
        if seed % 3 == 0:
            # One worker is killed, another begins before it is known.
            steps = [chance.choice(KILLED), "never"]
            workers = [
                subprocess.Popen([sys.executable, str(KILLER), step], env=environment, stderr=subprocess.PIPE) for step in steps
            ]
            for worker in workers:
                said = worker.communicate(timeout=120)[1]
                assert worker.returncode in (-9, 0), said.decode()
        for hour in range(LOOKS):
            # Once more right away, while what was sent may still run, and then when it cannot any more.
            for _ in range(2):
                all_at_once()
                dispatch.run_due(clock=lambda hour=hour: clock.now() + hour * timedelta(hours=1))
    finally:
        line.close()
        Connection.objects.filter(pk=real.pk).update(url=real.url)

    told = f"seed {seed}: {line.done}, {list(Command.objects.order_by('sequence').values_list('title', 'status', 'problem'))}"
    assert set(Command.objects.values_list("status", flat=True)) == {Status.DONE}, told
    of_order = [("res_model", "=", "sale.order"), ("res_id", "=", order)]
    notes = [("model", "=", "sale.order"), ("res_id", "=", order), ("body", "like", "Exactly one of me")]
    assert odoo.search_count("mail.message", notes) == 2, told
    assert odoo.search_count("mail.activity", of_order) == 1, told
    assert odoo.search_count("stock.picking", [("sale_id", "=", order)]) == 1, told
    row = odoo.read("sale.order", [order], ["state", "client_order_ref"])[0]
    assert (row["state"], row["client_order_ref"]) == ("sale", f"seed {seed}"), told


def workers_of(url: str) -> list[int]:
    """The processes of an Odoo on this machine that answer calls: those that its first process has started."""
    port = f":{urlsplit(url).port or 80:04X}"
    rows = [row.split() for name in ("tcp", "tcp6") for row in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    listening = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(port) and row[3] == "0A"}
    holders: dict[int, int] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if listening & {os.readlink(one) for one in (place / "fd").iterdir()}:
                facts = dict(row.split(":", 1) for row in (place / "status").read_text().splitlines())
                holders[int(place.name)] = int(facts["PPid"])
        except OSError:
            continue
    return [pid for pid, parent in holders.items() if parent in holders]


class Killing:
    """Lets a write through, and ends all of Odoo's workers a moment after it has arrived there."""

    def __init__(self, url: str, moments: list[float]) -> None:
        self.url, self.moments, self.killed = url, moments, 0

    def __call__(self, request: bytes) -> str:
        if self.moments and any(name in request for name in WRITES):
            threading.Timer(self.moments.pop(0), self.kill).start()
        return ""

    def kill(self) -> None:
        for pid in workers_of(self.url):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self.killed += 1


def test_every_command_has_one_effect_though_odoo_is_killed_while_it_carries_them_out(
    real: Connection, odoo: OdooClient, order: int
) -> None:
    if not workers_of(real.url):
        pytest.skip("this Odoo runs on another machine, or without workers")
    with transaction.atomic():
        enqueue.commands(
            [PROMISE, NOTE, CONFIRM, NOTE],
            connection=real,
            model="sale.order",
            odoo_id=order,
            by=system("tests"),
            context={"uid": 2, "reference": "killed"},
            decision="approval:1",
            now=clock.now(),
        )
    killing = Killing(real.url, [0.0, 0.02, 0.08, 0.3])
    line = Line(real.url, killing)
    Connection.objects.filter(pk=real.pk).update(url=line.url)
    try:
        for hour in range(LOOKS):
            all_at_once()
            dispatch.run_due(clock=lambda hour=hour: clock.now() + hour * timedelta(hours=1))
            wait_until(lambda: workers_of(real.url), seconds=60)
    finally:
        line.close()
        Connection.objects.filter(pk=real.pk).update(url=real.url)

    told = list(Command.objects.order_by("sequence").values_list("title", "status", "problem"))
    assert killing.killed > 0
    assert set(Command.objects.values_list("status", flat=True)) == {Status.DONE}, told
    notes = [("model", "=", "sale.order"), ("res_id", "=", order), ("body", "like", "Exactly one of me")]
    assert odoo.search_count("mail.message", notes) == 2, told
    assert odoo.search_count("stock.picking", [("sale_id", "=", order)]) == 1, told
    row = odoo.read("sale.order", [order], ["state", "client_order_ref"])[0]
    assert (row["state"], row["client_order_ref"]) == ("sale", "killed"), told

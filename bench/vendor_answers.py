"""Answers of vendors, kept durably a second: by the transaction that keeps them, and by the whole page that is posted to.

Each session of the database is a process, as a worker of the web server is. An answer counts once its transaction is committed
with fsync: answer, delivery and all. What was counted is counted in the tables afterwards.
"""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from bench import ground, whole_catalogue
from bench.row import CannotMeasureError, Row

SESSIONS = 4
ROUNDS, SECONDS = int(os.environ.get("BENCH_ROUNDS", "3")), float(os.environ.get("BENCH_SECONDS", "4"))
ORDERS = 10_000
ASKED = 1_000.0  # a second

type Asked = tuple[Any, int]


def run() -> list[Row]:
    """Measure."""
    ground.tower()
    from apps.intake.models import Delivery
    from apps.vendors.answers.receiving import SOURCE
    from apps.vendors.models import Answer

    _issue(whole_catalogue.company("answers", ORDERS))
    if not _asked():
        raise CannotMeasureError("no vendor has an open order in the company that was made")
    kept = 0

    def measure(what: str) -> float:
        nonlocal kept
        counts = _at_once(what)
        kept += sum(counts)
        # The first of each session warmed it up.
        return (sum(counts) - SESSIONS) / SECONDS

    found = ground.interleaved({what: partial(measure, what) for what in ANSWERS}, rounds=ROUNDS)
    stored = (Answer.objects.count(), Delivery.objects.filter(source=SOURCE).count())
    assert stored == (kept, kept), f"{kept} answers were taken and {stored} are stored"
    print(f"    {kept:,} answers, each with its delivery", file=sys.stderr, flush=True)
    asked: dict[str, Any] = ground.beside(found["kept"], [ASKED] * ROUNDS)
    page: dict[str, Any] = ground.beside(found["page"], found["kept"])
    return [
        Row(name=f"answers of vendors kept, {SESSIONS} sessions ÷ 1,000 a second", goal=1, unit="per second", **asked),
        Row(name="the vendor's page, posted to its thanks ÷ kept alone", goal=0.05, unit="per second", **page),
    ]


def _at_once(what: str) -> list[int]:
    """How many answers each of the sessions kept, which all begin once all are ready."""
    command = [sys.executable, "-m", "bench.vendor_answers", what]
    workers = [
        subprocess.Popen([*command, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for number in range(SESSIONS)
    ]
    try:
        for worker in workers:
            assert worker.stdout and worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin
            worker.stdin.write("go\n")
            worker.stdin.flush()
        return [int(worker.communicate(timeout=60 + SECONDS)[0]) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def _issue(connection_id: int) -> None:
    """Make a link of each vendor."""
    from apps.core import clock
    from apps.mirror.models.purchase_order import PurchaseOrder
    from apps.odoo.models import Connection
    from apps.vendors.models import VendorLink

    now = clock.now()
    partners = PurchaseOrder.objects.filter(connection=connection_id).values_list("partner_id", flat=True).distinct()
    for partner_id in sorted(partners):
        VendorLink.objects.create(
            connection=Connection.objects.get(pk=connection_id),
            company_id=1,
            partner_id=partner_id,
            partner_name=f"Vendor {partner_id}",
            created_at=now,
            created_by="bench",
            expires_at=now + timedelta(days=1),
        )


def _asked() -> list[Asked]:
    """Each link with each of its open orders; what was to come already cannot be answered as ordered."""
    from apps.core import clock
    from apps.vendors.models import VendorLink
    from apps.vendors.orders import open_lines

    found: list[Asked] = []
    for link in VendorLink.objects.order_by("pk"):
        ordered = open_lines.orders_of(link.connection_id, link.company_id, link.partner_id)
        coming = open_lines.with_open_lines(ordered.filter(date_planned__gt=clock.now() + timedelta(days=4)))
        found += [(link, order_id) for order_id in coming.values_list("odoo_id", flat=True)]
    return found


def work(what: str, number: int) -> None:
    """What a process of its own does: answer, one order after the other, for some seconds; it says how often it did."""
    import django

    django.setup()
    asked, answer = _asked(), ANSWERS[what]
    answer(asked[number % len(asked)])
    print("ready", flush=True)
    sys.stdin.readline()
    count, until = 1, time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        answer(asked[(number + count) % len(asked)])
        count += 1
    print(count, flush=True)


def _keep(one: Asked) -> None:
    from apps.core import clock
    from apps.vendors.answers import receiving

    link, order_id = one
    lines = [{"line": order_id * 3 - number, "says": "as_ordered", "parts": [], "reason": ""} for number in range(3)]
    receiving.receive(link, order_id, uuid.uuid4(), {"note": "", "lines": lines}, [], now=clock.now())


def _post(one: Asked) -> None:
    from unittest.mock import patch

    from django.conf import settings
    from django.test import Client

    from apps.core.identity import uuid7
    from apps.vendors.links import throttle, tokens

    link, order_id = one
    form = {"form": tokens.sign_form(uuid7(), link, order_id), "do": "all"}
    settings.ALLOWED_HOSTS = ["*"]
    # Throttles count as ever; a few links answer here what thousands would.
    with patch.object(throttle, "MOST_LOOKS", 10**9), patch.object(throttle, "MOST_ANSWERS", 10**9):
        answer = Client().post(f"/vendor/{tokens.token_of(link)}/orders/{order_id}/", form)
    assert answer.status_code == 200, answer.content.decode()


ANSWERS: dict[str, Callable[[Asked], None]] = {"kept": _keep, "page": _post}

if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]))

"""What holds an order up and what a late purchase or supplier puts at risk: pages over a whole history, beside a tenth of it.

The company is that of :mod:`bench.whole_catalogue`, ``BENCH_ORDERS`` orders large, a million where nothing is said. Its
newest fiftieth, which is what is under way, is evaluated as a batch of changes is; the rest lies there as history does.
"""

import time
from statistics import quantiles
from typing import Any

from bench import ground
from bench.row import Row
from bench.whole_catalogue import ORDERS, SMALLER, UNDER_WAY, company, say

# What a page may take of the server, p95.
MILLISECONDS = 200
PAGES, ROUNDS = 12, 3

WAITING = ("order_to_cash", "waiting_for_stock")
LATE = ("procure_to_pay", "late")


def _under_way(connection_id: int) -> None:
    """Put what is under way into its stages, with the exceptions that follow."""
    from django.db import connection as database
    from django.db import transaction

    from apps.core import clock
    from apps.mirror import registry as mirror
    from apps.pipeline import change_processing
    from apps.workflows import engine, registry

    for workflow in registry.workflows().values():
        rows = mirror.models()[workflow.odoo_model].objects.filter(workflow.belongs, connection_id=connection_id)
        ids = list(rows.order_by("-odoo_id").values_list("odoo_id", flat=True)[: max(int(rows.count() * UNDER_WAY), 10)])
        for start in range(0, len(ids), engine.BATCH):
            with transaction.atomic():
                batch = dict.fromkeys(ids[start : start + engine.BATCH])
                change_processing.evaluate(workflow.name, connection_id, batch, now=clock.now())
        say(f"{workflow.title}: {len(ids):,} records under way are evaluated")
    with database.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _pages(name: str, connection_id: int) -> dict[str, list[str]]:
    """The addresses of some pages of each kind, spread over what there is."""
    from apps.mirror.models.purchase_order import PurchaseOrder
    from apps.workflows.models import Position

    def some(workflow: str, stage: str) -> list[int]:
        found = Position.objects.filter(connection=connection_id, workflow=workflow, stage=stage).order_by("odoo_id")
        ids = list(found.values_list("odoo_id", flat=True))
        return ids[:: max(len(ids) // PAGES, 1)][:PAGES]

    purchases = some(*LATE)
    vendors = PurchaseOrder.objects.filter(connection=connection_id, odoo_id__in=purchases).values_list("partner_id", flat=True)
    return {
        "an order that waits for stock": [f"/records/{name}/sale.order/{one}/" for one in some(*WAITING)],
        "a late purchase order": [f"/records/{name}/purchase.order/{one}/" for one in purchases],
        "a supplier": [f"/vendors/{name}/{one}/" for one in sorted(set(vendors))],
    }


def run() -> list[Row]:
    """Fill both companies, evaluate what is under way, and load the pages in turn."""
    ground.tower()
    from django.test import Client

    from apps.accounts import people
    from apps.accounts.models import Role, User

    for slug in people.TITLES:
        people.team(slug)
    pages: dict[str, dict[str, list[str]]] = {}
    for name, orders in (("tenth", ORDERS // SMALLER), ("whole", ORDERS)):
        number = company(name, orders)
        _under_way(number)
        pages[name] = _pages(name, number)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.create(username="bench", role=Role.ADMIN))

    def load(address: str) -> float:
        begun = time.perf_counter()
        answer: Any = client.get(address)
        spent = (time.perf_counter() - begun) * 1000
        assert answer.status_code == 200, f"{address}: {answer.status_code}"
        return spent

    rows: list[Row] = []
    for kind, addresses in pages["whole"].items():
        peers = pages["tenth"][kind]
        assert addresses and peers, f"so small a company has no {kind}: give it more with BENCH_ORDERS"
        for address in (*addresses, *peers):
            load(address)
        turns = range(ROUNDS * PAGES)
        whole: list[float] = []
        tenth: list[float] = []
        for turn in turns:
            whole.append(load(addresses[turn % len(addresses)]))
            tenth.append(load(peers[turn % len(peers)]))
        figures: dict[str, Any] = ground.beside(whole, tenth)
        p95 = quantiles(whole, n=20)[-1]
        rows += [
            Row(name=f"page of {kind}, {ORDERS:,} orders ÷ a tenth", unit="ms", goal=1.3, lower_is_better=True, **figures),
            Row(
                name=f"page of {kind}, p95, beside {MILLISECONDS} ms",
                value=p95,
                peer=MILLISECONDS,
                ratio=p95 / MILLISECONDS,
                goal=1,
                unit="ms",
                lower_is_better=True,
            ),
        ]
        say(f"{kind}: {len(addresses)} pages of {ORDERS:,} orders, {len(peers)} of a tenth")
    return rows

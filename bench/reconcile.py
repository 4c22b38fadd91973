"""Reconciling clean models of fifty thousand records and of a million, beside all ids and dates; what watching costs Odoo."""

import os
import sys
import time
from collections.abc import Callable, Iterable
from statistics import median
from typing import Any

from bench import ground, odoo
from bench.row import Row

MODEL = "sale.order.line"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
# A person who clicks keeps about a sixth of a worker busy.
CLICKING_SECONDS_AN_HOUR = 3_600 / 6
POLLS_AN_HOUR, PROBES_AN_HOUR = 3_600 / 15, 60
# What is compared costs Odoo the same whatever the model's other fields are, so the million are of one with few.
MANY_MODEL, MANY = "res.partner.category", int(os.environ.get("BENCH_RECORDS", "1000000"))


def run() -> list[Row]:
    """Measure."""
    ground.tower()
    from apps.core import clock
    from apps.mirror import registry
    from apps.odoo import client as wire
    from apps.odoo.models import Connection
    from apps.pipeline import first_sync
    from apps.pipeline.upkeep import polling, probing, reconciliation

    busy = _count_seconds(wire)
    connection = Connection.objects.create(name="compared", **ground.odoo_address())
    rows, found, _ = _compared(connection, MODEL, first_sync.present, busy)
    polling.poll(connection, clock=clock.now)
    costs: dict[str, list[float]] = {"poll": [], "probe": [], "compare": []}
    for _ in range(ROUNDS):
        for name, work in (
            ("poll", lambda: polling.poll(connection, clock=clock.now)),
            ("probe", lambda: probing.probe_all(clock=clock.now)),
            ("compare", lambda: list(reconciliation.compare(connection, clock=clock.now))),
        ):
            busy.clear()
            work()
            costs[name].append(sum(busy))
    poll, probe, whole = (sorted(costs[name])[ROUNDS // 2] for name in ("poll", "probe", "compare"))
    an_hour = POLLS_AN_HOUR * poll + PROBES_AN_HOUR * probe + whole
    print(
        f"    a poll keeps Odoo {poll * 1000:.0f} ms, a probe {probe * 1000:.0f} ms, a whole comparison {whole * 1000:.0f} ms",
        file=sys.stderr,
        flush=True,
    )
    many = Connection.objects.create(name="many", **odoo.grown(MANY_MODEL.replace(".", "_"), MANY))
    number, of_many, odoo_seconds = _compared(many, MANY_MODEL, lambda _: [registry.models()[MANY_MODEL]], busy)
    return [
        Row(
            name=f"reconcile {rows:,} clean records ÷ all ids and dates",
            goal=0.2,
            unit="ms",
            lower_is_better=True,
            **ground.beside(found["figures"], found["ids"]),
        ),
        Row(
            name=f"reconcile {number:,} clean records ÷ all ids and dates",
            goal=0.2,
            unit="ms",
            lower_is_better=True,
            **ground.beside(of_many["figures"], of_many["ids"]),
        ),
        Row(
            name="Odoo's time for that once an hour ÷ a hundredth of one worker",
            goal=1,
            unit="ms",
            lower_is_better=True,
            value=odoo_seconds * 1000,
            peer=36_000,
            ratio=odoo_seconds / 36,
        ),
        Row(
            name="Odoo's time for an idle tower, an hour ÷ a person's clicks",
            goal=0.5,
            unit="seconds",
            lower_is_better=True,
            value=an_hour,
            peer=CLICKING_SECONDS_AN_HOUR,
            ratio=an_hour / CLICKING_SECONDS_AN_HOUR,
        ),
    ]


def _compared(
    connection: Any, name: str, models: Callable[[Any], Iterable[Any]], busy: list[float]
) -> tuple[int, dict[str, Any], float]:
    """How many records were read, the milliseconds of each comparison, and the seconds that one by figures kept Odoo."""
    from apps.core import clock
    from apps.mirror import registry
    from apps.mirror.sync import backfill, reconcile
    from apps.odoo import client as wire
    from apps.pipeline.upkeep import probing

    probing.probe(connection, now=clock.now())
    client, model = wire.connect(connection), registry.models()[name]
    for one in models(connection):
        backfill.run(client, one, connection=connection, clock=clock.now)
    kept: list[float] = []

    def compare() -> float:
        busy.clear()
        begun = time.perf_counter()
        reconcile.run(client, model, connection=connection, clock=clock.now, on_changes=lambda _: None)
        kept.append(sum(busy))
        return (time.perf_counter() - begun) * 1000

    compare()  # The first one looks at every id.
    contenders = {"figures": compare, "ids": lambda: _all_ids(client, model, connection)}
    found = ground.interleaved(contenders, rounds=ROUNDS)
    return model.objects.filter(connection=connection).count(), found, median(kept[1:])


def _all_ids(client: Any, model: Any, connection: Any) -> float:
    """Milliseconds to compare every id and date, a page at a time."""
    begun, last = time.perf_counter(), 0
    ours = dict(model.objects.filter(connection=connection, deleted_at=None).values_list("odoo_id", "write_date"))
    theirs: dict[int, str] = {}
    while page := client.search_read(model.odoo_model, [("id", ">", last)], ["id", "write_date"], limit=5_000, order="id"):
        theirs |= {row["id"]: row["write_date"] for row in page}
        last = page[-1]["id"]
    assert len(ours) == len(theirs)
    differing = [odoo_id for odoo_id, at in theirs.items() if f"{ours[odoo_id]:%Y-%m-%d %H:%M:%S}" != at]
    assert not differing, differing[:5]
    return (time.perf_counter() - begun) * 1000


def _count_seconds(wire: Any) -> list[float]:
    """A list to which every call adds the seconds that Odoo took for it."""
    seconds: list[float] = []
    real = wire.OdooClient.call

    def call(*arguments: Any, **named: Any) -> Any:
        begun = time.perf_counter()
        try:
            return real(*arguments, **named)
        finally:
            seconds.append(time.perf_counter() - begun)

    wire.OdooClient.call = call
    return seconds

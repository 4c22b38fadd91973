"""Reconciling a clean model of fifty thousand records, beside comparing all ids and dates; and what idle watching costs Odoo."""

import os
import sys
import time
from typing import Any

from bench import ground
from bench.row import Row

MODEL = "sale.order.line"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
# A person who clicks keeps about a sixth of a worker busy.
CLICKING_SECONDS_AN_HOUR = 3_600 / 6
POLLS_AN_HOUR, PROBES_AN_HOUR = 3_600 / 15, 60


def run() -> list[Row]:
    """Measure."""
    ground.tower()
    from apps.core import clock
    from apps.mirror import registry
    from apps.mirror.sync import backfill, reconcile
    from apps.odoo import client as wire
    from apps.odoo.models import Connection
    from apps.pipeline import upkeep

    connection = Connection.objects.create(name="compared", **ground.odoo_address())
    upkeep.probe(connection, now=clock.now())
    client, model = wire.connect(connection), registry.models()[MODEL]
    for one in upkeep.present(connection):
        backfill.run(client, one, connection=connection, clock=clock.now)
    busy = _count_seconds(wire)

    def compare() -> float:
        begun = time.perf_counter()
        reconcile.run(client, model, connection=connection, clock=clock.now, on_changes=lambda _: None)
        return (time.perf_counter() - begun) * 1000

    compare()  # The first one looks at every id.
    found: dict[str, Any] = ground.interleaved(
        {"figures": compare, "ids": lambda: _all_ids(client, model, connection)}, rounds=ROUNDS
    )
    rows = model.objects.filter(connection=connection).count()
    upkeep.poll(connection, clock=clock.now)
    costs: dict[str, list[float]] = {"poll": [], "probe": [], "compare": []}
    for _ in range(ROUNDS):
        for name, work in (("poll", lambda: upkeep.poll(connection, clock=clock.now)),
                           ("probe", lambda: upkeep.probe_all(clock=clock.now)),
                           ("compare", lambda: list(upkeep.compare(connection, clock=clock.now)))):  # fmt: skip
            busy.clear()
            work()
            costs[name].append(sum(busy))
    poll, probe, whole = (sorted(costs[name])[ROUNDS // 2] for name in ("poll", "probe", "compare"))
    an_hour = POLLS_AN_HOUR * poll + PROBES_AN_HOUR * probe + whole
    print(f"    a poll keeps Odoo {poll * 1000:.0f} ms, a probe {probe * 1000:.0f} ms, a whole comparison "
          f"{whole * 1000:.0f} ms", file=sys.stderr, flush=True)  # fmt: skip
    return [
        Row(name=f"reconcile {rows:,} clean records ÷ all ids and dates", goal=0.2, unit="ms", lower_is_better=True,
            **ground.beside(found["figures"], found["ids"])),
        Row(name="Odoo's time for an idle tower, an hour ÷ a person's clicks", goal=0.5, unit="seconds", lower_is_better=True,
            value=an_hour, peer=CLICKING_SECONDS_AN_HOUR, ratio=an_hour / CLICKING_SECONDS_AN_HOUR),
    ]  # fmt: skip


def _all_ids(client: Any, model: Any, connection: Any) -> float:
    """Milliseconds to compare every id and date, a page at a time."""
    begun, last = time.perf_counter(), 0
    ours = dict(model.objects.filter(connection=connection, deleted_at=None).values_list("odoo_id", "write_date"))
    theirs: dict[int, str] = {}
    while page := client.search_read(MODEL, [("id", ">", last)], ["id", "write_date"], limit=5_000, order="id"):
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

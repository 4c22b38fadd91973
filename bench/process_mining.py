"""PM4Py on the exported event log, beside what the tower says itself, figure by figure; and how long the findings take.

PM4Py is AGPL-3.0. It is installed by the first run into an environment of its own, in ``~/.cache/controltower-bench``
(``BENCH_PEERS`` names another place), and runs there as a program: nothing of the tower imports it.
"""

import json
import os
import random
import subprocess
import sys
import time
import venv
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench import ground
from bench.row import CannotMeasureError, Row

HERE = Path(__file__).parent / "peers"
KEPT = Path(os.environ.get("BENCH_PEERS", Path.home() / ".cache" / "controltower-bench")) / "pm4py"
REQUIREMENTS = HERE / "pm4py-requirements.txt"
ORDERS = int(os.environ.get("BENCH_LOG_ORDERS", "5000"))
NAME, DAYS = "order_to_cash", 80
USUAL = ("quotation", "waiting_for_stock", "ready_to_pick", "partly_delivered", "to_invoice", "unpaid")
DETOURS = ("quotation", "credit_review", "pricing_review", "waiting_for_stock", "ready_to_pick")
ENDS = ("closed", "cancelled")
# A part of a page that is fetched once the page stands.
MOST_MS = 2_000
QUANTILES = (0.5, 0.85, 0.95)


def python() -> Path:
    """The Python that has PM4Py. Raises CannotMeasureError where it cannot be installed."""
    found, stamp = KEPT / "bin" / "python", KEPT / "installed"
    if stamp.exists() and stamp.read_text() == REQUIREMENTS.read_text():
        return found
    print("    installing PM4Py ...", file=sys.stderr, flush=True)
    venv.create(KEPT, clear=True, with_pip=True)
    asked = [found, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", REQUIREMENTS]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotMeasureError(f"PM4Py could not be installed: {done.stderr.strip()[-400:]}")
    stamp.write_text(REQUIREMENTS.read_text())
    return found


def ways() -> list[list[tuple[str, float]]]:
    """The way of each order: stages, each with the hours until the next. Some go back, some to and fro, some are under way."""
    dice, found = random.Random(31), []
    for _ in range(ORDERS):
        way = [stage for stage in USUAL if dice.random() < 0.9] + [dice.choice([*ENDS, ENDS[0], ENDS[0]])]
        for _ in range(dice.choice([0, 0, 0, 1, 2])):
            place = dice.randrange(len(way))
            way[place:place] = dice.choices(DETOURS, k=dice.choice([1, 2, 4]))
        if dice.random() < 0.2:
            way = way[: dice.randrange(1, len(way) + 1)]
        way = [stage for place, stage in enumerate(way) if not place or stage != way[place - 1]]
        found.append([(stage, dice.lognormvariate(1, 1)) for stage in way])
    return found


def run() -> list[Row]:
    """Make a company's history, export it, and compare what both say of it."""
    peer = python()
    home = ground.tower()
    from apps.accounts.access import EVERYTHING
    from apps.boards.analytics import eventlog
    from apps.core import clock
    from apps.workflows import registry

    now, workflow = clock.now(), registry.workflows()[NAME]
    _fill(now)
    path = home / "log.xes"
    path.write_text("".join(eventlog.xes([workflow], first=None, now=now, access_scope=EVERYTHING)))
    titles = {stage.name: stage.title for stage in workflow.stages}
    # Without -P its own directory would stand before the standard library, and bench/queue.py before queue.
    asked = [peer, "-P", HERE.parent / "pm4py_says.py", path, *(titles[name] for name in ENDS)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"], "HOME": str(home)})
    if done.returncode:
        raise CannotMeasureError(f"PM4Py could not read the log: {done.stderr.strip()[-400:]}")
    said = json.loads(done.stdout)
    print(f"    PM4Py {said['version']}: {said['cases']:,} cases, {len(said['variants']):,} variants", file=sys.stderr, flush=True)
    own, variants = _own(now, titles), {tuple(way): count for way, count in said["variants"]}
    places = {stage.title: place for place, stage in enumerate(workflow.stages)}
    theirs: dict[str, Mapping[Any, float]] = {
        "variants": variants,
        "directly-follows": {(start, end): count for start, end, count in said["followed"]},
        "orders that were in a stage twice": said["rework"],
        "rework, by the definition over PM4Py's variants": _rework(variants, places),
        "ping-pong, by the definition over PM4Py's variants": _ping_pong(variants),
        "cycle time: number and quantiles": _quantiles(said["durations"]),
    }
    return [*(_row(name, own[name], told) for name, told in theirs.items()), _speed(now)]


def _speed(now: Any) -> Row:
    """How long the findings of a workflow take, all orders having moved in the time."""
    from apps.accounts.access import EVERYTHING
    from apps.boards.findings import catalogue, summing
    from apps.workflows import registry

    chosen, taken = [registry.workflows()[NAME]], {}
    for finding in catalogue.FINDINGS:
        begun = time.perf_counter()
        summing.sums(
            since=now - timedelta(days=DAYS + 1), until=now, access_scope=EVERYTHING, workflows=chosen, names=[finding.name]
        )
        taken[finding.name] = (time.perf_counter() - begun) * 1_000
        print(f"    {taken[finding.name]:6.0f} ms  {finding.name}", file=sys.stderr, flush=True)
    whole = sum(taken.values())
    return Row(
        name=f"findings of {ORDERS:,} orders that moved",
        value=whole,
        peer=MOST_MS,
        ratio=whole / MOST_MS,
        goal=1,
        unit="ms",
        lower_is_better=True,
    )


def _fill(now: Any) -> None:
    from apps.odoo.models import Connection
    from apps.workflows import registry, tallies
    from apps.workflows.models import Position, Transition

    connection = Connection.objects.create(name="mined", url="http://127.0.0.1:9", database="x", login="x", api_key="x")
    workflow, dice = registry.workflows()[NAME], random.Random(5)
    moves, places = [], []
    for number, way in enumerate(ways(), start=1):
        common = {"connection": connection, "workflow": NAME, "model": workflow.odoo_model, "odoo_id": number, "company_id": 1}
        at = now - timedelta(days=dice.uniform(DAYS / 2, DAYS))
        for (before, _), (stage, hours) in pairwise([("", 0.0), *way]):
            moves.append(Transition(**common, from_stage=before, to_stage=stage, at=at, seen_at=at))
            at += timedelta(hours=min(hours, 48))
        here = workflow.stage(way[-1][0])
        places.append(
            Position(**common, name=f"S{number}", stage=here.name, since=at, is_open=here.is_open, amount=number, currency="EUR")
        )
    Position.objects.bulk_create(places)
    Transition.objects.bulk_create(moves)
    tallies.fold()


def _own(now: Any, titles: Mapping[str, str]) -> dict[str, Mapping[Any, float]]:
    """What the tower says, each figure by the code that its pages use."""
    from django.db import connection as database

    from apps.accounts.access import EVERYTHING
    from apps.boards.analytics import analysis
    from apps.boards.findings import summing
    from apps.workflows import registry

    workflow, since = registry.workflows()[NAME], now - timedelta(days=DAYS + 1)
    told = analysis.analysis_of(workflow, now=now, days=DAYS + 2, access_scope=EVERYTHING)
    with database.cursor() as cursor:
        cursor.execute("""
            SELECT array_agg(to_stage ORDER BY at, tracking_id NULLS LAST, id) FROM workflows_transition GROUP BY odoo_id""")
        variants = Counter(tuple(titles[name] for name in way) for (way,) in cursor.fetchall())
        cursor.execute("""
            SELECT to_stage, count(*) FROM (
              SELECT to_stage, odoo_id FROM workflows_transition GROUP BY to_stage, odoo_id HAVING count(*) > 1) AS twice
             GROUP BY to_stage""")
        twice = {titles[name]: count for name, count in cursor.fetchall()}
    found = {one.finding.name: one for one in summing.sums(since=since, until=now, access_scope=EVERYTHING, workflows=[workflow])}
    return {
        "variants": variants,
        "directly-follows": {(path.from_title, path.to_title): path.count for path in told.paths if path.from_stage},
        "orders that were in a stage twice": twice,
        "rework, by the definition over PM4Py's variants": {
            tuple(titles[name] for name in part.part): part.sum.count for part in found["rework"].parts
        },
        "ping-pong, by the definition over PM4Py's variants": {
            frozenset(titles[name] for name in part.part): part.sum.count for part in found["ping_pong"].parts
        },
        "cycle time: number and quantiles": {
            "ended": told.ended,
            **{str(part): round(value) for part, value in zip(QUANTILES, told.cycle_seconds, strict=True)},
        },
    }


def _rework(variants: Mapping[tuple[str, ...], int], places: Mapping[str, int]) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for way, count in variants.items():
        back = {
            (before, stage)
            for number, (before, stage) in enumerate(pairwise(way), start=1)
            if places[stage] < places[before] and stage in way[:number]
        }
        found.update(dict.fromkeys(back, count))
    return found


def _ping_pong(variants: Mapping[tuple[str, ...], int]) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for way, count in variants.items():
        swings = {frozenset(way[n : n + 2]) for n in range(len(way) - 3) if way[n] == way[n + 2] and way[n + 1] == way[n + 3]}
        found.update(dict.fromkeys(swings, count))
    return found


def _quantiles(durations: list[float]) -> dict[str, float]:
    """Of sorted seconds, as PostgreSQL takes them: between two, in proportion."""
    found: dict[str, float] = {"ended": len(durations)}
    for part in QUANTILES:
        place = part * (len(durations) - 1)
        low = int(place)
        high = min(low + 1, len(durations) - 1)
        found[str(part)] = round(durations[low] + (durations[high] - durations[low]) * (place - low))
    return found


def _row(name: str, own: Mapping[Any, float], theirs: Mapping[Any, float]) -> Row:
    """How many of the figures are the same, of all that either has; seconds within one."""
    keys = {*own, *theirs}
    alike = sum(abs(own.get(key, 0) - theirs.get(key, 0)) <= (1 if isinstance(key, str) and key[0] == "0" else 0) for key in keys)
    for key in sorted((key for key in keys if own.get(key, 0) != theirs.get(key, 0)), key=str)[:5]:
        print(f"    {name}: {key}: {own.get(key)} here, {theirs.get(key)} there", file=sys.stderr, flush=True)
    return Row(
        name=f"{name}, figures alike", value=alike, peer=len(keys), ratio=alike / len(keys) if keys else 0.0, goal=1, unit="figures"
    )

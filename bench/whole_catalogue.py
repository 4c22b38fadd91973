"""All workflows evaluated once over a whole company's history, beside a tenth of it; what each exception type costs.

The company is made by SQL straight into the mirror: three years of orders of five lines, delivered, billed and paid, of
which the newest few are still under way. ``BENCH_ORDERS`` says how many orders it has, a million where nothing is said. The
evaluation runs in a process of its own, as a worker's would, so that its memory can be told.
"""

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

from apps.core import statements
from bench import ground
from bench.row import Row

ORDERS = int(os.environ.get("BENCH_ORDERS", "1000000"))
SMALLER = 10
MEGABYTES = 500
BEGUN = time.perf_counter()
# So often the evaluation says how far it is.
SAYS_EVERY = 50_000
# So much of the history is under way: what :data:`FILL` makes of it (``whole_company.sql``).
UNDER_WAY = 0.02

FILL = statements.load(__file__, "whole_company")


def say(text: str) -> None:
    """Tell whoever waits how far it is; the table alone goes to standard output."""
    print(f"    {time.perf_counter() - BEGUN:6.0f} s  {text}", file=sys.stderr, flush=True)


def company(name: str, orders: int) -> int:
    """Make a connection with the history of so many orders; its id."""
    from django.db import connection as database
    from django.db import transaction

    from apps.mirror import registry
    from apps.odoo.models import Connection

    models = {model: {"missing_fields": []} for model in registry.models()}
    connection = Connection.objects.create(
        name=name, url="http://127.0.0.1:9", database="x", login="x", api_key="x", capabilities={"models": models}
    )
    purchases = max(orders // 20, 10)
    figures = {
        "c": connection.pk,
        "orders": orders,
        "partners": max(orders // 50, 100),
        "purchases": purchases,
        "vendors": max(purchases // 500, 4),
        "products": min(max(orders // 100, 100), 10_000),
    }
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL synchronous_commit = off")
        for statement in FILL.split(";\n"):
            cursor.execute(statement, figures)
            if cursor.rowcount >= purchases:  # the tables that take time
                say(f"{name}: {cursor.rowcount:,} rows into {statement.split()[2]}")
    with database.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM ANALYZE")  # as a first read leaves it
    say(f"{name}: vacuumed and analysed")
    return int(connection.pk)


def evaluate(connection_id: int) -> None:
    """What the process of its own does: evaluate everything of the connection, and say what it took as JSON."""
    import django

    django.setup()
    from django.db.models import Count

    from apps.core import clock
    from apps.exceptions.models import ExceptionCase
    from apps.odoo.models import Connection
    from apps.pipeline import first_sync

    seconds: dict[str, float] = {}
    last = begun = time.perf_counter()

    def note(title: str, done: int, total: int) -> None:
        nonlocal last
        seconds[title] = seconds.get(title, 0.0) + time.perf_counter() - last
        last = time.perf_counter()
        if done % SAYS_EVERY == 0:
            say(f"{title}: {done:,} records evaluated so far, {total:,} of this workflow")

    records = first_sync.evaluate_all(Connection.objects.get(pk=connection_id), clock=clock.now, progress=note)
    raised = ExceptionCase.objects.filter(connection=connection_id).values_list("type").annotate(Count("pk"))
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - begun,
                "records": records,
                "workflows": seconds,
                "raised": dict(raised),
                "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def _in_a_worker(connection_id: int) -> dict[str, Any]:
    asked = f"from bench import whole_catalogue; whole_catalogue.evaluate({connection_id})"
    said = subprocess.run([sys.executable, "-c", asked], check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    print(f"{json.dumps(found)}", file=sys.stderr, flush=True)
    return found


def milliseconds_by_type(connection_id: int) -> dict[str, float]:
    """What finding each exception type alone takes for all records of its workflow.

    Told from one batch of what is under way, the newest, and one of history, each for as much as there is of its kind.
    """
    from django.db import connection as database

    from apps.core import clock
    from apps.mirror import registry as mirror
    from apps.workflows import engine, registry

    found: dict[str, float] = {}
    for workflow in registry.workflows().values():
        mirrored = mirror.models()[workflow.odoo_model].objects
        rows = mirrored.filter(workflow.belongs, connection_id=connection_id).order_by("odoo_id")
        ids, total = rows.values_list("odoo_id", flat=True), rows.count()
        newest = int(total * UNDER_WAY)
        parts = [(list(ids[total // 2 :][: engine.BATCH]), total - newest), (list(ids[total - newest :][: engine.BATCH]), newest)]
        for kind in workflow.exceptions:
            statement, _ = engine.find_statement(replace(workflow, exceptions=[kind], approvals=[]))
            spent = 0.0
            for looked, there in parts:
                if looked:
                    with database.cursor() as cursor:
                        begun = time.perf_counter()
                        cursor.execute(statement, {"connection": connection_id, "ids": looked, "now": clock.now()})
                        cursor.fetchall()
                        spent += (time.perf_counter() - begun) * 1000 * there / len(looked)
            found[kind.name] = spent
        say(f"{workflow.title}: what finding each type takes is measured")
    return found


def run() -> list[Row]:
    """Evaluate a tenth of the history first, while there is nothing else, then the whole."""
    ground.tower()
    from apps.accounts import people

    for slug in people.TITLES:
        people.team(slug)
    tenth = _in_a_worker(company("tenth", ORDERS // SMALLER))
    number = company("whole", ORDERS)
    whole = _in_a_worker(number)
    by_type = milliseconds_by_type(number)
    each, peer = (found["seconds"] * 1000 / found["records"] * 1000 for found in (whole, tenth))
    size = f"{ORDERS:,} orders"
    rows = [
        Row(
            name=f"1,000 records in a pass over {size} ÷ a tenth",
            value=each,
            peer=peer,
            ratio=each / peer,
            goal=1.3,
            unit="ms",
            lower_is_better=True,
        ),
        Row(
            name=f"peak memory of the worker, {size}",
            value=whole["megabytes"],
            peer=MEGABYTES,
            ratio=whole["megabytes"] / MEGABYTES,
            goal=1,
            unit="MB",
            lower_is_better=True,
        ),
    ]
    all_types = sum(by_type.values())
    rows += [
        Row(
            name=f"share of finding: {name}",
            value=spent,
            peer=all_types,
            ratio=spent / all_types,
            goal=0.5,
            unit="ms",
            lower_is_better=True,
        )
        for name, spent in sorted(by_type.items(), key=lambda item: -item[1])
    ]
    return rows

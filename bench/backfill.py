"""First read: rows/s of reading, writing and committing, beside public clients that throw the rows away.

All read the same models, fields and batches from the same Odoo in the same run. The peers are a bare loop of odooly,
the fastest public client that was found, and one of odoorpc, which the tower itself stands on.
"""

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bench import ground
from bench.row import Row

if TYPE_CHECKING:
    from apps.mirror.declare import Mirrored
    from apps.odoo.models import Connection

MODELS = ("res.partner", "sale.order", "sale.order.line", "stock.move", "account.move.line")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
# A measurement of fewer rows is one of the noise: a smaller Odoo is read several times over. In one with hardly any rows
# what is measured is how long a question takes, not how fast rows come.
LEAST_ROWS = int(os.environ.get("BENCH_ROWS", "20000"))
CONTEXT = {"active_test": False}

ReadPage = Callable[[str, list[Any], list[str], int], list[dict[str, Any]]]


def run() -> list[Row]:
    """Measure. Raises CannotMeasureError where no Odoo is to be had."""
    ground.tower()
    address = ground.odoo_address()
    connection = connected(address)
    wanted = wanted_of(connection)
    read_with_odooly, read_with_odoorpc = by_odooly(address), by_odoorpc(address)
    found = ground.interleaved(
        {
            "odooly": lambda: bare_loop(read_with_odooly, wanted),
            "one": lambda: backfilled(connection, wanted, connections=1),
            "odoorpc": lambda: bare_loop(read_with_odoorpc, wanted),
            "two": lambda: backfilled(connection, wanted, connections=2),
        },
        rounds=ROUNDS,
    )
    lines = [
        ("first read, one connection, ÷ bare odooly loop", "one", "odooly", 0.8),
        ("first read, two connections, ÷ bare odooly loop", "two", "odooly", 1.1),
        ("first read, one connection, ÷ bare odoorpc loop", "one", "odoorpc", 1.3),
    ]
    return [
        Row(name=name, goal=goal, unit="rows/s", **ground.beside(found[ours], found[theirs])) for name, ours, theirs, goal in lines
    ]


def connected(address: dict[str, str]) -> "Connection":
    """A connection to the Odoo, which was asked what it has."""
    from apps.core import clock
    from apps.mirror import registry
    from apps.odoo import capabilities
    from apps.odoo.models import Connection

    connection = Connection.objects.create(name="bench", **address)
    capabilities.probe(connection, {name: registry.models()[name].odoo_fields() for name in MODELS}, now=clock.now())
    return connection


def wanted_of(connection: "Connection") -> dict["type[Mirrored]", list[str]]:
    """What is read: the models that this Odoo has, with the fields that the tower reads of them."""
    from apps.mirror import registry
    from apps.mirror.sync.refresh import fields_to_read
    from apps.odoo import client

    found = [registry.models()[name] for name in MODELS if not connection.lacks(name)]
    return {model: fields_to_read(client.connect(connection), model) for model in found}


def bare_loop(read_page: ReadPage, wanted: dict["type[Mirrored]", list[str]]) -> float:
    """Rows/s of a loop that reads by ascending id and throws the rows away."""
    from apps.mirror.sync.backfill import BATCH

    rows, begun = 0, time.perf_counter()
    while rows < LEAST_ROWS:
        for model, fields in wanted.items():
            last = 0
            while page := read_page(model.odoo_model, [("id", ">", last)], fields, BATCH):
                rows, last = rows + len(page), page[-1]["id"]
                if len(page) < BATCH:
                    break
    return rows / (time.perf_counter() - begun)


def backfilled(connection: "Connection", wanted: dict["type[Mirrored]", list[str]], *, connections: int) -> float:
    """Rows/s of the tower's first read into an empty mirror."""
    from django.db import connection as database

    from apps.core import clock
    from apps.mirror.sync import backfill
    from apps.odoo import client

    tables = ", ".join(model._meta.db_table for model in wanted)
    rows, seconds = 0, 0.0
    while rows < LEAST_ROWS:
        with database.cursor() as cursor:
            cursor.execute(f"TRUNCATE {tables}")
        begun = time.perf_counter()
        for model in wanted:
            done = backfill.run(
                client.connect(connection),
                model,
                connection=connection,
                clock=clock.now,
                anew=True,
                connections=connections,
            )
            rows += done.rows
        seconds += time.perf_counter() - begun
    return rows / seconds


def by_odooly(address: dict[str, str]) -> ReadPage:
    """odooly as its documentation opens it: over the web client's own route."""
    import odooly

    env = odooly.Client(address["url"], db=address["database"], user=address["login"], password=address["api_key"]).env
    return lambda model, domain, fields, limit: env.execute(
        model, "search_read", domain, fields, 0, limit, "id", load="", context=CONTEXT
    )


def by_odoorpc(address: dict[str, str]) -> ReadPage:
    """odoorpc over ``/jsonrpc``."""
    import odoorpc

    url = urlsplit(address["url"])
    secure = url.scheme == "https"
    odoo = odoorpc.ODOO(url.hostname, protocol="jsonrpc+ssl" if secure else "jsonrpc", port=url.port or (443 if secure else 80))
    odoo.login(address["database"], address["login"], address["api_key"])
    return lambda model, domain, fields, limit: odoo.execute_kw(
        model,
        "search_read",
        [],
        {"domain": domain, "fields": fields, "limit": limit, "order": "id", "load": "", "context": CONTEXT},
    )

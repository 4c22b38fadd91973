"""A first read of a real Odoo for each way it is set up; the next test is given what the mirror held after it.

The demonstration's 60 models take seconds to read, and each test begins with empty tables.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import connection as database

from apps.core import clock
from apps.mirror import registry
from apps.mirror.sync import increment
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection
from apps.odoo.resources import MARK
from apps.pipeline.upkeep import probing
from tests.odoo import changed

IDENTITY = ("id", "name", "url", "database", "login", "api_key", "transport", "hook_secret")

# The rows of the mirror's tables after a first read, by what the Odoo lacked then, and when it began.
kept: dict[str, tuple[dict[str, bytes], datetime]] = {}
# What a probe found, by the Odoo and how much of the tower's stands in it.
probed: dict[tuple[str, int], dict[str, Any]] = {}


def probe(odoo: OdooClient, connection: Connection) -> None:
    """Find out what this Odoo can do, once for each way it is set up."""
    way = connection.url, odoo.search_count("ir.model.data", [("module", "=", MARK)])
    if way not in probed:
        probing.probe(connection, now=clock.now())
        found = Connection.objects.filter(pk=connection.pk).values().get()
        probed[way] = {name: value for name, value in found.items() if name not in IDENTITY}
    for name, value in probed[way].items():
        setattr(connection, name, value)
    connection.save()


def read(odoo: OdooClient, connection: Connection, first_read: Callable[[], object]) -> bool:
    """Fill the mirror by ``first_read``, or as it was filled before and with what has changed in Odoo since; True where it was."""
    way = f"{connection.pk} {connection.url} {json.dumps(connection.capabilities['models'], sort_keys=True)}"
    if way not in kept:
        begun = clock.now()
        first_read()
        kept[way] = {table: _rows(table) for table in _tables()}, begun
        return False
    tables, begun = kept[way]
    with database.cursor() as cursor:
        for table, rows in tables.items():
            with cursor.copy(f"COPY {table} ({', '.join(_columns(table))}) FROM STDIN") as copy:
                copy.write(rows)
        # What earlier tests rolled back makes these tables look empty, and the planner join them row by row.
        cursor.execute(f"ANALYZE {', '.join(tables)}")
    models = {name: model for name, model in registry.models().items() if not connection.lacks(name)}
    written = changed.since(odoo, models, begun)
    for name, model in models.items():
        if name in written:
            increment.run(odoo, model, connection=connection, clock=clock.now, on_changes=lambda changes: None)
    return True


def _tables() -> Iterator[str]:
    return (model._meta.db_table for model in apps.get_app_config("mirror").get_models())


def _rows(table: str) -> bytes:
    with database.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(_columns(table))}) TO STDOUT") as copy:
        return b"".join(bytes(piece) for piece in copy)


def _columns(table: str) -> list[str]:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'", [table]
        )
        return [name for (name,) in cursor.fetchall()]

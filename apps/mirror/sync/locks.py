"""One sync of a model at a time: two would only read the same rows twice."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection as database

from apps.odoo.models import Connection


class SyncBusyError(Exception):
    """Another process is reading this model right now; the message names both."""


@contextmanager
def alone(connection: Connection, odoo_model: str) -> Iterator[None]:
    """Hold the model for this session. A process that dies lets go of it.

    Raises SyncBusyError where another holds it.
    """
    key = f"sync:{connection.pk}:{odoo_model}"
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 2))", [key])
        if not cursor.fetchone()[0]:
            raise SyncBusyError(f"{odoo_model} of {connection.name} is being read by another process. Wait for it to end.")
    try:
        yield
    finally:
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 2))", [key])

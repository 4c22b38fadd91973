"""One sync of a model at a time: two would only read the same rows twice. Refreshing by ids goes on beside."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import DatabaseError
from django.db import connection as database

from apps.intake.dead_letters import storable
from apps.mirror.models import SyncState
from apps.odoo.errors import OdooError
from apps.odoo.models import Connection


class SyncBusyError(Exception):
    """Another process is reading this model right now; the message names both."""


@contextmanager
def alone(connection: Connection, odoo_model: str) -> Iterator[SyncState]:
    """Hold the model for this session, and keep on its state what goes wrong. A process that dies lets go of it.

    Raises SyncBusyError where another holds it.
    """
    key = f"sync:{connection.pk}:{odoo_model}"
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 2))", [key])
        if not cursor.fetchone()[0]:
            raise SyncBusyError(f"{odoo_model} of {connection.name} is being read by another process. Wait for it to end.")
    try:
        state, _ = SyncState.objects.get_or_create(connection=connection, odoo_model=odoo_model)
        yield state
    except OdooError as error:
        SyncState.objects.filter(connection=connection, odoo_model=odoo_model).update(problem=str(error))
        raise
    except SyncBusyError:
        raise
    except Exception as error:
        # Where the session broke, there is nothing to note it in.
        with suppress(DatabaseError):
            SyncState.objects.filter(connection=connection, odoo_model=odoo_model).update(
                problem=storable(
                    f"{odoo_model} cannot be read from {connection.name}: {type(error).__name__}: {error}. It is "
                    "tried again at every look; if it stays, tell whoever maintains the tower."
                )[:2_000]
            )
        raise
    finally:
        # Where the session broke, its locks went with it, and what broke it is the error to be told.
        with suppress(DatabaseError), database.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 2))", [key])

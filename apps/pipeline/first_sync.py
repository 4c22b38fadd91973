"""The first read of a connection: everything, model by model, then what follows from it, then what Odoo kept of the past."""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial

from django.db import OperationalError
from django.db import connection as database
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from psycopg.errors import QueryCanceled

from apps.core import isolation, live
from apps.core.clock import Clock
from apps.core.transactions import atomic_with_retry
from apps.mirror import registry as mirror
from apps.mirror.declare import Mirrored
from apps.mirror.models import SyncState
from apps.mirror.sync import backfill, locks, tracking
from apps.mirror.tracked import TrackedChange
from apps.odoo import client as wire
from apps.odoo import errors
from apps.odoo.models import Connection
from apps.pipeline import change_processing, external_events
from apps.workflows import history_import, registry
from apps.workflows.declare import Workflow
from apps.workflows.models import Position, Transition

logger = logging.getLogger(__name__)

# Records whose consequences are drawn together after a first read. Whoever decides something waits as long, for the trail's lock.
EVALUATED, FEWEST_EVALUATED = 1_000, 50
# Stands among the models as what all of them and their consequences make together: the first read as a whole.
WHOLE = "first read"
# Not of one model: what follows would fail as well.
STOPS_ALL = errors.OF_THE_CONNECTION


def present(connection: Connection) -> list[type[Mirrored]]:
    """The mirrored models that this connection's Odoo has."""
    return [model for name, model in mirror.models().items() if not connection.lacks(name)]


def first_read(
    connection: Connection,
    *,
    clock: Clock,
    models: list[type[Mirrored]] | None = None,
    anew: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Iterator[backfill.Backfilled]:
    """Read everything, model by model, and draw the consequences at the end; each model's figures as it is done.

    Raises OdooError: what was read stays, and the next call goes on from there. Raises SyncBusyError where another process
    is at it.
    """
    client = wire.connect(connection)
    if models is not None:
        yield from _read_models(client, models, connection=connection, clock=clock, anew=anew, progress=progress)
        evaluate_all(connection, clock=clock, progress=progress)
        return
    with locks.alone(connection, WHOLE) as state:
        SyncState.objects.filter(pk=state.pk).update(backfill_done_at=None)
        yield from _read_models(client, present(connection), connection=connection, clock=clock, anew=anew, progress=progress)
        analyze(present(connection))
        evaluate_all(connection, clock=clock, progress=progress)
        yield from read_past(connection, clock=clock, anew=anew, progress=progress)
        SyncState.objects.filter(pk=state.pk).update(backfill_done_at=clock(), problem="")


def _read_models(
    client: wire.OdooClient,
    models: list[type[Mirrored]],
    *,
    connection: Connection,
    clock: Clock,
    anew: bool,
    progress: Callable[[str, int, int], None] | None,
) -> Iterator[backfill.Backfilled]:
    failed: list[Exception] = []
    for model in models:
        note = partial(progress, model.odoo_model) if progress else None
        try:
            done = backfill.run(client, model, connection=connection, clock=clock, progress=note, anew=anew)
        except STOPS_ALL:
            raise
        except Exception as error:
            # The others are read nevertheless. Nothing is evaluated before all are: half a mirror would raise false alarms.
            logger.exception("%s of %s could not be read", model.odoo_model, connection.name)
            failed.append(error)
        else:
            yield done
    if failed:
        raise failed[0]


def analyze(tables: Sequence[type[Model]]) -> None:
    """Have PostgreSQL take statistics of tables that were just filled. Until it does so by itself it plans for empty ones."""
    with database.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ANALYZE {table._meta.db_table}")


def evaluate_all(connection: Connection, *, clock: Clock, progress: Callable[[str, int, int], None] | None = None) -> int:
    """Draw the consequences of everything mirrored, a committed batch at a time; how many records."""
    change_processing.link_people(connection.pk, clock())
    external_events.follow_first_read(connection.pk)
    done = 0
    for workflow in registry.workflows().values():
        rows = _of(workflow, connection)
        total, last, together = rows.count(), 0, EVALUATED
        while True:
            ids = list(rows.filter(odoo_id__gt=last).order_by("odoo_id").values_list("odoo_id", flat=True)[:together])
            if not ids:
                break
            try:
                _draw(workflow, connection.pk, ids, clock())
            except OperationalError as error:
                if not isinstance(error.__cause__, QueryCanceled) or together <= FEWEST_EVALUATED:
                    raise
                # Records that hang together as nobody foresaw must not keep the first read from ever ending.
                together //= 4
                logger.warning(
                    "%s records of %s take longer than a statement may; going on with %s at a time",
                    len(ids),
                    workflow.title,
                    together,
                )
                continue
            last, done = ids[-1], done + len(ids)
            if progress:
                progress(workflow.title, done, total)
    return done


@atomic_with_retry
def _draw(workflow: Workflow, connection_id: int, odoo_ids: Sequence[int], now: datetime) -> None:
    change_processing.one_at_a_time(connection_id)
    change_processing.evaluate(workflow.name, connection_id, dict.fromkeys(odoo_ids), now=now)


def _of(workflow: Workflow, connection: Connection) -> QuerySet[Mirrored]:
    """The mirrored records that are of the workflow, or once were: most transfers are no returns."""
    rows: QuerySet[Mirrored] = mirror.models()[workflow.odoo_model].objects.filter(connection=connection)
    if not workflow.belongs and not workflow.belongs_sql:
        return rows
    belongs = workflow.belongs
    if workflow.belongs_sql:
        of_it = f"SELECT r.odoo_id FROM {rows.model._meta.db_table} r WHERE r.connection_id = %s AND {workflow.belongs_sql}"
        belongs &= Q(odoo_id__in=RawSQL(of_it, [connection.pk]))
    stands = Position.objects.filter(connection=connection, workflow=workflow.name, odoo_id=OuterRef("odoo_id"))
    return rows.filter(belongs | Exists(stands))


def read_past(
    connection: Connection,
    *,
    clock: Clock,
    anew: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Iterator[backfill.Backfilled]:
    """Read what Odoo kept of the past, and tell from it how the records came to their stages; the figures once done.

    Where it cannot be read, the connection says so and history begins with the first read. Raises OdooError: what was read
    stays, and the next call goes on from there.
    """
    workflows = [one for one in registry.workflows().values() if not connection.lacks(one.odoo_model)]
    wanted: dict[str, list[str]] = {}
    for workflow in workflows:
        wanted.setdefault(workflow.odoo_model, []).extend(history_import.fields_of(workflow))
    note = partial(progress, tracking.MODEL) if progress else None
    found = tracking.run(wire.connect(connection), wanted, connection=connection, clock=clock, progress=note, anew=anew)
    if found is None:
        return
    analyze([TrackedChange, Transition, Position])
    for workflow in workflows:
        fields = history_import.fields_of(workflow)
        tracked = sorted(set(fields) & set(found.fields.get(workflow.odoo_model, ())))
        missing = [
            name for name in mirror.models()[workflow.odoo_model].odoo_fields() if connection.lacks(workflow.odoo_model, name)
        ]
        after, done = 0, 0
        while ids := history_import.batch(workflow, connection_id=connection.pk, after=after):
            take = partial(_tell_past, workflow, connection.pk, tracked, missing, clock())
            _tell_pasts(workflow, connection.pk, ids, take)
            after, done = ids[-1], done + len(ids)
            if progress:
                progress(f"{workflow.title}, past", done, done)
    tracking.done(connection, clock=clock)
    yield backfill.Backfilled(model=tracking.MODEL, rows=found.rows, total=found.total)


@atomic_with_retry
def _tell_pasts(workflow: Workflow, connection_id: int, odoo_ids: Sequence[int], take: Callable[[Sequence[int]], None]) -> None:
    change_processing.one_at_a_time(connection_id)
    isolation.taken(odoo_ids, take, partial(_without_past, workflow))
    live.announce([f"board:{workflow.name}"])


def _tell_past(
    workflow: Workflow, connection_id: int, tracked: Sequence[str], missing: Sequence[str], now: datetime, odoo_ids: Sequence[int]
) -> None:
    history_import.build(workflow, connection_id=connection_id, odoo_ids=odoo_ids, tracked=tracked, missing=missing, now=now)


def _without_past(workflow: Workflow, odoo_id: int, error: Exception) -> None:
    """Note that a record's history begins with the first read, since its past cannot be told."""
    logger.error("The past of %s %s cannot be told", workflow.odoo_model, odoo_id, exc_info=error)

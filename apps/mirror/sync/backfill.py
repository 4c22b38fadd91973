"""The first read of everything: by ascending id, resumable, reading ahead while it writes."""

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection as database
from django.db import transaction
from psycopg import sql

from apps.core.clock import Clock
from apps.mirror.declare import Mirrored
from apps.mirror.models import SyncState
from apps.mirror.sync import companies, locks, reading, storing
from apps.mirror.sync.refresh import fields_to_read
from apps.mirror.sync.times import known_moment
from apps.mirror.validation import Refused
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection

# Odoo's rows/s no longer grow beyond this, and an answer of it stays within a few megabytes.
BATCH = 2_000
# Windows of ids grow to this many times a batch: where a gap ends, as many rows may come at once.
WIDEST = 16

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Backfilled:
    """How a first read went: rows read now, and rows there were when it began."""

    model: str
    rows: int
    total: int


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """Rows of the ids up to and including ``through``, and when the reading of them began."""

    through: int
    read_at: datetime
    rows: list[dict[str, Any]]
    refused: list[Refused]


def run(
    client: OdooClient,
    model: type[Mirrored],
    *,
    connection: Connection,
    clock: Clock,
    progress: Progress | None = None,
    anew: bool = False,
    connections: int = 1,
) -> Backfilled:
    """Read all of ``model`` that is not mirrored yet, a committed batch at a time.

    Consequences are not drawn here: half a mirror would raise false alarms. The caller evaluates once all is read.

    Args:
        progress: called with (rows read, rows there are) after each batch.
        anew: from the beginning, even where an earlier first read has ended.
        connections: how many requests Odoo works on at once; each takes one of its workers. Two are half as fast again
            where Odoo has workers and processors to spare.

    Raises:
        OdooError: what was read stays; the next run goes on from there.
        SyncBusyError: another process reads this model right now.
    """
    with locks.alone(connection, model.odoo_model) as state:
        if state.backfill_done_at and not anew:
            return Backfilled(model=model.odoo_model, rows=0, total=state.backfill_total)
        if anew:
            # Until it is done again the watermark vouches for nothing, so one that breaks off has to be gone on with.
            state.backfill_cursor, state.backfill_done_at = 0, None
        cursor = state.backfill_cursor
        if cursor == 0:
            # What is written from here on belongs to the increments.
            state.seen_until = clock()
            state.defaults = companies.defaults(client, model)
            state.watermark = _newest_write(client, model, now=state.seen_until)
        state.backfill_total = client.search_count(model.odoo_model, [])
        state.save()
        rows = 0
        with closing(_batches(client, model, after=cursor, connections=connections, clock=clock)) as batches:
            for batch in batches:
                _commit(model, state, batch, clock)
                rows += len(batch.rows)
                if progress:
                    progress(rows, state.backfill_total)
        _count_out(model)
        now = clock()
        SyncState.objects.filter(pk=state.pk).update(backfill_done_at=now, increment_at=now, problem="")
    return Backfilled(model=model.odoo_model, rows=rows, total=state.backfill_total)


def _count_out(model: type[Mirrored]) -> None:
    """Tell PostgreSQL's planner how much there is now.

    Until autovacuum did it a minute later, the planner took the table for an empty one: the first evaluation of 10,000
    orders ran into its time-out instead of taking under two seconds.
    """
    with database.cursor() as cursor:
        cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(model._meta.db_table)))


def _newest_write(client: OdooClient, model: type[Mirrored], *, now: datetime) -> datetime:
    newest = client.search_read(
        model.odoo_model, [("write_date", "!=", False)], ["write_date"], limit=1, order="write_date desc, id desc"
    )
    # A date from the future, which an import can bring, must not hide what is written until then.
    written_at = known_moment(newest[0]["write_date"]) if newest else None
    return min(written_at, now) if written_at else now


def _commit(model: type[Mirrored], state: SyncState, batch: _Batch, clock: Clock) -> None:
    with transaction.atomic():
        with database.cursor() as cursor:
            # Rows of a first read can be read again: a crash may cost the last ones, never more, and the cursor, which
            # is committed with them, then stands before them.
            cursor.execute("SET LOCAL synchronous_commit = off")
        now = clock()
        storing.store(model, connection_id=state.connection_id, rows=batch.rows, read_at=batch.read_at, now=now)
        storing.refuse(model, state.connection_id, batch.refused, now=now)
        SyncState.objects.filter(pk=state.pk).update(backfill_cursor=batch.through)


def _batches(client: OdooClient, model: type[Mirrored], *, after: int, connections: int, clock: Clock) -> Generator[_Batch]:
    """All rows beyond ``after`` in the order of their ids, read ahead by ``connections`` requests at a time.

    Ids are read in windows, so that no request has to wait for the last id of the one before. Windows grow where ids
    have gaps, and one that holds more than a batch is read in pages.
    """
    fields = fields_to_read(client, model)
    newest = client.search(model.odoo_model, [], limit=1, order="id desc")
    if not newest or newest[0] <= after:
        return
    last, see = newest[0], companies.seen(client, model)

    def window(start: int, end: int) -> list[_Batch]:
        pages: list[_Batch] = []
        while True:
            read_at = clock()
            domain = [("id", ">", start), ("id", "<=", end)]
            page = reading.page(client, model, domain, fields, limit=BATCH)
            companies.add_values(client, model, page.rows, companies=see)
            if page.last is None or page.last == end:
                return [*pages, _Batch(through=end, read_at=read_at, rows=page.rows, refused=page.refused)]
            start = page.last
            pages.append(_Batch(through=start, read_at=read_at, rows=page.rows, refused=page.refused))

    width = BATCH
    waiting: deque[Future[list[_Batch]]] = deque()
    with ThreadPoolExecutor(connections, thread_name_prefix="read-ahead") as ahead:
        try:
            while after < last or waiting:
                # One more than are being read: the next request leaves as soon as an answer is in.
                while after < last and len(waiting) <= connections:
                    waiting.append(ahead.submit(window, after, min(after + width, last)))
                    after += width
                pages = waiting.popleft().result()
                if len(pages) > 1:
                    width = max(width // 2, BATCH)
                elif len(pages[0].rows) < BATCH // 2:
                    width = min(width * 2, WIDEST * BATCH)
                yield from pages
        finally:
            ahead.shutdown(cancel_futures=True)

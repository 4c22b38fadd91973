"""The first read of everything: by ascending id, resumable, reading ahead while it writes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection as database
from django.db import transaction

from apps.mirror import upsert
from apps.mirror.declare import Mirrored
from apps.mirror.models import SyncState
from apps.mirror.sync import locks
from apps.mirror.sync.refresh import fields_to_read
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection

BATCH = 2_000

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Backfilled:
    """How a first read went."""

    model: str
    rows: int
    total: int


def run(
    client: OdooClient,
    model: type[Mirrored],
    *,
    connection: Connection,
    clock: Callable[[], datetime],
    progress: Progress | None = None,
    anew: bool = False,
) -> Backfilled:
    """Read all of ``model`` that is not mirrored yet, a committed batch at a time.

    Consequences are not drawn here: half a mirror would raise false alarms. The caller evaluates once all is read.

    Args:
        progress: called with (rows read, rows there are) after each batch.
        anew: from the beginning, even where an earlier first read has ended.

    Raises:
        OdooError: what was read stays; the next run goes on from there.
        SyncBusyError: another process reads this model right now.
    """
    with locks.alone(connection, model.odoo_model):
        state, _ = SyncState.objects.get_or_create(connection=connection, odoo_model=model.odoo_model)
        if state.backfill_done_at and not anew:
            return Backfilled(model=model.odoo_model, rows=0, total=state.backfill_total)
        cursor = 0 if anew or state.backfill_cursor is None else state.backfill_cursor
        if cursor == 0:
            # What is written from here on belongs to the increments.
            newest = client.search_read(model.odoo_model, [], ["write_date"], limit=1, order="write_date desc, id desc")
            stamp = newest[0]["write_date"] if newest else False
            state.watermark = datetime.fromisoformat(f"{stamp}+00:00") if stamp else clock()
        state.backfill_total = client.search_count(model.odoo_model, [])
        state.save()
        rows = 0
        fields = fields_to_read(client, model)

        def page(after: int) -> tuple[datetime, list[dict[str, Any]]]:
            read_at = clock()
            domain = [("id", ">", after)]
            return read_at, client.search_read(model.odoo_model, domain, fields, limit=BATCH, order="id")

        with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as ahead:
            coming = ahead.submit(page, cursor)
            while True:
                read_at, batch = coming.result()
                if not batch:
                    break
                cursor = batch[-1]["id"]
                coming = ahead.submit(page, cursor)
                with transaction.atomic():
                    with database.cursor() as sql:
                        # Rows of a first read can be read again: a crash may cost the last ones, never more.
                        sql.execute("SET LOCAL synchronous_commit = off")
                    upsert.apply(model, connection_id=connection.pk, rows=batch, read_at=read_at)
                    SyncState.objects.filter(pk=state.pk).update(backfill_cursor=cursor)
                rows += len(batch)
                if progress:
                    progress(rows, state.backfill_total)
        SyncState.objects.filter(pk=state.pk).update(backfill_done_at=clock(), increment_at=clock(), problem="")
    return Backfilled(model=model.odoo_model, rows=rows, total=state.backfill_total)

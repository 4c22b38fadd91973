"""What has changed since the last look: what webhooks lost is found here.

Odoo stamps a row with the start of its transaction, and the row is seen at its commit: a row can appear behind a
watermark already passed. So each look goes back by an overlap, takes only ids and dates first, and reads what differs.
Dates compare by whole seconds in 19, so ``>=`` is used alone, and a second is left only when all of it was seen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from apps.mirror.declare import Mirrored
from apps.mirror.models import SyncState
from apps.mirror.sync import locks, refresh
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection

PAGE = 5_000
# A row that was read within this time after it was written may have been written again in the same second.
SAME_SECOND = timedelta(seconds=2)


@dataclass(frozen=True, kw_only=True)
class Incremented:
    """What a look found: rows in the window, rows that differed, and those that came in behind the watermark."""

    model: str
    seen: int
    changed: int
    late: int


def run(
    client: OdooClient,
    model: type[Mirrored],
    *,
    connection: Connection,
    clock: Callable[[], datetime],
    on_changes: refresh.OnChanges,
) -> Incremented:
    """Read what was written since the watermark, less the overlap, and hand on what really changed.

    Raises:
        OdooError: nothing is lost; the next look begins at the same watermark.
        SyncBusyError: another process reads this model right now.
    """
    with locks.alone(connection, model.odoo_model):
        state = SyncState.objects.get(connection=connection, odoo_model=model.odoo_model)
        watermark = state.watermark or clock()
        seen = changed = late = 0
        newest = watermark
        since = odoo_time(watermark - timedelta(seconds=state.overlap_seconds))
        in_that_second: list[int] = []
        while True:
            domain: list[tuple[str, str, Any]] = [("write_date", ">=", since)]
            if in_that_second:
                domain.append(("id", "not in", in_that_second))
            page = client.search_read(
                model.odoo_model, domain, ["id", "write_date"], limit=PAGE, order="write_date, id"
            )
            seen += len(page)
            stamps = {row["id"]: aware(row["write_date"]) for row in page if row["write_date"]}
            stale = _unknown(model, connection, stamps)
            late += sum(1 for odoo_id in stale if stamps[odoo_id] < watermark)
            changed += _read_again(client, model, connection, sorted(stale), clock, on_changes)
            if stamps:
                newest = max(newest, *stamps.values())
            if len(page) < PAGE:
                break
            # The page may have ended inside a second: the next begins with it, without what was seen of it.
            last = page[-1]["write_date"]
            if last != since:
                since, in_that_second = last, []
            in_that_second = in_that_second + [row["id"] for row in page if row["write_date"] == last]
        now = clock()
        SyncState.objects.filter(pk=state.pk).update(
            watermark=newest, increment_at=now, late_count=state.late_count + late, problem=""
        )
    return Incremented(model=model.odoo_model, seen=seen, changed=changed, late=late)


def _unknown(model: type[Mirrored], connection: Connection, stamps: dict[int, datetime]) -> set[int]:
    """Those whose date differs from the mirror's by the second, or that may have changed again within it."""
    known = model.objects.filter(connection=connection, odoo_id__in=stamps, deleted_at=None)
    same = {
        odoo_id
        for odoo_id, written_at, read_at in known.values_list("odoo_id", "write_date", "read_at")
        if written_at and written_at.replace(microsecond=0) == stamps[odoo_id] and read_at >= written_at + SAME_SECOND
    }
    return set(stamps) - same


def _read_again(
    client: OdooClient, model: type[Mirrored], connection: Connection, ids: list[int], clock: Callable[[], datetime],
    on_changes: refresh.OnChanges,
) -> int:  # fmt: skip
    changed = 0
    for start in range(0, len(ids), refresh.BATCH):
        reads = refresh.read(client, model, ids[start : start + refresh.BATCH], now=clock())
        with transaction.atomic():
            found = refresh.write(reads, connection_id=connection.pk, on_changes=on_changes, now=clock())
        changed += sum(len(change.ids) for change in found if change.model == model.odoo_model)
    return changed


def odoo_time(at: datetime) -> str:
    """``at`` as Odoo's domains want it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def aware(value: str) -> datetime:
    """Odoo's naive UTC text as an aware moment, by the second."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC, microsecond=0)

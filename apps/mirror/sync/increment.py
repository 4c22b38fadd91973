"""What has changed since the last look: what webhooks lost is found here.

Odoo stamps a row with the start of its transaction, and the row is seen at its commit: a row can appear behind a
watermark already passed. So each look goes back by an overlap, takes only ids and dates first, and reads what differs.
Dates compare by whole seconds in 19, so ``>=`` is used alone, and a second is left only when all of it was seen.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from apps.core.clock import Clock
from apps.mirror import upsert
from apps.mirror.declare import Mirrored
from apps.mirror.models import SyncState
from apps.mirror.sync import companies, locks, refresh
from apps.mirror.sync.times import known_moment, text
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection

PAGE = 5_000
SECOND = timedelta(seconds=1)
# A row that was read this soon after it was written may have been written again within the same second. More than a
# second, because the two clocks are not one.
UNSURE = timedelta(seconds=10)
# Where nothing is written the watermark stands still, perhaps at the second of a large import. What was committed since
# the last look cannot be stamped much earlier than that look; this is by how much the clocks may be apart.
CLOCKS_APART = timedelta(minutes=15)
# What comes in late widens the overlap to twice its lateness, so that the next such one is well inside; up to this.
WIDEST_OVERLAP_SECONDS = 3_600


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
    clock: Clock,
    on_changes: refresh.OnChanges,
) -> Incremented:
    """Read what was written since the watermark, less the overlap, and hand on what really changed.

    The watermark moves with every page of whole seconds, so a look that breaks off has not looked in vain.

    Raises:
        OdooError: nothing is lost; the next look begins where this one got to.
        SyncBusyError: another process reads this model right now.
    """
    with locks.alone(connection, model.odoo_model) as state:
        watermark = before = state.watermark or clock()
        overlap = state.overlap_seconds
        began = clock()
        defaults = companies.defaults(client, model)
        seen = changed = late = 0
        if defaults != state.defaults:
            changed += _read_all_again(client, model, connection, clock, on_changes)
            SyncState.objects.filter(pk=state.pk).update(defaults=defaults)
        for page in _pages(client, model, since=_since(state, before)):
            # One whose date is none is read whenever it is seen.
            stamps = {row["id"]: known_moment(row.get("write_date")) for row in page}
            differing = _read_again(client, model, connection, _unknown(model, connection, stamps), clock, on_changes)
            dates = {odoo_id: at for odoo_id, at in stamps.items() if at}
            behind = [before - dates[odoo_id] for odoo_id in differing if dates.get(odoo_id, before) < before]
            seen, changed, late = seen + len(page), changed + len(differing), late + len(behind)
            for lateness in behind:
                overlap = max(overlap, min(2 * int(lateness.total_seconds()), WIDEST_OVERLAP_SECONDS))
            # A date from the future, which an import can bring, must not hide what is written until then.
            watermark = max(watermark, min(max(dates.values(), default=watermark), clock()))
            SyncState.objects.filter(pk=state.pk).update(watermark=watermark)
        SyncState.objects.filter(pk=state.pk).update(
            increment_at=clock(),
            seen_until=began,
            late_count=F("late_count") + late,
            overlap_seconds=overlap,
            problem="",
        )
    return Incremented(model=model.odoo_model, seen=seen, changed=changed, late=late)


def looks_since(state: SyncState) -> datetime:
    """From when on the next look will find what was written; what is dated earlier and comes in now, no look finds."""
    assert state.watermark is not None
    return _since(state, state.watermark)


def _since(state: SyncState, watermark: datetime) -> datetime:
    """From when on a row may be news: the overlap before the watermark, or before the last look where that is later."""
    overlap = timedelta(seconds=state.overlap_seconds)
    return max(watermark, state.seen_until - CLOCKS_APART if state.seen_until else watermark) - overlap


def _pages(client: OdooClient, model: type[Mirrored], *, since: datetime) -> Iterator[list[dict[str, Any]]]:
    """Ids and dates of what was written from ``since`` on, in pages that end with a whole second."""
    while True:
        page = _ids(client, model, [("write_date", ">=", text(since))], order="write_date, id")
        if len(page) < PAGE:
            yield page
            return
        last = max((at for row in page if (at := known_moment(row.get("write_date")))), default=None)
        if last is None:
            yield page
            return
        yield [row for row in page if (known_moment(row.get("write_date")) or since) < last]
        # Within a second Odoo orders by fractions that it does not show, so that one is gone through by id.
        yield from _pages_of_second(client, model, last)
        since = last + SECOND


def _pages_of_second(client: OdooClient, model: type[Mirrored], second: datetime) -> Iterator[list[dict[str, Any]]]:
    last = 0
    while True:
        within = [("write_date", ">=", text(second)), ("write_date", "<", text(second + SECOND)), ("id", ">", last)]
        page = _ids(client, model, within, order="id")
        yield page
        if len(page) < PAGE:
            return
        last = page[-1]["id"]


def _ids(client: OdooClient, model: type[Mirrored], domain: list[Any], *, order: str) -> list[dict[str, Any]]:
    return client.search_read(model.odoo_model, domain, ["id", "write_date"], limit=PAGE, order=order)


def _unknown(model: type[Mirrored], connection: Connection, stamps: Mapping[int, datetime | None]) -> list[int]:
    """Those whose date differs from the mirror's by the second, or that may have changed again within it."""
    known = model.objects.filter(connection=connection, odoo_id__in=stamps, deleted_at=None)
    same = {
        odoo_id
        for odoo_id, written_at, read_at in known.values_list("odoo_id", "write_date", "read_at")
        if written_at and written_at.replace(microsecond=0) == stamps[odoo_id] and read_at >= written_at + UNSURE
    }
    return sorted(stamps.keys() - same)


def _read_all_again(
    client: OdooClient, model: type[Mirrored], connection: Connection, clock: Clock, on_changes: refresh.OnChanges
) -> int:
    """Read every mirrored record once more: a default changed, which moves no record's date. How many had changed."""
    ids = model.objects.filter(connection=connection, deleted_at=None).order_by("odoo_id").values_list("odoo_id", flat=True)
    return len(_read_again(client, model, connection, list(ids), clock, on_changes))


def _read_again(
    client: OdooClient,
    model: type[Mirrored],
    connection: Connection,
    ids: list[int],
    clock: Clock,
    on_changes: refresh.OnChanges,
) -> set[int]:
    """Read ``ids`` and what belongs to them, and hand on the changes; which of ``ids`` really had changed."""
    differing: set[int] = set()
    for start in range(0, len(ids), refresh.BATCH):
        some = ids[start : start + refresh.BATCH]
        reads = refresh.read(client, model, some, now=clock())
        with transaction.atomic():
            changes = refresh.write(reads, connection_id=connection.pk, on_changes=on_changes, now=clock())
            found = {odoo_id for change in changes if change.model == model.odoo_model for odoo_id in change.ids}
            # Without this note, every look would read them again until the overlap has passed.
            upsert.confirm(model, connection_id=connection.pk, odoo_ids=set(some) - found, read_at=reads[0].read_at)
        differing |= found
    return differing

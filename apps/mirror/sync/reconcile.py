"""Proving that the mirror equals Odoo: by days first, by ids where the days differ.

A day of ``write_date`` is one row of figures on either side (how many, the sum of their ids, the newest), so a mirror of
fifty thousand records is compared in one call of a tenth of a second. What is found is mended: it is the measure of
how much webhooks and increments missed.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Sum
from django.db.models.functions import TruncDay

from apps.mirror import upsert
from apps.mirror.declare import Mirrored
from apps.mirror.models import SyncRun, SyncState
from apps.mirror.sync import locks, refresh
from apps.mirror.sync.increment import aware, odoo_time
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection

PAGE = 5_000
# More deletions than this at once look like a changed record rule, not like business: a person has to look.
MOST_DELETIONS, DELETIONS_SHARE, ALWAYS_ALLOWED = 500, 0.01, 20

Bucket = tuple[int, int, datetime | None]


def run(
    client: OdooClient,
    model: type[Mirrored],
    *,
    connection: Connection,
    clock: Callable[[], datetime],
    on_changes: refresh.OnChanges,
    allow_deletions: bool = False,
) -> SyncRun:
    """Compare ``model`` with Odoo and mend what differs; what was found, as stored.

    Args:
        allow_deletions: a person has looked: bury whatever is gone, however much.

    Raises:
        OdooError: nothing was changed that was not read.
        SyncBusyError: another process reads this model right now.
    """
    with locks.alone(connection, model.odoo_model):
        found = SyncRun(connection=connection, odoo_model=model.odoo_model, kind="reconcile", started_at=clock())
        theirs, ours = _buckets_in_odoo(client, model), _buckets_here(model, connection)
        found.compared = sum(count for count, *_ in theirs.values())
        differing = [day for day in theirs.keys() | ours.keys() if theirs.get(day) != ours.get(day)]
        stale: set[int] = set()
        missing: set[int] = set()
        for day in differing:
            in_odoo, here = _ids_in_odoo(client, model, day), _ids_here(model, connection, day)
            stale |= {odoo_id for odoo_id, at in in_odoo.items() if here.get(odoo_id) != at}
            missing |= here.keys() - in_odoo.keys()
        # One that left its day was written since; only what Odoo has on no day is gone.
        for start in range(0, len(missing), refresh.BATCH):
            some = sorted(missing)[start : start + refresh.BATCH]
            still = {row["id"] for row in client.read(model.odoo_model, some, ["id"])}
            stale |= still
            missing -= still
        _mend(client, model, connection, stale, missing, found, clock, on_changes, allow_deletions)
        found.ended_at = clock()
        found.save()
        SyncState.objects.filter(connection=connection, odoo_model=model.odoo_model).update(reconciled_at=found.ended_at)
    return found


def _mend(
    client: OdooClient, model: type[Mirrored], connection: Connection, stale: set[int], missing: set[int], found: SyncRun,
    clock: Callable[[], datetime], on_changes: refresh.OnChanges, allow_deletions: bool,
) -> None:  # fmt: skip
    ordered = sorted(stale)
    for start in range(0, len(ordered), refresh.BATCH):
        reads = refresh.read(client, model, ordered[start : start + refresh.BATCH], now=clock())
        with transaction.atomic():
            changes = refresh.write(reads, connection_id=connection.pk, on_changes=on_changes, now=clock())
        found.found_changed += sum(len(change.ids) for change in changes if change.model == model.odoo_model)
    total = model.objects.filter(connection=connection, deleted_at=None).count() if missing else 0
    bound = min(MOST_DELETIONS, max(ALWAYS_ALLOWED, int(total * DELETIONS_SHARE)))
    if len(missing) > bound and not allow_deletions:
        found.is_held = True
        found.note = (
            f"{len(missing)} of {total} records of {model.odoo_model} are no longer seen in {connection.name}. Nothing was "
            "taken out of the mirror: a changed access rule looks the same. If they were really deleted, run "
            f"reconcile {connection.name} --model {model.odoo_model} --allow-deletions."
        )
        return
    if missing:
        read_at = clock()
        with transaction.atomic():
            gone = upsert.bury(model, connection_id=connection.pk, odoo_ids=missing, read_at=read_at, now=read_at)
            if gone:
                on_changes([gone])
        found.found_deleted = len(gone.deleted)


def _buckets_in_odoo(client: OdooClient, model: type[Mirrored]) -> dict[date | None, Bucket]:
    buckets: dict[date | None, Bucket] = {}
    groups = client.read_group(
        model.odoo_model, [], ["write_date:day"], ["id:sum", "write_date:max"], context={"tz": "UTC"}
    )
    for row in groups:
        newest = row["write_date:max"]
        buckets[_day(row)] = (row["__count"], int(row["id:sum"] or 0), aware(newest) if newest else None)
    return buckets


def _day(row: dict[str, Any]) -> date | None:
    """The day of a group: its newest write is on it, whatever the version calls the group."""
    newest = row["write_date:max"]
    return aware(newest).date() if newest else None


def _buckets_here(model: type[Mirrored], connection: Connection) -> dict[date | None, Bucket]:
    rows = (
        model.objects.filter(connection=connection, deleted_at=None)
        .annotate(day=TruncDay("write_date", tzinfo=UTC))
        .values("day")
        .annotate(count=Count("id"), ids=Sum("odoo_id"), newest=Max("write_date"))
    )
    return {
        row["day"].date() if row["day"] else None: (
            row["count"], int(row["ids"]), row["newest"].replace(microsecond=0) if row["newest"] else None,
        )
        for row in rows
    }  # fmt: skip


def _window(day: date | None) -> list[Any]:
    if day is None:
        return [("write_date", "=", False)]
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return [("write_date", ">=", odoo_time(start)), ("write_date", "<", odoo_time(start + timedelta(days=1)))]


def _ids_in_odoo(client: OdooClient, model: type[Mirrored], day: date | None) -> dict[int, datetime | None]:
    found: dict[int, datetime | None] = {}
    last = 0
    while True:
        domain = [*_window(day), ("id", ">", last)]
        page = client.search_read(model.odoo_model, domain, ["id", "write_date"], limit=PAGE, order="id")
        found |= {row["id"]: aware(row["write_date"]) if row["write_date"] else None for row in page}
        if len(page) < PAGE:
            return found
        last = page[-1]["id"]


def _ids_here(model: type[Mirrored], connection: Connection, day: date | None) -> dict[int, datetime | None]:
    rows = model.objects.filter(connection=connection, deleted_at=None)
    if day is None:
        rows = rows.filter(write_date=None)
    else:
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        rows = rows.filter(write_date__gte=start, write_date__lt=start + timedelta(days=1))
    return {
        odoo_id: at.replace(microsecond=0) if at else None for odoo_id, at in rows.values_list("odoo_id", "write_date")
    }

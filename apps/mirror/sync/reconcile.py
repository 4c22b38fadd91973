"""Proving that the mirror equals Odoo: by days first, then by hours, then by ids where they differ.

A day of ``write_date`` is one row of figures on either side (how many, the sum of their ids, the newest), so a mirror
of fifty thousand records is compared in one call of a tenth of a second. What is found is mended: it is the measure of
how much webhooks and increments missed.

Figures of a day cannot show everything: a record that was written twice on one day, of which the tower missed the
second time, leaves them alike. No record is written on a day that is over, so days that were compared after they were
over need figures only. What was written since, and everything the first time, is compared by its ids.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Max, Sum
from django.db.models.functions import Greatest, Trunc

from apps.core.clock import Clock
from apps.intake import dead_letters
from apps.intake.dead_letters import STORING
from apps.mirror import upsert
from apps.mirror.declare import Mirrored
from apps.mirror.models import SyncRun, SyncState
from apps.mirror.sync import increment, locks, refresh
from apps.mirror.sync.times import known_moment, text
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection

PAGE = 5_000
# More deletions than this at once look like a changed record rule, not like business: a person has to look.
MOST_DELETIONS, DELETIONS_SHARE, ALWAYS_ALLOWED = 500, 0.01, 20
# A day may still change after it is over: Odoo stamps what it writes with the start of the transaction.
SETTLED_AFTER = timedelta(days=1)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
# Equals no date of Odoo's.
UNSURE = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class _Figures:
    """What both sides say of a stretch of time: how many records, the sum of their ids, the newest write."""

    count: int
    ids: int
    newest: datetime | None


@dataclass(frozen=True)
class _Stretch:
    """A part of the records, as Odoo is asked for it and as the mirror is."""

    domain: list[Any]
    condition: dict[str, Any]


EVERYTHING = _Stretch([], {})
UNDATED = _Stretch([("write_date", "=", False)], {"write_date": None})


def _between(start: datetime, end: datetime) -> _Stretch:
    return _Stretch(
        [("write_date", ">=", text(start)), ("write_date", "<", text(end))],
        {"write_date__gte": start, "write_date__lt": end},
    )


def _since(start: datetime) -> _Stretch:
    return _Stretch([("write_date", ">=", text(start))], {"write_date__gte": start})


def run(
    client: OdooClient,
    model: type[Mirrored],
    *,
    connection: Connection,
    clock: Clock,
    on_changes: refresh.OnChanges,
    allow_deletions: bool = False,
    restored_to: datetime | None = None,
) -> SyncRun:
    """Compare ``model`` with Odoo and mend what differs; what was found and what it cost, as stored.

    Args:
        allow_deletions: a person has looked: bury whatever is gone, however much.
        restored_to: Odoo went back to that moment: every id is compared, and what was made later and is gone was lost.

    Raises:
        OdooError: nothing was changed that was not read.
        SyncBusyError: another process reads this model right now.
    """
    with locks.alone(connection, model.odoo_model) as state:
        found = SyncRun(connection=connection, odoo_model=model.odoo_model, kind="reconcile", started_at=clock())
        stale: set[int] = set()
        missing: set[int] = set()
        compared_at = None if restored_to else state.reconciled_at
        for stretch in _suspects(client, model, connection, found, compared_at):
            found.stretches += 1
            for theirs, ours in _side_by_side(client, model, connection, stretch):
                found.ids_compared += len(theirs)
                stale |= {odoo_id for odoo_id, at in theirs.items() if ours.get(odoo_id) != at}
                missing |= ours.keys() - theirs.keys()
        # Records that could not be stored: corrected without a new date, or gone, which no figure shows.
        stale |= dead_letters.records(STORING, connection.pk, model.odoo_model)
        # What left its stretch was written since, and is stale in another or about to be read here.
        missing -= stale
        for some in _batches(missing):
            still = {row["id"] for row in client.read(model.odoo_model, some, ["id"], primary=True)}
            stale |= still
            missing -= still
        late = _read_again(client, model, connection, stale, found, state, clock, on_changes)
        _take_out(client, model, connection, missing, found, clock, on_changes, allow_deletions, restored_to)
        found.ended_at = clock()
        found.save()
        SyncState.objects.filter(pk=state.pk).update(reconciled_at=found.started_at, problem=found.note)
        if late and not restored_to:
            _widen(state, late)
    return found


def _widen(state: SyncState, late: int) -> None:
    """Rows came in behind the overlap, in transactions longer than it: the next such one is to be within it."""
    wider = min(2 * state.overlap_seconds, increment.WIDEST_OVERLAP_SECONDS)
    SyncState.objects.filter(pk=state.pk).update(
        late_count=F("late_count") + late, overlap_seconds=Greatest(F("overlap_seconds"), wider)
    )


def _suspects(
    client: OdooClient, model: type[Mirrored], connection: Connection, found: SyncRun, compared_at: datetime | None
) -> Iterator[_Stretch]:
    """The stretches whose ids have to be compared, one by one."""
    if compared_at is None:
        found.compared = client.search_count(model.odoo_model, [])
        yield EVERYTHING
        return
    theirs, ours = _figures_in_odoo(client, model, [], "day"), _figures_here(model, connection, "day")
    found.compared = sum(figures.count for figures in theirs.values())
    differing = [day for day in theirs.keys() | ours.keys() if theirs.get(day) != ours.get(day)]
    settled_before = _start(compared_at - SETTLED_AFTER, "day")
    for day in sorted(day for day in differing if day and day < settled_before):
        if _most(theirs.get(day), ours.get(day)) > PAGE:
            yield from _hours(client, model, connection, _between(day, day + DAY))
        else:
            yield _between(day, day + DAY)
    if None in differing:
        yield UNDATED
    yield _since(settled_before)


def _hours(client: OdooClient, model: type[Mirrored], connection: Connection, day: _Stretch) -> Iterator[_Stretch]:
    """The hours of ``day`` that differ."""
    theirs = _figures_in_odoo(client, model, day.domain, "hour")
    ours = _figures_here(model, connection, "hour", **day.condition)
    for hour in sorted(hour for hour in theirs.keys() | ours.keys() if hour and theirs.get(hour) != ours.get(hour)):
        yield _between(hour, hour + HOUR)


def _most(theirs: _Figures | None, ours: _Figures | None) -> int:
    return max(figures.count if figures else 0 for figures in (theirs, ours))


def _figures_in_odoo(client: OdooClient, model: type[Mirrored], domain: list[Any], grain: str) -> dict[datetime | None, _Figures]:
    groups = client.read_group(
        model.odoo_model, domain, [f"write_date:{grain}"], ["id:sum", "write_date:max"], context={"tz": "UTC"}
    )
    found: dict[datetime | None, _Figures] = {}
    for row in groups:
        newest = known_moment(row["write_date:max"])
        # The newest write tells which group it is, whatever the version and its language call it.
        found[_start(newest, grain) if newest else None] = _Figures(row["__count"], int(row["id:sum"] or 0), newest)
    return found


def _figures_here(model: type[Mirrored], connection: Connection, grain: str, **condition: Any) -> dict[datetime | None, _Figures]:
    rows = (
        model.objects.filter(connection=connection, deleted_at=None, **condition)
        .annotate(start=Trunc("write_date", grain, tzinfo=UTC))
        .values_list("start")
        .annotate(Count("id"), Sum("odoo_id"), Max("write_date"))
    )
    return {
        start: _Figures(count, int(ids), newest.replace(microsecond=0) if newest else None) for start, count, ids, newest in rows
    }


def _start(at: datetime, grain: str) -> datetime:
    hour = at.replace(minute=0, second=0, microsecond=0)
    return hour if grain == "hour" else hour.replace(hour=0)


def _side_by_side(
    client: OdooClient, model: type[Mirrored], connection: Connection, stretch: _Stretch
) -> Iterator[tuple[dict[int, datetime | None], dict[int, datetime | None]]]:
    """Ids and dates of ``stretch`` in Odoo and here, a page of ids at a time, so that no import is too large."""
    here = model.objects.filter(connection=connection, deleted_at=None, **stretch.condition)
    last = 0
    while True:
        domain = [*stretch.domain, ("id", ">", last)]
        page = client.search_read(model.odoo_model, domain, ["id", "write_date"], limit=PAGE, order="id")
        theirs = {row["id"]: known_moment(row.get("write_date")) for row in page}
        within = here.filter(odoo_id__gt=last)
        if len(page) == PAGE:
            within = within.filter(odoo_id__lte=page[-1]["id"])
        rows = within.values_list("odoo_id", "write_date", "read_at")
        yield theirs, {odoo_id: _known(at, read_at) for odoo_id, at, read_at in rows}
        if len(page) < PAGE:
            return
        last = page[-1]["id"]


def _known(written_at: datetime | None, read_at: datetime) -> datetime | None:
    """The date to be compared. Of a row that was read just after it was written none is known for sure: it may have been
    written again within the same second, and the two clocks are not one. It is read once more, and then is."""
    if written_at is None:
        return None
    return written_at.replace(microsecond=0) if read_at >= written_at + increment.CLOCKS_APART else UNSURE


def _read_again(
    client: OdooClient,
    model: type[Mirrored],
    connection: Connection,
    stale: set[int],
    found: SyncRun,
    state: SyncState,
    clock: Clock,
    on_changes: refresh.OnChanges,
) -> int:
    """Read what is stale and hand on what really changed; how many of them no increment could have seen any more."""
    late = 0
    # Looks begin here or later, so what is dated before it and was not there at the last look came in behind them all.
    behind = increment.looks_since(state) if state.seen_until and state.watermark else None
    for some in _batches(stale):
        reads = refresh.read(client, model, some, now=clock())
        with transaction.atomic():
            # Odoo is the truth even where its dates went back, as after a backup was restored.
            changes = refresh.write(reads, connection_id=connection.pk, on_changes=on_changes, now=clock(), rebuild=True)
            changed = {odoo_id for change in changes if change.model == model.odoo_model for odoo_id in change.ids}
            upsert.confirm(model, connection_id=connection.pk, odoo_ids=set(some) - changed, read_at=reads[0].read_at)
        for change in changes:
            if change.model == model.odoo_model:
                found.found_changed += len(change.inserted | change.updated)
                found.found_deleted += len(change.deleted)
                if behind:
                    new = change.inserted | change.updated
                    late += sum(at < behind for odoo_id, at in change.written_at.items() if odoo_id in new)
    return late


def _take_out(
    client: OdooClient,
    model: type[Mirrored],
    connection: Connection,
    missing: set[int],
    found: SyncRun,
    clock: Clock,
    on_changes: refresh.OnChanges,
    allow_deletions: bool,
    restored_to: datetime | None,
) -> None:
    """Bury what is gone, unless it is more than business deletes at once: then a person has to look."""
    if not missing:
        return
    here = model.objects.filter(connection=connection, deleted_at=None)
    total = here.count()
    bound = min(MOST_DELETIONS, max(ALWAYS_ALLOWED, int(total * DELETIONS_SHARE)))
    unexplained = missing
    if restored_to:
        # What was made after the moment to which Odoo went back was lost there, however much it is.
        unexplained = missing - set(here.filter(odoo_id__in=missing, create_date__gt=restored_to).values_list("odoo_id", flat=True))
    if len(unexplained) > bound and not allow_deletions:
        is_hidden = refresh.hidden(client, model, sorted(unexplained)[: refresh.ASKED_ONE_BY_ONE])
        why = "An access rule hides them from the login" if is_hidden else "A changed access rule looks the same"
        found.is_held = True
        found.note = (
            f"{len(unexplained)} of {total} records of {model.odoo_model} are no longer seen in {connection.name}. Nothing "
            f"was taken out of the mirror. {why}. If they were really deleted, or are no longer to be seen, run "
            f"reconcile {connection.name} --model {model.odoo_model} --allow-deletions."
        )
        return
    read_at = clock()
    with transaction.atomic():
        gone = upsert.mark_deleted(model, connection_id=connection.pk, odoo_ids=missing, read_at=read_at, now=read_at)
        if gone:
            on_changes([gone])
    found.found_deleted += len(gone.deleted)


def _batches(ids: set[int]) -> Iterator[list[int]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), refresh.BATCH):
        yield ordered[start : start + refresh.BATCH]

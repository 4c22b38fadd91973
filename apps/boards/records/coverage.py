"""How much the mirror holds of a connection, model by model, and of its past."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from apps.mirror import registry as mirrors
from apps.mirror.state import SyncState
from apps.mirror.tracked import TrackedChange
from apps.odoo.models import Connection


@dataclass(frozen=True, kw_only=True)
class Mirrored:
    """What the mirror holds of one Odoo model.

    Attributes:
        read, total: records of the first read so far, and how many there were to read.
    """

    model: str
    count: int
    deleted: int
    read_at: datetime | None
    is_complete: bool
    read: int
    total: int
    problem: str


def by_model(connection: Connection) -> list[Mirrored]:
    """How much of each model the mirror holds of a connection, in the order of synchronisation.

    A model that its Odoo lacks, and of which nothing is held from before, is left out.
    """
    states = {state.odoo_model: state for state in SyncState.objects.filter(connection=connection)}
    held = []
    for model, mirror in mirrors.models().items():
        sums = mirror._default_manager.filter(connection=connection).aggregate(
            count=Count("pk", filter=Q(deleted_at=None)), deleted=Count("deleted_at")
        )
        state = states.get(model)
        if connection.lacks(model) and not sums["count"] + sums["deleted"]:
            continue
        held.append(
            Mirrored(
                model=model,
                read_at=state.increment_at or state.backfill_done_at if state else None,
                is_complete=bool(state and state.backfill_done_at),
                read=sums["count"] + sums["deleted"],
                total=state.backfill_total if state else 0,
                problem=state.problem if state else "",
                **sums,
            )
        )
    return held


@dataclass(frozen=True, kw_only=True)
class PastRead:
    """How much of the past was read from Odoo, where its reading has begun.

    Attributes:
        count: changes of tracked fields that are kept.
        since: the oldest of them.
    """

    count: int
    since: datetime | None
    is_complete: bool
    total: int
    problem: str


def of_past(connection: Connection) -> PastRead | None:
    """How much of the past was read from a connection; None where its reading has not begun."""
    state = SyncState.objects.filter(connection=connection, odoo_model="mail.tracking.value").first()
    if state is None:
        return None
    sums = TrackedChange.objects.filter(connection=connection).aggregate(count=Count("pk"), since=Min("at"))
    return PastRead(is_complete=bool(state.backfill_done_at), total=state.backfill_total, problem=state.problem, **sums)

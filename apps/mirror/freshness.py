"""How fresh each connection's mirror is: the one answer that the header, the health page and the incidents give."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from apps.mirror.state import SyncState
from apps.odoo.models import Connection

LATE = timedelta(minutes=4)
# What Odoo kept of the past is read once; where the login may not read it, that is said on the connection and nothing is old.
OF_THE_PAST = "mail.tracking.value"


@dataclass(kw_only=True)
class Freshness:
    """One connection.

    Attributes:
        read_at: when the changes were last asked for of the model that is furthest behind.
        heard_at: when any model was last read.
        behind: the models that are too far behind, the furthest first.
        problems: models that cannot be read or are held, with the reason.
        is_first_read_done: True if every model has been read once.
        is_first_read_open: True if the initial sync has begun, and some model was never read whole.
    """

    read_at: datetime | None = None
    heard_at: datetime | None = None
    behind: list[str] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    is_first_read_done: bool = False
    is_first_read_open: bool = False
    is_late: bool = False

    @property
    def unread(self) -> list[tuple[str, str]]:
        """The problems that make what is shown old."""
        return [(model, problem) for model, problem in self.problems if model != OF_THE_PAST]


def freshness_of(connections: Collection[Connection], *, now: datetime) -> dict[int, Freshness]:
    """Return how fresh each of the ``connections`` is, by its number, in one query."""
    found = {connection.pk: Freshness() for connection in connections}
    states: dict[int, list[SyncState]] = {number: [] for number in found}
    by_number = {connection.pk: connection for connection in connections}
    for state in SyncState.objects.filter(connection__in=list(found)).order_by("odoo_model"):
        if not by_number[state.connection_id].lacks(state.odoo_model):
            states[state.connection_id].append(state)
    for number, own in states.items():
        one = found[number]
        read = sorted((mirrored_until(state), state.odoo_model) for state in own if state.increment_at)
        one.read_at = read[0][0] if read else None
        one.heard_at = max((state.increment_at for state in own if state.increment_at), default=None)
        one.behind = [model for at, model in read if now - at > LATE]
        one.problems = [(state.odoo_model, state.problem) for state in own if state.problem]
        one.is_first_read_done = bool(own) and all(state.backfill_done_at for state in own)
        one.is_first_read_open = bool(own) and not one.is_first_read_done
        one.is_late = by_number[number].is_active and one.is_first_read_done and (one.read_at is None or now - one.read_at > LATE)
    return found


def mirrored_until(state: SyncState) -> datetime:
    """Return the moment up to which all that Odoo had committed is mirrored."""
    return state.seen_until or state.increment_at or datetime.max.replace(tzinfo=UTC)

"""What the workers of ``bench.lateness`` do when a timer is due: note the moment, one row a timer."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection as database

from apps.timers import due
from apps.timers.models import Timer

KIND = "bench.late"


@due.handles(KIND)
def note(timers: Sequence[Timer], now: datetime) -> None:
    """Write down that each came, by the database's clock."""
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO bench_came (key, due_at, came_at) SELECT key, due_at, clock_timestamp()"
            "  FROM unnest(%s::text[], %s::timestamptz[]) AS one(key, due_at)",
            [[timer.key for timer in timers], [timer.due_at for timer in timers]],
        )

"""How long Odoo's users wait for the intake: measured by the intake itself, at every webhook, and kept by the minute.

Odoo sends a webhook in the transaction of the user who saves, and waits up to a second for its answer, for each record.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database

from apps.intake.models import Wait

# A person notices it; a healthy intake answers in a few thousandths of a second.
SLOW_SECONDS = 0.5
KEEP = timedelta(days=2)

ADD = """
INSERT INTO intake_wait (connection_id, minute, answered, slow, turned_away, seconds, longest)
SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::int[], %s::int[], %s::int[], %s::float8[], %s::float8[])
ON CONFLICT (connection_id, minute) DO UPDATE
   SET answered = intake_wait.answered + excluded.answered, slow = intake_wait.slow + excluded.slow,
       turned_away = intake_wait.turned_away + excluded.turned_away, seconds = intake_wait.seconds + excluded.seconds,
       longest = greatest(intake_wait.longest, excluded.longest)
"""

SINCE = """
SELECT connection_id, sum(answered) AS answered, sum(slow) AS slow, sum(turned_away) AS turned_away,
       sum(seconds) AS seconds, max(longest) AS longest
  FROM intake_wait WHERE connection_id = ANY(%s) AND minute > %s AND minute <= %s
 GROUP BY connection_id
"""


@dataclass(kw_only=True)
class Waited:
    """How long senders waited: counts, and seconds. Added to while a process counts."""

    answered: int = 0
    slow: int = 0
    turned_away: int = 0
    seconds: float = 0.0
    longest: float = 0.0

    def add(self, seconds: float, *, is_turned_away: bool) -> None:
        """Count one that waited so long."""
        self.answered += 1
        self.slow += seconds > SLOW_SECONDS
        self.turned_away += is_turned_away
        self.seconds += seconds
        self.longest = max(self.longest, seconds)

    def take_over(self, other: "Waited") -> None:
        """Count what ``other`` has counted too."""
        self.answered += other.answered
        self.slow += other.slow
        self.turned_away += other.turned_away
        self.seconds += other.seconds
        self.longest = max(self.longest, other.longest)

    @property
    def mean(self) -> float | None:
        """How long one waited on average, in seconds; None where nobody did."""
        return self.seconds / self.answered if self.answered else None

    @property
    def hurts(self) -> bool:
        """Whether people in Odoo notice: more than one of twenty was slow or turned away, and more than two."""
        return self.slow + self.turned_away > max(2, self.answered * 0.05)


Counted = dict[tuple[int, datetime], Waited]


def minute_of(now: datetime) -> datetime:
    """The minute that ``now`` is counted in."""
    return now.replace(second=0, microsecond=0)


def columns(counted: Mapping[tuple[int, datetime], Waited]) -> list[list[Any]]:
    """What :data:`ADD` is given. Sorted, so that two processes never wait for one another in a ring."""
    rows = [(*key, one.answered, one.slow, one.turned_away, one.seconds, one.longest) for key, one in sorted(counted.items())]
    return [list(column) for column in zip(*rows, strict=True)]


def since(at: datetime, *, connection_ids: list[int], now: datetime) -> dict[int, Waited]:
    """How long senders waited since ``at``, by connection."""
    with database.cursor() as cursor:
        cursor.execute(SINCE, [connection_ids, at, now])
        return {
            row[0]: Waited(answered=row[1], slow=row[2], turned_away=row[3], seconds=row[4], longest=row[5])
            for row in cursor.fetchall()
        }


def forget_old(*, now: datetime) -> None:
    """Forget the minutes of days ago."""
    Wait.objects.filter(minute__lt=now - KEEP).delete()

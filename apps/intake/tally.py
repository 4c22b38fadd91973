"""What came, and what became of it, counted by the hour: figures that outlive the deliveries themselves.

Every count is added to by the transaction that it counts in, or by the process that saw it, in one statement a batch.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection as database

from apps.intake.transitions import DELIVERIES

# How long a delivery took from its arrival to its committed effect, in seconds: the upper bounds of the buckets, as
# Prometheus wants them; beyond the last one is +Inf.
BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
KEEP = timedelta(days=30)
# What is older is kept in one sum, so that what Prometheus reads as a counter never goes back.
BEFORE = datetime(1970, 1, 1, tzinfo=UTC)
# Not a source of deliveries: commands to Odoo are counted beside them.
COMMANDS = "commands"

# Sorted, so that two batches that count side by side never wait for each other in a ring.
ADD = """
INSERT INTO intake_tally (connection_id, source, hour, what, bucket, count, seconds)
SELECT c, s, %(hour)s, w, 0, sum(n), 0
  FROM unnest(%(connections)s::bigint[], %(sources)s::text[], %(whats)s::text[], %(counts)s::bigint[]) AS added(c, s, w, n)
 GROUP BY c, s, w ORDER BY c, s, w
ON CONFLICT (connection_id, source, hour, what, bucket) DO UPDATE SET count = intake_tally.count + excluded.count
"""

OF_DELIVERIES = """
INSERT INTO intake_tally (connection_id, source, hour, what, bucket, count, seconds)
SELECT connection_id, source, %(hour)s, %(what)s, 0, count(*), 0
  FROM intake_delivery WHERE id = ANY(%(ids)s) AND connection_id IS NOT NULL AND (%(status)s = '' OR status = %(status)s)
 GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (connection_id, source, hour, what, bucket) DO UPDATE SET count = intake_tally.count + excluded.count
"""

SETTLE = f"""
WITH settled AS (
  UPDATE intake_delivery
     SET status = 'done', processed_at = %(now)s, claimed_until = NULL, problem = ''
   WHERE id = ANY(%(ids)s) AND status IN ({DELIVERIES.sql_sources("complete")})
  RETURNING connection_id, source, greatest(extract(epoch FROM %(now)s - received_at), 0) AS took)
INSERT INTO intake_tally (connection_id, source, hour, what, bucket, count, seconds)
SELECT connection_id, source, %(hour)s, 'done', width_bucket(took::float8, %(bounds)s::float8[]), count(*), sum(took)
  FROM settled WHERE connection_id IS NOT NULL
 GROUP BY 1, 2, 5 ORDER BY 1, 2, 5
ON CONFLICT (connection_id, source, hour, what, bucket)
DO UPDATE SET count = intake_tally.count + excluded.count, seconds = intake_tally.seconds + excluded.seconds
"""


TOOK = """
INSERT INTO intake_tally (connection_id, source, hour, what, bucket, count, seconds)
VALUES (%(connection)s, %(source)s, %(hour)s, %(what)s, width_bucket(%(took)s::float8, %(bounds)s::float8[]), 1, %(took)s)
ON CONFLICT (connection_id, source, hour, what, bucket)
DO UPDATE SET count = intake_tally.count + 1, seconds = intake_tally.seconds + excluded.seconds
"""

FOLD = """
WITH old AS (DELETE FROM intake_tally WHERE hour < %(until)s AND hour > %(before)s RETURNING *)
INSERT INTO intake_tally (connection_id, source, hour, what, bucket, count, seconds)
SELECT connection_id, source, %(before)s, what, bucket, sum(count), sum(seconds) FROM old
 GROUP BY connection_id, source, what, bucket
ON CONFLICT (connection_id, source, hour, what, bucket)
DO UPDATE SET count = intake_tally.count + excluded.count, seconds = intake_tally.seconds + excluded.seconds
"""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """So many of something, of one connection and source."""

    connection_id: int
    source: str
    what: str
    count: int


def hour_of(now: datetime) -> datetime:
    """The hour that ``now`` is counted in."""
    return now.replace(minute=0, second=0, microsecond=0)


def add(counted: Iterable[Counted], *, now: datetime) -> None:
    """Count, in the caller's transaction."""
    some = [one for one in counted if one.count]
    if not some:
        return
    with database.cursor() as cursor:
        cursor.execute(
            ADD,
            {
                "hour": hour_of(now),
                "connections": [one.connection_id for one in some],
                "sources": [one.source for one in some],
                "whats": [one.what for one in some],
                "counts": [one.count for one in some],
            },
        )


def settle(ids: list[int], *, now: datetime) -> None:
    """Mark deliveries as processed and count how long they took, in the transaction of their effect.

    Those that became dead letters in it stay so.
    """
    with database.cursor() as cursor:
        cursor.execute(SETTLE, {"ids": ids, "now": now, "hour": hour_of(now), "bounds": list(BOUNDS)})


def of_deliveries(ids: list[int], what: str, *, now: datetime, status: str = "") -> None:
    """Count deliveries as ``what``, those of ``status`` if one is named, in the caller's transaction."""
    if ids:
        with database.cursor() as cursor:
            cursor.execute(OF_DELIVERIES, {"ids": ids, "what": what, "status": status, "hour": hour_of(now)})


def took(connection_id: int, source: str, what: str, seconds: float, *, now: datetime) -> None:
    """Count one thing with how long it took, in the caller's transaction."""
    with database.cursor() as cursor:
        cursor.execute(
            TOOK,
            {
                "connection": connection_id,
                "source": source,
                "hour": hour_of(now),
                "what": what,
                "took": max(seconds, 0.0),
                "bounds": list(BOUNDS),
            },
        )


def fold_old(*, now: datetime) -> None:
    """Put what was counted long ago into one sum."""
    with database.cursor() as cursor:
        cursor.execute(FOLD, {"until": now - KEEP, "before": BEFORE})

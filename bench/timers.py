"""Timers: draining what is due among a million pending, with audit and notification each, beside one-at-a-time."""

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import ground
from bench.row import Row

PENDING = int(os.environ.get("BENCH_TIMERS", "1000000"))
ROUNDS, DRAINED, ONE_BY_ONE = 5, 5_000, 300
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

FILL = """
INSERT INTO timers_timer (kind, key, due_at, payload, status, created_at)
SELECT %(kind)s, %(kind)s || n, %(first)s::timestamptz + n * interval '1 millisecond', '{}', 'pending', now()
  FROM generate_series(1, %(number)s) AS n
"""
# As a scheduler does that looks for one, and takes it where it still stands as it was found.
NEXT = "SELECT id FROM timers_timer WHERE status = 'pending' AND due_at <= %s ORDER BY due_at, id LIMIT 1"
SWAP = "UPDATE timers_timer SET status = 'fired', fired_at = %s WHERE id = %s AND status = 'pending'"


def run() -> list[Row]:
    """Measure."""
    ground.tower()
    from django.db import connection as database

    from apps.accounts.models import User
    from apps.timers import due

    person = User.objects.create_user("bench", password="a long password", email="bench@example.com")

    @due.handles("bench.work")
    def work(timers: Sequence[Any], now: datetime) -> None:
        _consequences([timer.key for timer in timers], person, now)

    with database.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(FILL, {"kind": "bench.later", "first": NOW + timedelta(days=1), "number": PENDING})
        cursor.execute("ANALYZE timers_timer")
    rounds = iter(range(1_000))
    found = ground.interleaved(
        {"sets": lambda: _in_sets(next(rounds)), "one": lambda: _one_by_one(next(rounds), person)}, rounds=ROUNDS
    )
    return [
        Row(
            name=f"timers due among {PENDING:,}, with audit and message, ÷ one by one",
            goal=20,
            unit="per second",
            **ground.beside(found["sets"], found["one"]),
        )
    ]


def _consequences(keys: Sequence[str], person: Any, now: datetime) -> None:
    """What follows from each timer: an entry on the trail, and a message to a person."""
    from apps.audit import trail
    from apps.core import actor
    from apps.notifications.models import Notification

    trail.record_all([trail.Event(action="bench.fired", actor=actor.system("bench"), subject=key) for key in keys], now=now)
    Notification.objects.bulk_create(
        Notification(user=person, kind="bench", key=f"bench:{key}", title="Due", created_at=now) for key in keys
    )


def _fill(number: int, turn: int) -> None:
    from django.db import connection as database

    with database.cursor() as cursor:
        cursor.execute(
            FILL.replace("|| n,", f"|| {turn} || ':' || n,"),
            {"kind": "bench.work", "first": NOW - timedelta(hours=1), "number": number},
        )


def _in_sets(turn: int) -> float:
    """Timers a second, as the tower fires them."""
    from apps.timers import due

    _fill(DRAINED, turn)
    begun = time.perf_counter()
    fired = 0
    while claimed := due.fire_due(now=NOW):
        fired += claimed
    assert fired == DRAINED, fired
    return DRAINED / (time.perf_counter() - begun)


def _one_by_one(turn: int, person: Any) -> float:
    """Timers a second, each found, swapped and followed by its consequences in a transaction of its own."""
    from django.db import connection as database
    from django.db import transaction

    _fill(ONE_BY_ONE, turn)
    begun = time.perf_counter()
    for _ in range(ONE_BY_ONE):
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute(NEXT, [NOW])
            (number,) = cursor.fetchone()
            cursor.execute(SWAP, [NOW, number])
            assert cursor.rowcount == 1
            _consequences([f"{turn}:{number}"], person, NOW)
    return ONE_BY_ONE / (time.perf_counter() - begun)

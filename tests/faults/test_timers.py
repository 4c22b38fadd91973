"""Timers among a great many: none lost, none twice, in order, however many schedulers there are, or were not for an hour."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from apps.timers import due
from apps.timers.models import Timer
from tests.platform.conftest import wait_until

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
fired: list[tuple[str, datetime]] = []
# Fires as a worker does, and dies where a set is handled and not yet committed.
DIES = """
import os, signal, django
django.setup()
from datetime import UTC, datetime
from apps.timers import due

@due.handles("test.note")
def note(timers, now):
    os.kill(os.getpid(), signal.SIGKILL)

due.fire_due(now=datetime(2026, 11, 23, 12, tzinfo=UTC))
"""


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    fired.clear()

    @due.handles("test.note")
    def note(timers: Sequence[Timer], now: datetime) -> None:
        fired.extend((timer.key, timer.due_at) for timer in timers)

    yield
    del due.HANDLERS["test.note"]


def pending(number: int, *, every: timedelta) -> None:
    Timer.objects.bulk_create(
        (Timer(kind="test.note", key=str(place), due_at=NOW + place * every, created_at=NOW) for place in range(number)),
        batch_size=5_000,
    )


@pytest.mark.django_db
def test_without_a_scheduler_for_an_hour_each_is_caught_up_once_and_in_order() -> None:
    pending(7_200, every=timedelta(seconds=1))
    assert due.fire_due(now=NOW) == 1
    an_hour_later = NOW + timedelta(hours=1)
    sets = 0
    while due.fire_due(now=an_hour_later) == due.BATCH:
        sets += 1
    assert [key for key, _ in fired] == [str(place) for place in range(3_601)]
    assert sets == 3_600 // due.BATCH
    assert Timer.objects.filter(status="fired", fired_at=an_hour_later).count() == 3_600


@pytest.mark.django_db(transaction=True)
def test_a_poller_that_is_killed_while_it_fires_leaves_its_set_to_the_next(process_environment: dict[str, str]) -> None:
    pending(due.BATCH + 10, every=timedelta(microseconds=-1))
    poller = subprocess.run([sys.executable, "-c", DIES], env=process_environment, check=False, timeout=120)
    assert poller.returncode == -signal.SIGKILL
    # PostgreSQL takes the dead one's transaction back when it sees that its socket is closed.
    wait_until(lambda: due.fire_due(now=NOW) == due.BATCH)
    assert due.fire_due(now=NOW) == 10
    assert len({key for key, _ in fired}) == len(fired) == due.BATCH + 10


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_beside_each_other_and_a_clock_that_goes_back_fire_each_once() -> None:
    pending(2_000, every=timedelta(seconds=1))
    moments = [NOW + timedelta(seconds=second) for second in (500, 100, 1_200, 700, 2_500)]
    start = threading.Barrier(2)

    def schedule() -> None:
        for now in moments:
            start.wait(60)
            while due.fire_due(now=now, limit=50) == 50:
                pass
        connection.close()

    schedulers = [threading.Thread(target=schedule) for _ in range(2)]
    for scheduler in schedulers:
        scheduler.start()
    for scheduler in schedulers:
        scheduler.join()
    assert sorted(int(key) for key, _ in fired) == list(range(2_000))


@pytest.mark.django_db
def test_looking_for_what_is_due_costs_the_same_however_many_are_pending() -> None:
    pending(20_000 if not os.environ.get("MANY_TIMERS") else 1_000_000, every=timedelta(seconds=1))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE timers_timer")
        cursor.execute(
            "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT id FROM timers_timer WHERE status = 'pending' "
            "AND due_at <= %s ORDER BY due_at, id LIMIT 500 FOR UPDATE SKIP LOCKED",
            [NOW - timedelta(days=1)],
        )
        (plan,) = cursor.fetchone()
    assert "timers_pending" in str(plan)
    assert plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"] < 20

"""Timers fire once, in order, in sets, and one that fails never stops the others."""

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from apps.core import clock
from apps.timers import due, tasks
from apps.timers.models import Timer

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
fired: list[str] = []


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    fired.clear()

    @due.handles("test.note")
    def note(timers: Sequence[Timer], now: datetime) -> None:
        fired.extend(timer.key for timer in timers)

    @due.handles("test.fail_on_bad")
    def fail_on_bad(timers: Sequence[Timer], now: datetime) -> None:
        for timer in timers:
            if timer.key == "bad":
                raise ValueError("poison")
            fired.append(timer.key)

    yield
    del due.HANDLERS["test.note"], due.HANDLERS["test.fail_on_bad"]


def later(seconds: int) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.django_db
def test_what_is_due_fires_in_order_and_the_rest_waits() -> None:
    for key, seconds in [("second", -5), ("first", -10), ("future", 5)]:
        due.set_timer(kind="test.note", key=key, due_at=later(seconds), now=NOW)
    assert due.fire_due(now=NOW) == 2
    assert fired == ["first", "second"]
    assert due.fire_due(now=NOW) == 0


@pytest.mark.django_db
def test_setting_a_pending_timer_again_moves_it() -> None:
    due.set_timer(kind="test.note", key="one", due_at=later(-5), now=NOW)
    due.set_timer(kind="test.note", key="one", due_at=later(60), now=NOW)
    assert due.fire_due(now=NOW) == 0
    assert Timer.objects.get().due_at == later(60)


@pytest.mark.django_db
def test_a_cancelled_timer_does_not_fire() -> None:
    due.set_timer(kind="test.note", key="one", due_at=later(-5), now=NOW)
    assert due.cancel(kind="test.note", keys=["one"]) == 1
    due.fire_due(now=NOW)
    assert fired == []


@pytest.mark.django_db
def test_a_poisonous_timer_is_pushed_on_and_the_others_fire() -> None:
    for key in ["good", "bad", "fine"]:
        due.set_timer(kind="test.fail_on_bad", key=key, due_at=later(-5), now=NOW)
    due.fire_due(now=NOW)
    assert {"good", "fine"} <= set(fired)
    bad = Timer.objects.get(key="bad")
    assert (bad.status, bad.due_at) == ("pending", NOW + due.PUSH_ON)
    assert Timer.objects.filter(status="fired").count() == 2


@pytest.mark.django_db
def test_what_comes_due_before_the_beat_wakes_again_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "AWAKE_SECONDS", 60.0)  # however slow the machine is
    now = clock.now()
    for key, seconds in [("soon", 0.3), ("sooner", 0.1), ("tomorrow", 86_400)]:
        due.set_timer(kind="test.note", key=key, due_at=now + timedelta(seconds=seconds), now=now)
    tasks.fire_due()
    assert fired == ["sooner", "soon"]
    assert Timer.objects.get(key="soon").fired_at >= now + timedelta(seconds=0.3)


@pytest.mark.django_db(transaction=True)
def test_two_pollers_at_once_fire_each_timer_once() -> None:
    Timer.objects.bulk_create(Timer(kind="test.note", key=str(number), due_at=later(-1), created_at=NOW) for number in range(400))
    start = threading.Barrier(4)

    def poll() -> None:
        start.wait()
        while due.fire_due(now=NOW, limit=20):
            pass
        connection.close()

    pollers = [threading.Thread(target=poll) for _ in range(4)]
    for poller in pollers:
        poller.start()
    for poller in pollers:
        poller.join()
    assert sorted(fired, key=int) == [str(number) for number in range(400)]

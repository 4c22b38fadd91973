"""One wake that nobody has heard stands for all that come after it, and never for one that comes after it was heard."""

from collections.abc import Iterator

import pytest
from celery import current_app
from django.core.cache import cache

from apps.core import wake
from apps.timers import tasks


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The tasks that were sent for, in order."""
    cache.clear()
    names: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **_: names.append(name))
    yield names
    cache.clear()


def test_a_wake_that_nobody_heard_yet_is_enough(sent: list[str]) -> None:
    for task in ("pipeline.refresh", "outbox.dispatch", "pipeline.refresh", "pipeline.refresh"):
        wake.wake_now(task)
    assert sent == ["pipeline.refresh", "outbox.dispatch"]


def test_what_comes_after_a_task_began_to_look_wakes_it_again(sent: list[str], db: None) -> None:
    wake.wake_now("timers.fire_due")
    tasks.fire_due.apply()
    wake.wake_now("timers.fire_due")
    assert sent == ["timers.fire_due"] * 2


def test_wakes_that_say_what_for_are_all_sent(sent: list[str]) -> None:
    for connection in (1, 1, 2):
        wake.wake_now("pipeline.register", connection_id=connection)
    assert len(sent) == 3


def test_without_a_broker_nobody_is_held_up(sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise ConnectionError("away")

    monkeypatch.setattr(cache, "add", away)
    monkeypatch.setattr(cache, "delete", away)
    wake.wake_now("pipeline.refresh")
    wake.heard("pipeline.refresh")
    assert sent == []

"""Tables are changed while deliveries arrive and timers fire: nothing is lost, and nobody is kept out for long."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database

from apps.intake.models import Delivery
from apps.odoo.models import Connection
from apps.timers import due
from apps.timers.models import Timer
from controltower import prepare
from tests.intake.conftest import Intake, hint, wait_until

Run = Callable[..., Intake]
# Changes of tables that the intake uses at every delivery.
STEPS = [("odoo", "0003", "0004"), ("intake", "0005", "0006")]


@pytest.mark.parametrize(("app", "before", "after"), STEPS)
def test_while_tables_change_no_delivery_is_lost_and_each_timer_fires_once(
    app: str, before: str, after: str, run: Run, connection: Connection, now: datetime
) -> None:
    fired: list[str] = []

    @due.handles("test.upgrade")
    def note(timers: Any, at: Any) -> None:
        fired.extend(timer.key for timer in timers)

    Timer.objects.bulk_create(
        Timer(kind="test.upgrade", key=str(place), due_at=now + timedelta(seconds=place), created_at=now) for place in range(400)
    )
    intake = run()
    intake.secret = connection.hook_secret
    wait_until(lambda: intake.post(hint(1)).status == 202)
    accepted: set[int] = {1}
    stop = threading.Event()

    def send(first: int) -> None:
        number = first
        while not stop.is_set():
            number += 4
            if intake.post(hint(number)).status == 202:
                accepted.add(number)

    def fire() -> None:
        at = now
        while not stop.is_set():
            at += timedelta(seconds=10)
            due.fire_due(now=at, limit=20)
        database.close()

    threads = [threading.Thread(target=send, args=(place,)) for place in range(4)] + [threading.Thread(target=fire)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            for target in (before, after):
                prepare.change_tables(app, target)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        del due.HANDLERS["test.upgrade"]
        # What was added since, by this app and by those that rest on it.
        prepare.change_tables()
    while due.fire_due(now=now + timedelta(hours=1)):
        pass
    assert sorted(map(int, fired)) == list(range(400))
    wait_until(lambda: intake.post(hint(2)).status == 202)
    assert accepted <= set(Delivery.objects.values_list("odoo_id", flat=True))
    assert len(accepted) > 10

"""The door through which the beat fires timers."""

import time

from celery import shared_task

from apps.core import clock
from apps.timers import due

# The beat wakes once a second. What comes due before it wakes again is waited for here, so that a timer is late by a moment
# rather than by half a beat, and waited for so long at least that what is due together is fired as one set.
AWAKE_SECONDS, SHORTEST_WAIT_SECONDS = 0.9, 0.05


@shared_task(name="timers.fire_due", ignore_result=True)
def fire_due(**_: object) -> None:
    """Fire everything that is due now, or comes due before the beat's next wake."""
    until = time.monotonic() + AWAKE_SECONDS
    while True:
        while due.fire_due(now=clock.now()) == due.BATCH:
            pass
        next_due = due.next_due()
        if next_due is None:
            return
        wait = max((next_due - clock.now()).total_seconds(), SHORTEST_WAIT_SECONDS)
        if time.monotonic() + wait > until:
            return
        time.sleep(wait)

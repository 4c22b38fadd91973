"""The door through which the beat fires timers."""

from celery import shared_task

from apps.core import clock
from apps.timers import due


@shared_task(name="timers.fire_due", ignore_result=True)
def fire_due(**_: object) -> None:
    """Fire everything that is due now."""
    while due.fire_due(now=clock.now()) == due.BATCH:
        pass

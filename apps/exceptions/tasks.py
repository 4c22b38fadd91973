"""The door through which a worker does what people asked for in bulk."""

from celery import shared_task

from apps.core import clock
from apps.core.wake import wake_now
from apps.exceptions.bulk import jobs


@shared_task(name="exceptions.work", ignore_result=True)
def work(**_: object) -> None:
    """Do one chunk, and wake the next: what else this worker has to do comes in between."""
    if jobs.work(now=clock.now()):
        wake_now("exceptions.work")

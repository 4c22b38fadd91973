"""The door through which workers say that they work."""

from celery import shared_task

from apps.core import clock
from apps.health import queries


@shared_task(name="health.heartbeat", ignore_result=True)
def heartbeat(**_: object) -> None:
    """A worker runs, and beat woke it."""
    queries.beat("workers", now=clock.now())

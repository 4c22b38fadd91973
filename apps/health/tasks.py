"""The worker's sign of life."""

from celery import shared_task
from django.core.cache import cache

from apps.core import clock
from apps.health.queries import WORKER_KEY

KEPT_SECONDS = 3600


@shared_task(name="health.heartbeat", ignore_result=True)
def heartbeat(**_: object) -> None:
    """Note that a worker has taken work just now."""
    cache.set(WORKER_KEY, clock.now(), KEPT_SECONDS)

"""The scheduler's sign of life; and, where a worker imports its tasks, the workers' own (apps/health/workers.py)."""

from celery import shared_task
from django.core.cache import cache

from apps.core import clock
from apps.health import alerts, incidents, intake_probe
from apps.health import workers as workers
from apps.health.queries import BEAT_KEY

KEPT_SECONDS = 3600


@shared_task(name="health.heartbeat", ignore_result=True)
def heartbeat(**_: object) -> None:
    """Note that the scheduler has woken a worker just now."""
    cache.set(BEAT_KEY, clock.now(), KEPT_SECONDS)


@shared_task(name="health.probe_intake", ignore_result=True)
def probe_intake(**_: object) -> None:
    """See whether the intake answers."""
    intake_probe.probe_intake(now=clock.now())


@shared_task(name="health.detect_incidents", ignore_result=True)
def detect_incidents(**_: object) -> None:
    """Look for what is wrong with the integration, and for what is well again; tell of it."""
    try:
        incidents.detect_incidents(now=clock.now())
    finally:
        # What stands in the queue already is told of, whatever became of looking for more.
        alerts.look(now=clock.now())

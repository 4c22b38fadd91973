"""The door of the worker that keeps the table of kept answers small."""

from celery import shared_task

from apps.api import idempotency
from apps.core import clock


@shared_task(name="api.forget_old_keys", ignore_result=True)
def forget_old_keys(**_: object) -> None:
    """Forget the answers that nobody will ask for again."""
    idempotency.forget_old(now=clock.now())

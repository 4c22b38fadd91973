"""Waking workers by name.

Work lies in PostgreSQL; a message only tells a worker to look now instead of at the next sweep. So nothing below the
doors imports a task, and a lost message costs a moment, never work.
"""

import logging

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)


def wake(task: str, **arguments: int | str) -> None:
    """Wake the worker of ``task`` (such as ``outbox.dispatch``) once the present transaction has committed."""
    transaction.on_commit(lambda: wake_now(task, **arguments), robust=True)


def wake_now(task: str, **arguments: int | str) -> None:
    """Wake the worker of ``task`` at once. A broker that is down is logged: the sweep will find the work."""
    try:
        current_app.send_task(task, kwargs=arguments, expires=30, retry=False)
    except Exception:
        logger.warning("Could not wake %s; the next sweep will find its work", task, exc_info=True)

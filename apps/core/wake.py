"""Waking workers by name.

Work lies in PostgreSQL; a message only tells a worker to look now instead of at the next sweep. So nothing below the
doors imports a task, and a lost message costs a moment, never work.
"""

import logging

from celery import current_app
from django.core.cache import cache
from django.db import transaction

logger = logging.getLogger(__name__)

# For so long one wake that nobody has heard yet stands for all that come after it. Where it was lost, the sweep looks sooner.
UNHEARD_SECONDS = 5


def wake(task: str, **arguments: int | str) -> None:
    """Wake the worker of ``task`` (such as ``outbox.dispatch``) once the present transaction has committed."""
    transaction.on_commit(lambda: wake_now(task, **arguments), robust=True)


def wake_now(task: str, **arguments: int | str) -> None:
    """Wake the worker of ``task`` at once, unless a wake of it without arguments waits already.

    A worker that cannot keep up would else work through as many wakes as there were changes, mostly for nothing. A broker that
    is down is logged: the sweep will find the work.
    """
    try:
        if not arguments and not cache.add(_unheard(task), 1, UNHEARD_SECONDS):
            return
        current_app.send_task(task, kwargs=arguments, expires=30, retry=False)
    except Exception:
        logger.warning("Could not wake %s; the next sweep will find its work", task, exc_info=True)


def heard(task: str) -> None:
    """Note that ``task`` is about to look: what is committed from now on needs a wake of its own."""
    try:
        cache.delete(_unheard(task))
    except Exception:
        logger.warning("Could not note that %s was woken; for %s s only sweeps wake it", task, UNHEARD_SECONDS, exc_info=True)


def _unheard(task: str) -> str:
    return f"unheard:{task}"

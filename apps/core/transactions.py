"""Transactions that are run again where another one stood in their way."""

import logging
from collections.abc import Callable
from functools import wraps

import psycopg
from django.db import OperationalError, connection, transaction

logger = logging.getLogger(__name__)

# Each time the other one gets through: so many in a row is no accident.
ATTEMPTS = 5
OF_ANOTHER = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


def atomic_with_retry[**P, R](act: Callable[P, R]) -> Callable[P, R]:
    """Run ``act`` in a transaction, and anew where PostgreSQL ended it in favour of another (a deadlock, a failed serialisation).

    Two people's decisions, or a decision and what is drawn from a change in Odoo, may take the same rows in another order. The
    one that is ended has written nothing, so it begins again: nobody is told to press once more. Inside a transaction of the
    caller's ``act`` runs once, since what came before is gone too.

    Raises:
        OperationalError: as the last of five attempts raised it.
    """

    @wraps(act)
    def run(*arguments: P.args, **named: P.kwargs) -> R:
        attempts = 1 if connection.in_atomic_block else ATTEMPTS
        for attempt in range(attempts):
            try:
                with transaction.atomic():
                    return act(*arguments, **named)
            except OperationalError as error:
                if attempt + 1 == attempts or not isinstance(error.__cause__, OF_ANOTHER):
                    raise
                logger.warning("%s gave way to another transaction and begins again: %s", act.__qualname__, error)
        raise AssertionError("unreachable")

    return run

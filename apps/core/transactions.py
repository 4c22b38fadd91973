"""Transactions that are run again where another one stood in their way."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


@contextmanager
def undone() -> Iterator[None]:
    """Undo what the block writes, at its end, within the caller's transaction.

    As a savepoint, but said past psycopg: it forgets all plans of the session at each rollback that it sees, in case a table was
    made in it, and the statements of a workflow take longer to plan than to run. Make no tables in the block. Where the block
    raises, the caller's transaction is to be rolled back.
    """
    assert connection.in_atomic_block
    _say(b"SAVEPOINT undone")
    yield
    _say(b"ROLLBACK TO SAVEPOINT undone; RELEASE SAVEPOINT undone")


def _say(statement: bytes) -> None:
    connection.ensure_connection()
    raw: psycopg.Connection = connection.connection
    result = raw.pgconn.exec_(statement)
    if result.status != psycopg.pq.ExecStatus.COMMAND_OK:
        raise OperationalError(result.error_message.decode(errors="replace"))

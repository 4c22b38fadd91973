"""Taking a set of things, and where it fails finding the one that makes it fail, so that the others go on."""

import logging
from collections.abc import Callable, Sequence

import psycopg
from django.db import InterfaceError, OperationalError, transaction

logger = logging.getLogger(__name__)

# Where so many fail one by one and none succeeds, the fault is not of a single one: the rest is refused untried.
HOPELESS_AFTER = 20

# The row of an index that is too long, for one: PostgreSQL counts it among the faults of the server, and it is the row's.
OF_THE_ROW = (psycopg.errors.ProgramLimitExceeded,)
OF_THE_SERVER = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)


def is_of_the_server(error: BaseException) -> bool:
    """Return True for a failure that says nothing of what was being taken: a lost session, a deadlock, a time-out."""
    return isinstance(error, OF_THE_SERVER) and not isinstance(error, OF_THE_ROW) and not isinstance(error.__cause__, OF_THE_ROW)


def done_together(act: Callable[[], object]) -> bool:
    """Do ``act`` in one savepoint; False where it failed and nothing of it was done, so that its parts are done one by one.

    Raises:
        OperationalError, InterfaceError: the server failed, which doing it in parts would not mend.
    """
    try:
        with transaction.atomic():
            act()
    except Exception as error:
        if is_of_the_server(error):
            raise
        return False
    return True


def taken[Item](items: Sequence[Item], take: Callable[[Sequence[Item]], None], refuse: Callable[[Item, Exception], None]) -> None:
    """Take ``items`` together, in the caller's transaction; where that fails, by halves, down to the single one.

    One bad item among a thousand costs some twenty attempts, however large the set is.

    Args:
        take: takes some of them, inside a savepoint of its own. What it wrote is gone where it raises.
        refuse: called with an item that fails alone, and with its error, outside of that savepoint.

    Raises:
        OperationalError, InterfaceError: the server failed, and no item is to blame.
    """
    succeeded = refused = 0

    def attempt(some: Sequence[Item]) -> None:
        nonlocal succeeded, refused
        try:
            with transaction.atomic():
                take(some)
        except Exception as error:
            if is_of_the_server(error):
                raise
            if len(some) == 1:
                refused += 1
                refuse(some[0], error)
            elif refused >= HOPELESS_AFTER and not succeeded:
                logger.exception("All of them fail: %s are refused untried", len(some))
                for item in some:
                    refuse(item, error)
            else:
                middle = len(some) // 2
                attempt(some[:middle])
                attempt(some[middle:])
        else:
            succeeded += len(some)

    if items:
        attempt(items)

"""Locks of a database session: a worker that is killed gives them back."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection as database


@contextmanager
def alone(name: str, *, of: int) -> Iterator[bool]:
    """Whether this session has the lock of ``name`` among those of a kind of work, as long as the block runs."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, %s))", [name, of])
        is_alone = bool(cursor.fetchone()[0])
    try:
        yield is_alone
    finally:
        if is_alone:
            with database.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, %s))", [name, of])

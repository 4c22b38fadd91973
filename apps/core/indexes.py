"""Indexes on text of any length.

A row of a B-tree index may hold 2,704 bytes, and people paste whole letters into references. So text is indexed by its
beginning; whoever looks for equal text compares the beginnings, which the index answers, and then the whole.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations.operations import RunSQL
from django.db.migrations.operations.base import Operation
from django.db.models import F, Index, Value
from django.db.models.functions import Left

# At four bytes a character still far below what an index row holds.
PREFIX_LENGTH = 128


def prefix(column: str) -> Left:
    """Return the indexed beginning of the text ``column``, for ``models.Index``."""
    return Left(F(column), Value(PREFIX_LENGTH))


def same_text(one: str, other: str) -> str:
    """Return SQL that is true where two columns hold the same text, found by an index on :func:`prefix` of either.

    Args:
        one, other: columns or expressions, as SQL.
    """
    return f"(left({one}, {PREFIX_LENGTH}) = left({other}, {PREFIX_LENGTH}) AND {one} = {other})"


def built(model: str, index: Index) -> list[Operation]:
    """Return the steps of a migration that build ``index`` while its table is written, for one that is not atomic.

    What an attempt that was cut off left of it is no index, and goes first.
    """
    return [
        RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}", RunSQL.noop),
        AddIndexConcurrently(model, index),
    ]

"""Statements that the database plans once a session, for those that take longer to plan than to run.

Django sends each statement whole and has it planned anew, which is right for nearly all. A workflow's statements are 40 kB
each: over a few records, planning them was more than half of what they cost.
"""

from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import Error
from django.db import connection as database
from psycopg._preparing import PrepareManager
from psycopg.types.numeric import Int8

from apps.core import sentences

# More than there are: each workflow has three, and one for each of its dependencies.
MOST = 500


class Plans(PrepareManager):
    """The plans of one session, kept over a rollback.

    psycopg gives up all plans with every rollback, that to a savepoint included, for the sake of statements about tables that
    the transaction made itself. Those sent here speak of tables that stay, and the server keeps its plans.
    """

    def clear(self) -> bool:
        """Keep the plans: psycopg calls this after each rollback."""
        return False

    def forget(self) -> None:
        """Have every statement planned anew."""
        super().clear()


def rows(statement: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of ``statement``, by column name, from a plan that this session keeps.

    The plan is one for all values (``plan_cache_mode`` in the settings), made as if a list among them had ten entries: send
    long lists another way. Goes through Django's wrappers, and raises its errors. A plan whose table was changed fails once, and
    is made anew.

    Args:
        parameters: whole numbers and lists of them are sent as ``bigint``, so that one plan serves all sizes.
    """
    database.ensure_connection()
    plans = _plans_of(database.connection)
    raw: Any = psycopg.Cursor(database.connection)
    wrapped = database.make_debug_cursor(raw) if database.queries_logged else database.make_cursor(raw)
    with wrapped as cursor:
        try:
            cursor.execute(statement, {name: _as_bigint(value) for name, value in parameters.items()})
        except Error:
            plans.forget()
            raise
        return sentences.rows_of(cursor)


def _plans_of(session: Any) -> Plans:
    """Return the session's plans; psycopg has no public name for where a connection keeps them."""
    if not isinstance(session._prepared, Plans):
        plans = Plans()
        plans.prepare_threshold, plans.prepared_max = session.prepare_threshold, MOST
        session._prepared = plans
    return session._prepared


def _as_bigint(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_bigint(one) for one in value]
    return Int8(value) if isinstance(value, int) and not isinstance(value, bool) else value

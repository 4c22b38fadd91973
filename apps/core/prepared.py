"""Statements that the database plans once a session, for those that take longer to plan than to run.

Django sends each statement whole and has it planned anew, which is right for nearly all. A workflow's statements are 40 kB
each: over a few records, planning them was more than half of what they cost.
"""

from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import connection as database
from psycopg.types.numeric import Int8

from apps.core import sentences


def rows(statement: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of ``statement``, by column name, from a plan that this session keeps.

    The plan is one for all values (``plan_cache_mode`` in the settings), made as if a list among them had ten entries: send
    long lists another way. Goes through Django's wrappers, and raises its errors. A plan whose table was changed fails once, and
    is made anew.

    Args:
        parameters: whole numbers and lists of them are sent as ``bigint``, so that one plan serves all sizes.
    """
    database.ensure_connection()
    raw: Any = psycopg.Cursor(database.connection)
    wrapped = database.make_debug_cursor(raw) if database.queries_logged else database.make_cursor(raw)
    with wrapped as cursor:
        cursor.execute(statement, {name: _as_bigint(value) for name, value in parameters.items()})
        return sentences.rows_of(cursor)


def _as_bigint(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_bigint(one) for one in value]
    return Int8(value) if isinstance(value, int) and not isinstance(value, bool) else value

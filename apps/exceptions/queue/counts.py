"""Counts that stop: nobody needs to know whether it is four or five thousand."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection as database
from django.db.models import QuerySet

COUNTED = 1_000


def counts_of(wanted: Sequence[QuerySet[Any]]) -> list[int]:
    """How many each holds, none counted beyond :data:`COUNTED`: one statement for all."""
    parts: list[str] = []
    values: list[Any] = []
    for cases in wanted:
        try:
            sql, given = cases.order_by().values("pk")[: COUNTED + 1].query.sql_with_params()
        except EmptyResultSet:
            parts.append("(SELECT 0)")
            continue
        parts.append(f"(SELECT count(*) FROM ({sql}) AS counted)")
        values += given
    with database.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", values)
        return [int(number) for number in cursor.fetchone()]


def words_of(count: int | None) -> str:
    """A capped count as people read it."""
    return "" if count is None else f"{COUNTED:,}+" if count > COUNTED else f"{count:,}"

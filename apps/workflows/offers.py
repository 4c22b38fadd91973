"""What can be chosen about one record now: the ways out of an exception, or what an approval is asked for with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection as database

from apps.workflows.declare import Choice, Remedy

# So many options are shown.
SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Option:
    """One thing that can be chosen now.

    Attributes:
        key: tells it from the other options.
        columns: what the calls speak of.
    """

    key: str
    text: str
    columns: Mapping[str, Any]


def options(declared: Remedy | Choice, *, connection_id: int, odoo_id: int, now: datetime) -> list[Option]:
    """What there is to choose about the record now, the best first."""
    with database.cursor() as cursor:
        cursor.execute(f"{declared.sql} LIMIT {SHOWN}", {"connection": connection_id, "record": odoo_id, "now": now})
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [Option(key=str(row["option"]), text=str(row["text"]), columns=row) for row in rows]

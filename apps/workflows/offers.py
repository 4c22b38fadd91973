"""What can be chosen about one record now: the suggested actions of an exception, or what an approval is asked for with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection as database

from apps.core import sentences
from apps.workflows.declare import Choice, SuggestedAction

# So many options are shown.
SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Option:
    """One thing that can be chosen now.

    Attributes:
        key: tells it from the other options.
        told: what it means, as a sentence.
        columns: what the calls speak of.
    """

    key: str
    told: Any
    columns: Mapping[str, Any]

    @property
    def text(self) -> str:
        """What it means, in the active language."""
        return sentences.said(self.told)


def options(
    declared: SuggestedAction | Choice, *, connection_id: int, odoo_id: int, now: datetime, cause: str = ""
) -> list[Option]:
    """What there is to choose about the record now, the best first; ``cause`` is what tells the exception from others of it."""
    named: dict[str, Any] = {"connection": connection_id, "record": odoo_id, "now": now, "cause": cause}
    with database.cursor() as cursor:
        cursor.execute(f"{declared.sql} LIMIT {SHOWN}", named)
        rows = sentences.rows_of(cursor)
    return [Option(key=str(row["option"]), told=row["text"], columns=row) for row in rows]

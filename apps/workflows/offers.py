"""What can be chosen about one record now: the suggested actions of an exception, or what an approval is asked for with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection as database

from apps.accounts.access import EVERYTHING, AccessScope
from apps.core import sentences
from apps.workflows.declare import Choice, SuggestedAction

# So many options are shown.
SHOWN = 20
OF_COMPANIES = "SELECT p.*, %(connection)s::bigint AS connection_id, row_number() OVER () AS option_place FROM ({sql}) AS p"


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
    declared: SuggestedAction | Choice,
    *,
    connection_id: int,
    odoo_id: int,
    now: datetime,
    cause: str = "",
    access_scope: AccessScope = EVERYTHING,
) -> list[Option]:
    """What there is to choose about the record now, the best first; ``cause`` is what tells the exception from others of it.

    Options that name and change records of other companies say which with a column ``company_id``; none out of sight is among them.
    """
    named: dict[str, Any] = {"connection": connection_id, "record": odoo_id, "now": now, "cause": cause}
    sql = declared.sql
    if _may_be_hidden(declared, connection_id, access_scope):
        sql = f"SELECT o.* FROM ({OF_COMPANIES.format(sql=sql)}) AS o WHERE {access_scope.sql('o')} ORDER BY o.option_place"
    with database.cursor() as cursor:
        cursor.execute(f"{sql} LIMIT {SHOWN}", named)
        rows = sentences.rows_of(cursor)
    return [Option(key=str(row["option"]), told=row["text"], columns=row) for row in rows]


def hidden(
    declared: SuggestedAction | Choice,
    *,
    connection_id: int,
    odoo_id: int,
    now: datetime,
    cause: str = "",
    access_scope: AccessScope,
) -> int:
    """How many options are of companies that are out of sight."""
    if not _may_be_hidden(declared, connection_id, access_scope):
        return 0
    named: dict[str, Any] = {"connection": connection_id, "record": odoo_id, "now": now, "cause": cause}
    with database.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM ({OF_COMPANIES.format(sql=declared.sql)}) AS o WHERE NOT {access_scope.sql('o')}", named
        )
        return int(cursor.fetchone()[0])


def _may_be_hidden(declared: SuggestedAction | Choice, connection_id: int, access_scope: AccessScope) -> bool:
    return "company_id" in declared.columns and not access_scope.sees_whole(connection_id)

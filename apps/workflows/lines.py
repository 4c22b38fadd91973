"""The lines of a record, as its workflow declares them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection as database
from django.utils.translation import gettext

from apps.core import sentences
from apps.workflows import registry

SHOWN = 100
KINDS = {"_name": "text", "_at": "moment", "_quantity": "quantity", "_percent": "percent"}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One figure of a line.

    Attributes:
        kind: text, moment, quantity, percent or money: how it is shown.
    """

    kind: str
    value: Any


@dataclass(frozen=True, kw_only=True)
class Table:
    """The lines of one record: a title, the headings with their kinds, and at least one row."""

    title: str
    headings: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]


def lines_of(workflow_name: str, *, connection_id: int, odoo_id: int) -> Table | None:
    """The lines of a record, at most :data:`SHOWN`; None where its workflow shows none, or it has none."""
    workflow = registry.workflows().get(workflow_name)
    if workflow is None or workflow.lines is None:
        return None
    declared = workflow.lines
    kinds = [_kind_of(column) for column in declared.columns]
    with database.cursor() as cursor:
        cursor.execute(f"{declared.sql} LIMIT {SHOWN}", {"connection": connection_id, "record": odoo_id})
        rows = [list(row.values()) for row in sentences.rows_of(cursor)]
    if not rows:
        return None
    return Table(
        title=gettext(declared.title),
        headings=[Cell(kind=kind, value=gettext(words)) for kind, words in zip(kinds, declared.columns.values(), strict=True)],
        rows=[[_cell(kind, value) for kind, value in zip(kinds, row, strict=True)] for row in rows],
    )


def _cell(kind: str, value: Any) -> Cell:
    return Cell(kind=kind, value=sentences.said(value) if sentences.is_sentence(value) else value)


def _kind_of(column: str) -> str:
    return next((kind for ending, kind in KINDS.items() if column.endswith(ending)), "money")

"""The lines of a record, as its workflow declares them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection as database
from django.utils.translation import gettext

from apps.core import figures, sentences
from apps.mirror import registry as mirror
from apps.workflows import registry
from apps.workflows.declare import Workflow

SHOWN = 100
PRODUCT = "product_id"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One figure of a line.

    Attributes:
        kind: name of what it is (:mod:`apps.core.figures`).
        words: the heading of its column.
        product_id: the product that it names, of the first figure of a line.
    """

    kind: str
    value: Any
    words: str = ""
    product_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """The lines of one record: a title, the currency of its sums, the headings with their kinds, and at least one row."""

    title: str
    currency: str
    headings: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]


def lines_of(workflow_name: str, *, connection_id: int, odoo_id: int) -> Table | None:
    """The lines of a record, at most :data:`SHOWN`; None where its workflow shows none, or it has none."""
    workflow = registry.workflows().get(workflow_name)
    if workflow is None or workflow.lines is None:
        return None
    declared = workflow.lines
    kinds = [figure.kind.name for figure in declared.columns.values()]
    with database.cursor() as cursor:
        cursor.execute(
            f"SELECT {_currency_of(workflow)} AS currency_, line.* FROM ({declared.sql} LIMIT {SHOWN}) AS line",
            {"connection": connection_id, "record": odoo_id},
        )
        found = sentences.rows_of(cursor)
    currency = next((row.pop("currency_") or "" for row in found[:1]), "")
    products = [row.pop(PRODUCT, None) if PRODUCT not in declared.columns else None for row in found]
    rows = [[value for name, value in row.items() if name != "currency_"] for row in found]
    if not rows:
        return None
    headings = [gettext(figure.label) for figure in declared.columns.values()]
    return Table(
        title=gettext(declared.title),
        currency=currency,
        headings=[Cell(kind=kind, value=words) for kind, words in zip(kinds, headings, strict=True)],
        rows=[
            [
                _cell(*cell, product_id=product_id if number == 0 else None)
                for number, cell in enumerate(zip(kinds, row, headings, strict=True))
            ]
            for row, product_id in zip(rows, products, strict=True)
        ],
    )


def _currency_of(workflow: Workflow) -> str:
    """SQL of the currency in which the record's own lines are; empty where its model has none."""
    model = mirror.models()[workflow.odoo_model]
    if all(field.column != "currency_id" for field in model._meta.concrete_fields):
        return "''"
    return (
        f"(SELECT c.name FROM {model._meta.db_table} r JOIN mirror_res_currency c ON c.connection_id = r.connection_id"
        " AND c.odoo_id = r.currency_id WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s)"
    )


def _cell(kind: str, value: Any, words: str, *, product_id: int | None) -> Cell:
    if sentences.is_sentence(value):
        value = sentences.said(value)
    elif kind == figures.word.name and value:
        value = gettext(sentences.current(str(value)))
    return Cell(kind=figures.text.name if kind == figures.word.name else kind, value=value, words=words, product_id=product_id)

"""Statements of SQL in files of their own, each beside the module that it belongs to.

What is longer than 25 lines is read, searched and run in an editor as SQL, and not as a text in Python. ``name.sql`` begins with
comments that say what it is of and name all that it takes, one a line with its type and unit::

    -- What an order still brings.
    --
    -- %(now)s     timestamptz                   the moment of the evaluation
    -- {{amount}}  numeric, company's currency   what is still to come

``%(now)s`` is a value, sent with the statement. ``{{amount}}`` is a piece of SQL, put in as the statement is loaded: a rule that
several statements share, or that Odoo's guards have too. The comments at the head stay here; the database is not sent them.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from pathlib import Path

from psycopg import sql

PLACE = re.compile(r"\{\{(\w+)\}\}")

type Piece = str | int | float | Decimal


class StatementError(Exception):
    """A file with a statement is not there, or does not take what is put into it; says which and why."""


def load(module: str, name: str, /, **pieces: Piece) -> str:
    """Return the statement in the file ``name.sql`` beside a module, with its pieces put in.

    Args:
        module: the ``__file__`` of the module that the statement belongs to.
        pieces: SQL for each ``{{place}}`` of the statement, by name.

    Raises:
        StatementError: there is no such file, a place is left without a piece, or a piece without a place.
    """
    return "".join(str(pieces[text]) if is_place else text for text, is_place in _parts(module, name, pieces.keys()))


def compose(module: str, name: str, /, **pieces: sql.Composable) -> sql.Composed:
    """Return the same, of pieces that psycopg quotes as the statement is sent: names of tables, texts."""
    return sql.Composed([pieces[text] if is_place else sql.SQL(text) for text, is_place in _parts(module, name, pieces.keys())])


def _parts(module: str, name: str, given: Iterable[str]) -> list[tuple[str, bool]]:
    """The statement cut at its places, each part with whether it is the name of one."""
    path = Path(module).with_name(f"{name}.sql")
    parts = _cut(path)
    places = {text for text, is_place in parts if is_place}
    if missing := sorted(places.difference(given)):
        raise StatementError(f"{path} has places for {', '.join(missing)}, and nothing is put there. Pass them by name.")
    if surplus := sorted(set(given) - places):
        raise StatementError(f"{path} has no places for {', '.join(surplus)}. Leave them out, or name them there: {{{{name}}}}.")
    return parts


@cache
def _cut(path: Path) -> list[tuple[str, bool]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        raise StatementError(f"There is no {path}. A statement lies beside the module that loads it.") from None
    body = next((number for number, line in enumerate(lines) if not line.startswith("--")), len(lines))
    return [(text, bool(number % 2)) for number, text in enumerate(PLACE.split("".join(lines[body:]).lstrip("\n")))]

"""Statements in files of their own: what comes with them, what is put into them, and what is refused."""

from pathlib import Path

import pytest
from psycopg import sql

from apps.core import statements

FILE = """-- What is still to come of one order.
--
-- %(order)s    bigint                 the order's id in Odoo
-- {{open}}     boolean                whether line l is open
-- {{amount}}   numeric, EUR           what line l comes to

SELECT {{amount}} AS amount, '{}'::text[] AS names -- its name
  FROM line l
 WHERE l.order_id = %(order)s AND {{open}} AND {{amount}} > 0
"""


@pytest.fixture
def module(tmp_path: Path) -> str:
    (tmp_path / "to_come.sql").write_text(FILE)
    return str(tmp_path / "orders.py")


def test_the_head_stays_and_the_pieces_are_put_in(module: str) -> None:
    assert statements.load(module, "to_come", open="l.is_open", amount=7) == (
        "SELECT 7 AS amount, '{}'::text[] AS names -- its name\n  FROM line l\n"
        " WHERE l.order_id = %(order)s AND l.is_open AND 7 > 0\n"
    )


def test_what_is_put_in_is_no_place_itself(module: str) -> None:
    text = statements.load(module, "to_come", open="'{{amount}}' = ''", amount="{{open}}")
    assert "SELECT {{open}} AS amount" in text and "AND '{{amount}}' = '' AND" in text


def test_pieces_that_psycopg_quotes(module: str) -> None:
    text = statements.compose(module, "to_come", open=sql.Identifier("is open"), amount=sql.Literal("it's"))
    assert text.as_string(None).startswith("SELECT 'it''s' AS amount, '{}'::text[] AS names")
    assert ' AND "is open" AND ' in text.as_string(None)


def test_a_place_without_a_piece_is_refused(module: str) -> None:
    with pytest.raises(statements.StatementError, match=r"to_come\.sql has places for amount, and nothing is put there"):
        statements.load(module, "to_come", open="TRUE")


def test_a_piece_without_a_place_is_refused(module: str) -> None:
    with pytest.raises(statements.StatementError, match=r"to_come\.sql has no places for sum\."):
        statements.load(module, "to_come", open="TRUE", amount="1", sum="2")


def test_a_file_that_is_not_there_is_named(module: str) -> None:
    with pytest.raises(statements.StatementError, match=r"There is no .*/coming\.sql"):
        statements.load(module, "coming")

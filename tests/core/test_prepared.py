"""Statements whose plan a session keeps: the same rows and errors as Django's, and one plan for all values."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import DataError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.core import prepared

EVEN = "SELECT n AS number, %(now)s::date AS day FROM generate_series(1, 9) AS n WHERE n = ANY(%(ids)s) ORDER BY n"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def plans(like: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", [f"%{like}%"])
        return int(cursor.fetchone()[0])


@pytest.mark.django_db
def test_one_plan_serves_lists_of_any_length() -> None:
    for ids in ([2], [4, 6, 2**40], [8, None]):
        with CaptureQueriesContext(connection) as seen:
            found = prepared.rows(EVEN, {"ids": ids, "now": NOW})
        assert found == [{"number": one, "day": NOW.date()} for one in ids if one and one < 10]
        assert len(seen) == 1
    assert plans("generate_series(1, 9)") == 1


@pytest.mark.django_db
def test_a_plan_outlives_a_rollback() -> None:
    prepared.rows(EVEN, {"ids": [2], "now": NOW})
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        raise ZeroDivisionError
    assert plans("generate_series(1, 9)") == 1
    with pytest.raises(DataError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    assert plans("generate_series(1, 9)") == 1
    assert prepared.rows(EVEN, {"ids": [4], "now": NOW}) == [{"number": 4, "day": NOW.date()}]
    assert plans("generate_series(1, 9)") == 1


@pytest.mark.django_db(transaction=True)
def test_a_plan_outlives_the_rollback_of_its_own_transaction() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        prepared.rows(EVEN, {"ids": [2], "now": NOW})
        raise ZeroDivisionError
    assert plans("generate_series(1, 9)") == 1
    assert prepared.rows(EVEN, {"ids": [4], "now": NOW}) == [{"number": 4, "day": NOW.date()}]


@pytest.mark.django_db
def test_errors_are_djangos() -> None:
    with pytest.raises(ProgrammingError), transaction.atomic():
        prepared.rows("SELECT nobody FROM nothing WHERE 1 = ANY(%(ids)s)", {"ids": [1]})


@pytest.fixture
def table(transactional_db: None) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE prepared_trial AS SELECT 1::bigint AS id, 7 AS value")
    yield "SELECT id, value FROM prepared_trial WHERE id = ANY(%(ids)s)"
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE prepared_trial")


def test_a_table_that_is_changed_costs_one_attempt_and_not_the_session(table: str) -> None:
    assert prepared.rows(table, {"ids": [1]}) == [{"id": 1, "value": 7}]
    another = connection.copy()  # An upgrade's session.
    with another.cursor() as cursor:
        cursor.execute("ALTER TABLE prepared_trial ALTER COLUMN value TYPE text")
    another.close()
    with pytest.raises(Exception, match="cached plan"), transaction.atomic():
        prepared.rows(table, {"ids": [1]})
    assert prepared.rows(table, {"ids": [1]}) == [{"id": 1, "value": "7"}]

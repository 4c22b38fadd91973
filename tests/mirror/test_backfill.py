"""The first read: all of it, once, from where it stopped."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database

from apps.mirror.declare import Mirrored
from apps.mirror.models import SyncState
from apps.mirror.sync import backfill, locks
from apps.odoo.errors import UnreachableError
from apps.odoo.models import Connection
from tests.mirror.company import Clock, Company


class Stop(Exception):
    """Something that breaks off a first read."""


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(backfill, "BATCH", 10)
    return 10


def fill(company: Company, clock: Clock, ids: Any) -> None:
    for odoo_id in ids:
        company.write("res.partner", odoo_id, clock() - timedelta(days=1), name=f"Partner {odoo_id}", active=True)


def state() -> SyncState:
    return SyncState.objects.get(odoo_model="res.partner")


@pytest.mark.parametrize("connections", [1, 2])
@pytest.mark.parametrize(
    "ids",
    [range(1, 96), range(1, 11), [*range(1, 4), *range(5_000, 5_120)], [7], []],
    ids=["many", "just a batch", "a wide gap", "one", "none"],
)
def test_every_row_is_read_once(
    company: Company,
    connection: Connection,
    partners: type[Mirrored],
    clock: Clock,
    small_batches: int,
    ids: Any,
    connections: int,
) -> None:
    fill(company, clock, ids)
    told: list[tuple[int, int]] = []
    done = backfill.run(
        company,
        partners,
        connection=connection,
        clock=clock,
        connections=connections,
        progress=lambda rows, total: told.append((rows, total)),
    )
    assert done.rows == done.total == len(ids)
    assert set(partners.objects.values_list("odoo_id", flat=True)) == set(ids)
    assert [total for _, total in told] == [len(ids)] * len(told)
    assert [rows for rows, _ in told] == sorted(rows for rows, _ in told)
    assert state().backfill_done_at == clock()


def test_an_interrupted_read_goes_on_from_the_last_commit(
    company: Company, connection: Connection, partners: type[Mirrored], clock: Clock, small_batches: int
) -> None:
    fill(company, clock, range(1, 51))

    def stop(rows: int, total: int) -> None:
        if rows == 30:
            raise Stop

    with pytest.raises(Stop):
        backfill.run(company, partners, connection=connection, clock=clock, progress=stop)
    assert (state().backfill_cursor, state().backfill_done_at) == (30, None)
    done = backfill.run(company, partners, connection=connection, clock=clock)
    assert (done.rows, partners.objects.count()) == (20, 50)


def test_what_is_done_is_not_read_again_unless_asked(
    company: Company, connection: Connection, partners: type[Mirrored], clock: Clock
) -> None:
    fill(company, clock, range(1, 6))
    backfill.run(company, partners, connection=connection, clock=clock)
    assert backfill.run(company, partners, connection=connection, clock=clock).rows == 0
    assert backfill.run(company, partners, connection=connection, clock=clock, anew=True).rows == 5


def test_a_read_from_the_beginning_that_breaks_off_has_to_be_gone_on_with(
    company: Company, connection: Connection, partners: type[Mirrored], clock: Clock, small_batches: int
) -> None:
    fill(company, clock, range(1, 51))
    backfill.run(company, partners, connection=connection, clock=clock)

    def stop(rows: int, total: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        backfill.run(company, partners, connection=connection, clock=clock, anew=True, progress=stop)
    assert (state().backfill_cursor, state().backfill_done_at) == (10, None)
    assert backfill.run(company, partners, connection=connection, clock=clock).rows == 40


def test_the_watermark_is_taken_before_the_reading_begins(
    company: Company, connection: Connection, partners: type[Mirrored], clock: Clock, small_batches: int
) -> None:
    fill(company, clock, range(1, 31))
    before = clock() - timedelta(days=1)

    def write(rows: int, total: int) -> None:
        company.write("res.partner", 1, clock(), name="Written meanwhile")

    backfill.run(company, partners, connection=connection, clock=clock, progress=write)
    assert state().watermark == before


def test_a_date_from_the_future_does_not_become_the_watermark(
    company: Company, connection: Connection, partners: type[Mirrored], clock: Clock
) -> None:
    company.write("res.partner", 1, clock() + timedelta(days=900), name="Imported")
    backfill.run(company, partners, connection=connection, clock=clock)
    assert state().watermark == clock()


def test_an_odoo_that_goes_away_is_noted_and_what_was_read_stays(
    company: Company,
    connection: Connection,
    partners: type[Mirrored],
    clock: Clock,
    small_batches: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(company, clock, range(1, 51))
    read, calls = company.search_read, iter(range(100))

    def break_off(model: str, domain: Any, fields: Any, **named: Any) -> Any:
        if next(calls) == 5:
            raise UnreachableError("main", "no connection to http://odoo.test", "Check that Odoo is up.")
        return read(model, domain, fields, **named)

    monkeypatch.setattr(company, "search_read", break_off)
    with pytest.raises(UnreachableError):
        backfill.run(company, partners, connection=connection, clock=clock)
    assert "Check that Odoo is up" in state().problem
    assert partners.objects.count() == state().backfill_cursor > 0
    done = backfill.run(company, partners, connection=connection, clock=clock)
    assert (partners.objects.count(), state().problem) == (50, "")
    assert done.rows < 50


@pytest.mark.django_db(transaction=True)
def test_two_syncs_do_not_read_one_model_at_once(partners: type[Mirrored]) -> None:
    connection = Connection.objects.create(name="main", url="http://odoo.test", database="t", login="t", api_key="k")
    other_session = database.copy()
    try:
        with other_session.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 2))", [f"sync:{connection.pk}:{partners.odoo_model}"])
        with pytest.raises(locks.SyncBusyError, match=r"res.partner of main is being read"), locks.alone(connection, "res.partner"):
            pass
        with locks.alone(connection, "sale.order"):
            pass
        # As when its process dies: the session ends, not only its use. The server sees that a moment later.
        other_session.connection.close()
        assert until(lambda: is_free(connection, "res.partner"))
    finally:
        other_session.close()


def is_free(connection: Connection, odoo_model: str) -> bool:
    try:
        with locks.alone(connection, odoo_model):
            return True
    except locks.SyncBusyError:
        return False


def until(holds: Callable[[], bool], *, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
    return True


def test_the_planner_knows_what_was_read(company: Company, connection: Connection, partners: type[Mirrored], clock: Clock) -> None:
    fill(company, clock, range(1, 61))
    backfill.run(company, partners, connection=connection, clock=clock)
    with database.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [partners._meta.db_table])
        assert cursor.fetchone() == (60,)

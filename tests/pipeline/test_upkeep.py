"""Connections that are entered on the page are taken up by a worker, and what goes wrong is kept in words."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError
from django.db import connection as database

from apps.accounts.models import Role
from apps.core import clock
from apps.mirror.models import SyncState
from apps.mirror.models.stock_picking import Picking
from apps.odoo.models import Connection, LinkedUser
from apps.pipeline import change_processing, first_sync
from apps.pipeline.upkeep import polling, probing, registration
from apps.workflows.models import Position
from tests.sandbox.conftest import served
from tests.world import World, person


@pytest.fixture(scope="module")
def odoo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A company without business of its own."""
    with served(tmp_path_factory.mktemp("company"), "--no-business") as url:
        yield url


def entered(url: str, *, key: str) -> Connection:
    return Connection.objects.create(name="entered", url=url, database="sandbox", login="tower", api_key=key, state="checking")


@pytest.mark.django_db
def test_a_connection_that_was_entered_is_read_and_evaluated(odoo_url: str) -> None:
    connection = entered(odoo_url, key="sandbox-key")
    registration.take_up(connection.pk, clock=clock.now)
    connection.refresh_from_db()
    assert (connection.state, connection.problem, connection.version) == ("connected", "", "19.0")
    assert not SyncState.objects.filter(connection=connection, backfill_done_at=None).exists()
    assert Position.objects.filter(connection=connection).count() >= 60


@pytest.mark.django_db
def test_a_wrong_key_is_said_on_the_connection_and_nothing_is_read(odoo_url: str) -> None:
    connection = entered(odoo_url, key="another")
    registration.take_up(connection.pk, clock=clock.now)
    connection.refresh_from_db()
    assert connection.state == "failing"
    assert "the key was not accepted for login 'tower'" in connection.problem
    assert not SyncState.objects.filter(connection=connection).exclude(backfill_done_at=None).exists()


@pytest.mark.django_db
def test_a_connection_whose_odoo_was_down_when_it_was_entered_is_taken_up_when_it_answers(
    odoo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[tuple[str, dict[str, int]]] = []
    monkeypatch.setattr(probing, "wake_now", lambda task, **named: woken.append((task, named)))
    connection = entered("http://127.0.0.1:1", key="sandbox-key")
    registration.take_up(connection.pk, clock=clock.now)
    connection.refresh_from_db()
    assert connection.state == "failing"
    Connection.objects.update(url=odoo_url)
    probing.probe_all(clock=clock.now)
    assert woken == [("pipeline.register", {"connection_id": connection.pk})]


@pytest.mark.django_db
@pytest.mark.parametrize("models_read", [1, 12, 25])
def test_a_first_read_that_broke_off_is_gone_on_with_by_the_next_poll_to_the_last_consequence(
    odoo_url: str, models_read: int
) -> None:
    connection = entered(odoo_url, key="sandbox-key")
    probing.probe(connection, now=clock.now())
    reading = first_sync.first_read(connection, clock=clock.now)
    for _ in range(models_read):
        next(reading)
    reading.close()  # As far as a worker got that was killed.
    assert not Position.objects.filter(connection=connection).exists()
    polling.poll_all(clock=clock.now)
    assert Position.objects.filter(connection=connection).count() >= 60
    assert {state.odoo_model for state in SyncState.objects.filter(backfill_done_at=None)} <= {"mail.tracking.value"}
    begun = SyncState.objects.get(odoo_model=first_sync.WHOLE).backfill_done_at
    polling.poll_all(clock=clock.now)
    assert SyncState.objects.get(odoo_model=first_sync.WHOLE).backfill_done_at == begun


@pytest.mark.django_db
def test_the_database_plans_for_what_a_first_read_has_stored(odoo_url: str) -> None:
    connection = entered(odoo_url, key="sandbox-key")
    probing.probe(connection, now=clock.now())
    list(first_sync.first_read(connection, clock=clock.now))
    with database.cursor() as cursor:
        for table in ("mirror_sale_order", "mirror_stock_move", "mirror_trackedchange", "workflows_position"):
            cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [table])
            assert cursor.fetchone()[0] >= 60, table


@pytest.mark.django_db
def test_an_odoo_that_has_failed_for_a_while_is_only_probed_and_polled_again_once_it_answers(
    odoo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = entered(odoo_url, key="a key that has ended")
    SyncState.objects.create(connection=connection, odoo_model="sale.order", backfill_done_at=clock.now())
    polled, woken = [], []
    monkeypatch.setattr(polling, "poll", lambda one, **_: polled.append(one.name))
    monkeypatch.setattr(probing, "wake_now", lambda task, **_: woken.append(task))
    probing.probe_all(clock=clock.now)
    connection.refresh_from_db()
    assert connection.state == "failing" and "the key was not accepted" in connection.problem
    polling.poll_all(clock=clock.now)
    assert polled == ["entered"]  # for the first minutes it is looked for as ever

    later = clock.now() + polling.POLLED_WHILE_FAILING + timedelta(seconds=1)
    polling.poll_all(clock=lambda: later)
    assert polled == ["entered"]

    connection.api_key = "sandbox-key"
    connection.save()
    probing.probe_all(clock=lambda: later)
    polling.poll_all(clock=lambda: later)
    assert (woken, polled) == (["pipeline.poll"], ["entered", "entered"])


@pytest.mark.django_db
def test_evaluating_everything_looks_at_what_is_of_a_workflow_or_once_was_and_at_nothing_else() -> None:
    world = World()
    for picking, back in ((70, 60), (71, None), (72, None)):
        world.write(
            "stock.picking",
            picking,
            name=f"WH/{picking}",
            state="assigned",
            picking_type_code="incoming",
            return_id=back,
            company_id=1,
        )
    assert Position.objects.get(workflow="returns").odoo_id == 70
    # As a read that drew no consequences would leave it.
    Picking.objects.filter(odoo_id=70).update(return_id=None)
    looked: dict[str, int] = {}

    def note(title: str, done: int, total: int) -> None:
        looked[title] = total

    first_sync.evaluate_all(world.connection, clock=lambda: world.now, progress=note)
    assert (looked["Fulfilment"], looked["Returns"]) == (3, 1)
    assert not Position.objects.filter(workflow="returns").exists()


@pytest.mark.django_db
def test_a_first_read_whose_records_take_too_long_together_goes_on_with_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    for order in range(42, 60):
        world.order(order)
    Position.objects.all().delete()
    draw, sizes = change_processing.evaluate, []

    def slow(workflow: str, connection_id: int, records: dict[int, None], *, now: datetime) -> None:
        sizes.append(len(records))
        if len(records) > 5:
            with database.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 1")
                cursor.execute("SELECT pg_sleep(60)")
        draw(workflow, connection_id, records, now=now)

    monkeypatch.setattr(change_processing, "evaluate", slow)
    monkeypatch.setattr(first_sync, "EVALUATED", 16)
    monkeypatch.setattr(first_sync, "FEWEST_EVALUATED", 4)
    first_sync.evaluate_all(world.connection, clock=lambda: world.now)
    assert sizes == [16, 4, 4, 4, 4, 2]
    assert Position.objects.filter(workflow="order_to_cash").count() == 18

    monkeypatch.setattr(first_sync, "FEWEST_EVALUATED", 16)
    with pytest.raises(OperationalError, match="statement timeout"):
        first_sync.evaluate_all(world.connection, clock=lambda: world.now)


@pytest.mark.django_db
def test_people_are_linked_to_their_odoo_users_by_the_first_read(odoo_url: str) -> None:
    adam = person("approver", Role.APPROVER, limit=50_000, odoo_login="adam")
    connection = entered(odoo_url, key="sandbox-key")
    registration.take_up(connection.pk, clock=clock.now)
    assert list(LinkedUser.objects.filter(connection=connection).values_list("user", "uid")) == [(adam.pk, 11)]

"""Connections that are entered on the page are taken up by a worker, and what goes wrong is kept in words."""

from collections.abc import Iterator

import pytest

from apps.core import clock
from apps.mirror.models import SyncState
from apps.odoo.models import Connection
from apps.pipeline import upkeep
from apps.workflows.models import Position
from tests.sandbox.conftest import served


@pytest.fixture(scope="module")
def odoo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A company without business of its own."""
    with served(tmp_path_factory.mktemp("company"), "--no-business") as url:
        yield url


def entered(url: str, *, key: str) -> Connection:
    return Connection.objects.create(
        name="entered", url=url, database="sandbox", login="tower", api_key=key, state="checking"
    )


@pytest.mark.django_db
def test_a_connection_that_was_entered_is_read_and_evaluated(odoo_url: str) -> None:
    connection = entered(odoo_url, key="sandbox-key")
    upkeep.take_up(connection.pk, clock=clock.now)
    connection.refresh_from_db()
    assert (connection.state, connection.problem, connection.version) == ("connected", "", "19.0")
    assert not SyncState.objects.filter(connection=connection, backfill_done_at=None).exists()
    assert Position.objects.filter(connection=connection).count() >= 60


@pytest.mark.django_db
def test_a_wrong_key_is_said_on_the_connection_and_nothing_is_read(odoo_url: str) -> None:
    connection = entered(odoo_url, key="another")
    upkeep.take_up(connection.pk, clock=clock.now)
    connection.refresh_from_db()
    assert connection.state == "failing"
    assert "the key was not accepted for login 'tower'" in connection.problem
    assert not SyncState.objects.filter(connection=connection).exclude(backfill_done_at=None).exists()

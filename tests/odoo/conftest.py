"""The real Odoo that these tests run against: named by ODOO_URL, ODOO_DB, ODOO_LOGIN and ODOO_PASSWORD."""

from collections.abc import Callable, Iterator

import pytest

from apps.accounts.models import Role, User
from apps.odoo import client
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection
from tests import standing
from tests.odoo.login import login
from tests.odoo.seen import Seen, Worker
from tests.odoo.shop import Shop
from tests.world import person


@pytest.fixture
def real(db: None) -> Iterator[Connection]:
    """A connection to the real Odoo."""
    connection = login()
    # Always the same one, so that what was read of it can be put back.
    connection.pk = 1_000_001
    connection.save(force_insert=True)
    yield connection
    client.forget(connection)


@pytest.fixture
def odoo(real: Connection) -> OdooClient:
    """A session with it."""
    return client.connect(real)


@pytest.fixture
def shop(odoo: OdooClient, real: Connection) -> Iterator[Shop]:
    made = Shop(odoo, real)
    yield made
    for record in [record for kind, record in made.made if kind == "product.product"]:
        odoo.write("product.product", [record], {"active": False})


@pytest.fixture(scope="module")
def provisioned() -> None:
    """The guards and holds stand in the real Odoo."""
    standing.set_up()


@pytest.fixture
def guarded(provisioned: None, odoo: OdooClient, real: Connection) -> Seen:
    """The tower beside an Odoo that it has set up."""
    real.version, real.uid = odoo.version(), odoo.uid
    real.save()
    return Seen(odoo, real)


@pytest.fixture
def mia(db: None) -> User:
    """The manager, and somebody of each team who is asked before her."""
    for team in ("warehouse", "service", "finance"):
        person(f"{team}-approver", Role.APPROVER, limit=1, team=team)
    return person("mia", Role.MANAGER, limit=250_000, team="warehouse")


@pytest.fixture
def hired(odoo: OdooClient) -> Iterator[Callable[..., Worker]]:
    """Hires people for the length of the test."""
    people: list[Worker] = []

    def hire(*groups: str) -> Worker:
        people.append(Worker(odoo, *groups))
        return people[-1]

    yield hire
    for one in people:
        one.leave()

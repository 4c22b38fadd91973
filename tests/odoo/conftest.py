"""The real Odoo that these tests run against: named by ODOO_URL, ODOO_DB, ODOO_LOGIN and ODOO_PASSWORD."""

import os
from collections.abc import Callable, Iterator

import pytest

from apps.accounts.models import Role, User
from apps.odoo import client, provision
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection
from apps.workflows import blueprint
from tests.odoo.seen import Seen, Worker
from tests.odoo.shop import Shop
from tests.world import person


def login() -> Connection:
    """A connection to the real Odoo, not stored. Without one the test is skipped, and says so."""
    if not os.environ.get("ODOO_URL"):
        pytest.skip("no real Odoo: set ODOO_URL, ODOO_DB, ODOO_LOGIN and ODOO_PASSWORD, or run make test-odoo")
    return Connection(
        name="real", url=os.environ["ODOO_URL"], database=os.environ["ODOO_DB"], login=os.environ["ODOO_LOGIN"],
        api_key=os.environ["ODOO_PASSWORD"],
    )  # fmt: skip


@pytest.fixture
def real(db: None) -> Iterator[Connection]:
    """A connection to the real Odoo."""
    connection = login()
    connection.save()
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
def provisioned() -> Iterator[None]:
    """The guards and holds stand in the real Odoo for all tests of a module: to set them up takes longer than most tests."""
    tower = login()
    session = client.connect(tower)
    tower.version, tower.uid = session.version(), session.uid
    provision.apply(tower, blueprint.of_catalogue())
    yield
    provision.remove(tower)
    client.forget(tower)


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

"""The real Odoo that these tests run against: named by ODOO_URL, ODOO_DB, ODOO_LOGIN and ODOO_PASSWORD."""

import os
from collections.abc import Iterator

import pytest

from apps.odoo import client
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection
from tests.odoo.shop import Shop


@pytest.fixture
def real(db: None) -> Iterator[Connection]:
    """A connection to the real Odoo. Without one the test is skipped, and says so."""
    if not os.environ.get("ODOO_URL"):
        pytest.skip("no real Odoo: set ODOO_URL, ODOO_DB, ODOO_LOGIN and ODOO_PASSWORD, or run make test-odoo")
    connection = Connection.objects.create(
        name="real", url=os.environ["ODOO_URL"], database=os.environ["ODOO_DB"], login=os.environ["ODOO_LOGIN"],
        api_key=os.environ["ODOO_PASSWORD"],
    )  # fmt: skip
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

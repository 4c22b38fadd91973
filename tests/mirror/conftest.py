"""A connection to a company in memory, and a clock to move."""

import pytest

from apps.mirror import registry
from apps.mirror.declare import Mirrored
from apps.mirror.upsert import Changes
from apps.odoo.models import Connection
from tests.mirror.company import Clock, Company


@pytest.fixture
def connection(db: None) -> Connection:
    """A connection whose Odoo has all that the tower mirrors."""
    has_all = {name: {"missing_fields": []} for name in registry.models()}
    return Connection.objects.create(
        name="main",
        url="http://odoo.test",
        database="test",
        login="tower",
        api_key="key",
        capabilities={"models": has_all},
    )


@pytest.fixture
def company(connection: Connection) -> Company:
    return Company(connection)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def partners() -> type[Mirrored]:
    return registry.models()["res.partner"]


@pytest.fixture
def handed_on() -> list[Changes]:
    """What a sync handed on."""
    return []

"""A company with every mirrored model, read through a client of the tests."""

from typing import Any

import pytest

from apps.mirror import registry
from apps.odoo.models import Connection
from apps.pipeline import batch, first_sync
from tests.mirror.company import Clock, Company
from tests.pipeline.invalid_records.ways import InvalidCompany


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def company(db: None, monkeypatch: pytest.MonkeyPatch) -> Company:
    has_all: dict[str, Any] = {name: {"missing_fields": []} for name in registry.models()}
    connection = Connection.objects.create(
        name="main",
        url="http://odoo.test",
        database="test",
        login="tower",
        api_key="key",
        state="connected",
        capabilities={"models": has_all},
    )
    made = InvalidCompany(connection)
    monkeypatch.setattr(batch.wire, "connect", lambda connection, **_: made)
    monkeypatch.setattr(first_sync.tracking, "run", lambda *_, **__: None)
    return made

"""Workers that are heard of, without one having to run."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.core.cache import cache

from apps.health import queries, workers
from apps.odoo.models import Connection


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Nobody has been heard of when a test begins."""
    workers._store.delete(workers.KEY)
    cache.delete(queries.BEAT_KEY)
    yield
    workers._store.delete(workers.KEY)


@pytest.fixture
def staffed(now: datetime) -> None:
    """All queues are served, and the scheduler runs."""
    workers.say("fast@here", ["decide", "refresh"], now=now)
    workers.say("slow@here", ["sync", "notify", "default", "tick"], now=now)
    cache.set(queries.BEAT_KEY, now)


@pytest.fixture
def connection(db: None) -> Connection:
    return Connection.objects.create(
        name="main",
        url="http://odoo.test",
        database="test",
        login="tower",
        api_key="a-key-nobody-may-see",
        state="connected",
    )

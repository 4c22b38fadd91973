"""How long each Odoo takes to answer: a histogram a connection, kept in the cache that all workers share.

Losing it costs figures and nothing else; so a cache that is away is not waited for, and not asked again for a while.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import redis
from django.conf import settings

from apps.core import clock
from apps.odoo.models import Connection

logger = logging.getLogger(__name__)

# Upper bounds of the buckets in seconds; beyond the last is +Inf.
BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
HOURS = 24
READ, WRITE = "read", "write"
REST_SECONDS = 10.0

_store = redis.Redis.from_url(settings.REDIS_URL + "/1", socket_timeout=0.2, socket_connect_timeout=0.2)
_rests_until = 0.0


@dataclass(kw_only=True)
class Answers:
    """Calls of one kind: how many fell into each bucket, and how long all of them took."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0

    @property
    def count(self) -> int:
        """How many calls."""
        return sum(self.buckets)


@dataclass(kw_only=True)
class Timing:
    """What is known of one connection: its answers by kind of call, and errors by their name."""

    answers: dict[str, Answers] = field(default_factory=lambda: {READ: Answers(), WRITE: Answers()})
    errors: dict[str, int] = field(default_factory=dict)


@contextmanager
def measured(connection: Connection, *, is_write: bool) -> Iterator[None]:
    """Note how long the calls within took, and the error that they ended with."""
    begun = time.monotonic()
    problem = ""
    try:
        yield
    except Exception as error:
        problem = type(error).__name__.removesuffix("Error")
        raise
    finally:
        if connection.pk is not None:
            note(connection.pk, WRITE if is_write else READ, time.monotonic() - begun, problem, now=clock.now())


def note(connection_id: int, kind: str, seconds: float, problem: str = "", *, now: datetime) -> None:
    """Count one call; not at all while the cache is away."""
    global _rests_until
    if time.monotonic() < _rests_until:
        return
    bucket = next((number for number, bound in enumerate(BOUNDS) if seconds <= bound), len(BOUNDS))
    try:
        with _store.pipeline(transaction=False) as together:
            for key in (_key(connection_id), _key(connection_id, now)):
                together.hincrby(key, f"{kind}:{bucket}", 1)
                together.hincrbyfloat(key, f"{kind}:sum", round(seconds, 6))
                if problem:
                    together.hincrby(key, f"error:{problem}", 1)
            together.expire(_key(connection_id, now), (HOURS + 2) * 3600)
            together.execute()
    except redis.RedisError as error:
        _rests_until = time.monotonic() + REST_SECONDS
        logger.warning("Odoo's answering times are not counted for a moment: %s", error)


def timing_of(connection_id: int) -> Timing:
    """All that was counted of a connection since the cache was made."""
    return _read([_key(connection_id)])


def lately(connection_id: int, *, now: datetime) -> Timing:
    """What was counted in the last 24 hours, by whole hours."""
    return _read([_key(connection_id, now - timedelta(hours=hour)) for hour in range(HOURS)])


def _key(connection_id: int, at: datetime | None = None) -> str:
    return f"odoo:calls:{connection_id}" + (f":{int(at.timestamp()) // 3600}" if at else "")


def _read(keys: list[str]) -> Timing:
    found = Timing()
    try:
        with _store.pipeline(transaction=False) as together:
            for key in keys:
                together.hgetall(key)
            kept = together.execute()
    except redis.RedisError:
        return found
    for name, value in (pair for part in kept for pair in part.items()):
        kind, _, what = name.decode().partition(":")
        if kind == "error":
            found.errors[what] = found.errors.get(what, 0) + int(value)
        elif what == "sum":
            found.answers[kind].seconds += float(value)
        else:
            found.answers[kind].buckets[int(what)] += int(value)
    return found

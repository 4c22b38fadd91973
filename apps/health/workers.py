"""Which workers live, and which queues they serve.

Each worker says so itself every few seconds, from its main process: that one answers while its children are busy. A task
could not tell, since it waits behind a first read that takes an hour.
"""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import redis
from celery import current_app
from celery.signals import heartbeat_sent, worker_shutting_down
from django.conf import settings

from apps.core import clock

logger = logging.getLogger(__name__)

# A sorted set: what each worker says of itself, by the moment when it was last heard of.
KEY = "health:workers"
SAID_EVERY = timedelta(seconds=4)
LATE = timedelta(seconds=20)
# What is routed nowhere else goes to Celery's default queue, and nothing of the tower does.
NEEDED = ("decide", "notify", "refresh", "sync", "tick")

# Never waits for long: a worker's main process has other things to do.
_store = redis.Redis.from_url(settings.REDIS_URL + "/1", socket_timeout=2, socket_connect_timeout=2)
_said_at = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Worker:
    """One worker that lives: its name, the queues that it serves, and when it was last heard of."""

    name: str
    queues: tuple[str, ...]
    heard_at: datetime


def say(name: str, queues: Iterable[str], *, now: datetime) -> None:
    """Note that the worker ``name`` lives and serves ``queues``."""
    _store.zadd(KEY, {_said(name, queues): now.timestamp()})
    _store.zremrangebyscore(KEY, "-inf", (now - LATE).timestamp())


def unsay(name: str, queues: Iterable[str]) -> None:
    """Note that the worker ``name`` has stopped."""
    _store.zrem(KEY, _said(name, queues))


def alive(*, now: datetime) -> list[Worker]:
    """The workers heard of lately, by name."""
    heard: Any = _store.zrangebyscore(KEY, (now - LATE).timestamp(), "+inf", withscores=True)
    said = [(json.loads(text), datetime.fromtimestamp(at, UTC)) for text, at in heard]
    found = [Worker(name=one["name"], queues=tuple(one["queues"]), heard_at=at) for one, at in said]
    return sorted(found, key=lambda worker: worker.name)


def unserved(workers: Iterable[Worker]) -> list[str]:
    """The queues that the tower needs and that none of ``workers`` serves."""
    served = {queue for worker in workers for queue in worker.queues}
    return [queue for queue in NEEDED if queue not in served]


def _said(name: str, queues: Iterable[str]) -> str:
    return json.dumps({"name": name, "queues": sorted(queues)})


@heartbeat_sent.connect(weak=False)
def _on_heartbeat(sender: Any, **_: object) -> None:
    global _said_at
    now = clock.now()
    if now - _said_at < SAID_EVERY:
        return
    _said_at = now
    try:
        say(sender.eventer.hostname, current_app.amqp.queues.consume_from, now=now)
    except redis.RedisError as error:
        logger.warning("The worker could not say that it lives: %s", error)


@worker_shutting_down.connect(weak=False)
def _on_shutdown(sender: str, **_: object) -> None:
    try:
        unsay(sender, current_app.amqp.queues.consume_from)
    except redis.RedisError as error:
        logger.warning("The worker could not say that it stops: %s", error)

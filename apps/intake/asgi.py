"""Where Odoo's webhooks arrive: a raw ASGI application in a small process of its own.

Its speed is the speed of Odoo's own users, since Odoo waits for each answer. So there is no middleware; the answer waits
for exactly one thing, that the delivery is durable; what arrives within a moment is committed together; and when it
cannot be stored the answer is 503 within milliseconds, never a hang.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import os
import re
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controltower.settings")

import django
from django.conf import settings

if not settings.configured or not django.apps.apps.ready:
    django.setup()

import psycopg

from apps.core import clock
from apps.core.wake import wake_now

logger = logging.getLogger(__name__)

PATH = re.compile(r"^/hooks/odoo/([A-Za-z0-9_-]{8,60})/?$")
MODEL = re.compile(r"^[a-z0-9_.]{1,80}$")
LARGEST_BODY = 1024 * 1024
LONGEST_QUEUE = 20_000
GROUP = 500
WRITERS = 2
BODY_SECONDS = 5.0
STORE_SECONDS = 0.8  # Odoo gives up after one second
RETRY_SECONDS = 0.5
SECRETS_SECONDS = 5.0
WAKE_SECONDS = 0.05

STORE = """
INSERT INTO intake_delivery
       (source, connection_id, key, model, odoo_id, body, received_at, not_before, status, attempts, problem)
SELECT 'odoo', connection_id, key, model, odoo_id, body, received_at, received_at, 'pending', 0, ''
  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::timestamptz[])
    AS arrived(connection_id, key, model, odoo_id, body, received_at)
ON CONFLICT DO NOTHING
"""
SECRETS = """
SELECT hook_secret, id FROM odoo_connection WHERE is_active
UNION ALL
SELECT previous_hook_secret, id FROM odoo_connection WHERE is_active AND previous_hook_secret <> ''
"""

Row = tuple[int, str, str, int, str, datetime]


class CannotStoreError(Exception):
    """The database is away; the sender is told to come back."""


class Refused(Exception):
    """The message is not one; answered with a status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status, self.sentence = status, sentence


class Store:
    """Writes arrivals in groups: one INSERT and one commit for all that came within the last one's commit."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[tuple[Row, asyncio.Future[None]]] = asyncio.Queue(LONGEST_QUEUE)
        self.secrets: dict[str, int] = {}
        self.secrets_at = float("-inf")
        self.down_until = 0.0
        self.tasks = [asyncio.create_task(self._write()) for _ in range(WRITERS)]
        self.wake_task: asyncio.Task[None] | None = None
        self.reading: asyncio.Lock = asyncio.Lock()

    async def add(self, row: Row) -> None:
        """Return once ``row`` is durable. Raises CannotStoreError."""
        if time.monotonic() < self.down_until or self.waiting.full():
            raise CannotStoreError
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.put_nowait((row, stored))
        try:
            await asyncio.wait_for(stored, STORE_SECONDS)
        except TimeoutError:
            raise CannotStoreError from None

    async def connection_of(self, secret: str) -> int | None:
        """The connection that ``secret`` belongs to. Secrets are re-read at most every few seconds, or on a miss."""
        age = time.monotonic() - self.secrets_at
        known = next((number for held, number in self.secrets.items() if _same(held, secret)), None)
        if age > SECRETS_SECONDS or (known is None and age > 1.0):
            async with self.reading:
                if time.monotonic() - self.secrets_at >= min(age, 1.0):
                    await self._read_secrets()
            known = next((number for held, number in self.secrets.items() if _same(held, secret)), None)
        return known

    async def _read_secrets(self) -> None:
        if time.monotonic() < self.down_until:
            if not self.secrets:
                raise CannotStoreError
            return
        try:
            async with await _connect() as database:
                found = await (await database.execute(SECRETS)).fetchall()
        except (psycopg.Error, OSError):
            self.down_until = time.monotonic() + RETRY_SECONDS
            if not self.secrets:
                raise CannotStoreError from None
            return
        self.secrets, self.secrets_at = dict(found), time.monotonic()

    async def _write(self) -> None:
        database: psycopg.AsyncConnection[Any] | None = None
        while True:
            group = [await self.waiting.get()]
            while len(group) < GROUP and not self.waiting.empty():
                group.append(self.waiting.get_nowait())
            try:
                if database is None or database.closed:
                    database = await _connect()
                await database.execute(STORE, [list(column) for column in zip(*(row for row, _ in group), strict=True)])
            except (psycopg.Error, OSError) as error:
                logger.warning("Deliveries could not be stored: %s", error)
                self.down_until = time.monotonic() + RETRY_SECONDS
                self._answer(group, CannotStoreError())
                if database is not None:
                    with contextlib.suppress(Exception):
                        await database.close()
                database = None
            else:
                self._answer(group, None)
                self._wake()

    @staticmethod
    def _answer(group: list[tuple[Row, asyncio.Future[None]]], problem: Exception | None) -> None:
        for _, stored in group:
            if not stored.done():
                if problem:
                    stored.set_exception(problem)
                else:
                    stored.set_result(None)

    def _wake(self) -> None:
        """Wake the worker, once for all that arrives within a moment, and not on the way of any answer."""
        if self.wake_task is None or self.wake_task.done():
            self.wake_task = asyncio.create_task(self._wake_soon())

    async def _wake_soon(self) -> None:
        await asyncio.sleep(WAKE_SECONDS)
        await asyncio.to_thread(wake_now, "pipeline.refresh")


def _same(held: str, given: str) -> bool:
    return hmac.compare_digest(held, given)


async def _connect() -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(
        settings.DATABASE_URL, autocommit=True, connect_timeout=2, options="-c statement_timeout=2000",
        application_name="intake",
    )  # fmt: skip


_stores: dict[asyncio.AbstractEventLoop, Store] = {}


def _store() -> Store:
    loop = asyncio.get_running_loop()
    if loop not in _stores:
        _stores[loop] = Store()
    return _stores[loop]


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def read_hint(body: bytes) -> tuple[str, int]:
    """The model and id that Odoo's message names. Raises Refused with a sentence."""
    try:
        message = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refused(400, "The body is not JSON.") from None
    if not isinstance(message, dict):
        raise Refused(400, "The body is not a JSON object.")
    model, odoo_id = message.get("_model"), message.get("_id")
    if not isinstance(model, str) or not MODEL.match(model):
        raise Refused(400, "_model is missing, or is not the name of a model.")
    if type(odoo_id) is not int or not 0 < odoo_id < 2**63:
        raise Refused(400, "_id is missing, or is not the id of a record.")
    if b"\x00" in body:
        raise Refused(400, "The body holds a NUL byte.")
    return model, odoo_id


async def _body(receive: Callable[[], Awaitable[dict[str, Any]]]) -> bytes:
    chunks, size = [], 0
    while True:
        message = await asyncio.wait_for(receive(), BODY_SECONDS)
        if message["type"] == "http.disconnect":
            raise Refused(400, "The sender went away.")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > LARGEST_BODY:
            raise Refused(413, f"The body is larger than {LARGEST_BODY >> 20} MB.")
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Accept one delivery: 202 once it is durable, else a status that says what to do."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    if scope["type"] != "http":
        return
    try:
        status, sentence = await _accept(scope, receive)
    except Refused as refused:
        status, sentence = refused.status, refused.sentence
    except CannotStoreError:
        status, sentence = 503, "Deliveries cannot be stored right now. Send it again."
    except TimeoutError:
        status, sentence = 408, "The body did not arrive in time."
    text = json.dumps({"detail": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(text)).encode())]
    if status == 405:
        headers.append((b"allow", b"POST"))
    if status in (408, 413, 503):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


async def _accept(scope: dict[str, Any], receive: Any) -> tuple[int, str]:
    found = PATH.match(scope["path"])
    if not found:
        raise Refused(404, "There is nothing here.")
    store = _store()
    connection_id = await store.connection_of(found[1])
    if connection_id is None:
        raise Refused(404, "There is nothing here.")
    if scope["method"] != "POST":
        raise Refused(405, "Deliveries are posted.")
    for name, value in scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or int(value) > LARGEST_BODY):
            raise Refused(413, f"The body is larger than {LARGEST_BODY >> 20} MB.")
        if name == b"content-encoding" and value.lower() not in (b"", b"identity"):
            raise Refused(415, "The body must not be compressed.")
    body = await _body(receive)
    model, odoo_id = read_hint(body)
    # Odoo's body carries write_date to the microsecond: an equal body tells of the same change.
    key = hashlib.sha256(body).hexdigest()
    await store.add((connection_id, key, model, odoo_id, body.decode(), clock.now()))
    return 202, "Stored."


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            _store()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            store = _stores.pop(asyncio.get_running_loop(), None)
            for task in store.tasks if store else []:
                task.cancel()
            await send({"type": "lifespan.shutdown.complete"})
            return

"""Where Odoo's webhooks and other systems' events arrive: a raw ASGI application in a small process of its own.

Its speed is the speed of Odoo's own users, since Odoo waits for each answer. So there is no middleware; the answer
waits for exactly one thing, that the delivery is durable (:mod:`apps.intake.store`); and when it cannot be stored the
answer is 503 within milliseconds, never a hang.
"""

import asyncio
import hashlib
import json
import logging
import os
import re
import time
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controltower.settings")

import django
from django.conf import settings

if not settings.configured or not django.apps.apps.ready:
    django.setup()

from apps.core import clock
from apps.intake import signatures
from apps.intake.message import LARGEST_BODY, Refused, read_hint, read_object
from apps.intake.models import EVENT
from apps.intake.store import CannotStoreError, Store, TooManyGuessesError

logger = logging.getLogger(__name__)

PATH = re.compile(r"/hooks/odoo/([A-Za-z0-9_-]{8,60})/?")
EVENTS_PATH = re.compile(r"/hooks/events/([A-Za-z0-9_-]{1,40})/?")
SIGNED_BY = (b"webhook-id", b"webhook-timestamp", b"webhook-signature")
BODY_SECONDS = 5.0


_stores: dict[asyncio.AbstractEventLoop, Store] = {}


def _store() -> Store:
    loop = asyncio.get_running_loop()
    if loop not in _stores:
        _stores[loop] = Store()
    return _stores[loop]


async def _body(receive: Any) -> bytes:
    chunks, size = [], 0
    async with asyncio.timeout(BODY_SECONDS):
        while True:
            message = await receive()
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
    except TooManyGuessesError:
        status, sentence = 429, "There is nothing here. Do not ask again for a minute."
    except TimeoutError:
        status, sentence = 408, "The body did not arrive in time."
    except Exception:
        logger.exception("A delivery could not be taken")
        status, sentence = 503, "The delivery could not be taken. Send it again."
    text = json.dumps({"detail": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(text)).encode())]
    if status == 405:
        headers.append((b"allow", b"POST"))
    if status == 429:
        headers.append((b"retry-after", b"60"))
    if status in (408, 413, 503):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


async def _accept(scope: dict[str, Any], receive: Any) -> tuple[int, str]:
    if found := EVENTS_PATH.fullmatch(scope["path"]):
        return await _accept_event(found[1], scope, receive)
    found = PATH.fullmatch(scope["path"])
    if not found:
        raise Refused(404, "There is nothing here.")
    store = _store()
    begun = time.monotonic()
    connection_id = await store.connection_of(found[1], (scope.get("client") or [""])[0])
    if connection_id is None:
        raise Refused(404, "There is nothing here.")
    body = await _posted(scope, receive)
    model, odoo_id = read_hint(body)
    # Odoo's body carries write_date to the microsecond: an equal body tells of the same change.
    key = hashlib.sha256(body).hexdigest()
    is_stored = False
    try:
        await store.add((connection_id, "odoo", key, model, odoo_id, body.decode(), clock.now()), len(body))
        is_stored = True
    finally:
        store.note_wait(connection_id, time.monotonic() - begun, is_turned_away=not is_stored)
    return 202, "Stored."


async def _accept_event(name: str, scope: dict[str, Any], receive: Any) -> tuple[int, str]:
    """Another system tells of an event, signed: who it is from is known by the signature, and what it is by its id."""
    store = _store()
    source = await store.source(name)
    if source is None:
        raise Refused(404, "There is no such source.")
    body = await _posted(scope, receive)
    headers = {key: value.decode("latin-1") for key, value in scope["headers"] if key in SIGNED_BY}
    message_id, timestamp, signature = (headers.get(key, "") for key in SIGNED_BY)
    try:
        signatures.check(source.keys, message_id=message_id, timestamp=timestamp, signature=signature, body=body, now=clock.now())
    except signatures.UnsignedError as error:
        raise Refused(401, str(error)) from None
    read_object(body)
    key = hashlib.sha256(message_id.encode()).hexdigest()
    await store.add((source.connection_id, name, key, EVENT, 0, body.decode(), clock.now()), len(body))
    return 202, "Stored."


async def _posted(scope: dict[str, Any], receive: Any) -> bytes:
    """The body of a message that is posted, uncompressed, and not too large. Raises Refused."""
    if scope["method"] != "POST":
        raise Refused(405, "Deliveries are posted.")
    for name, value in scope["headers"]:
        if name == b"content-length" and (len(value) > 12 or not value.isdigit() or int(value) > LARGEST_BODY):
            raise Refused(413, f"The body is larger than {LARGEST_BODY >> 20} MB.")
        if name == b"content-encoding" and value.lower() not in (b"", b"identity"):
            raise Refused(415, "The body must not be compressed.")
    return await _body(receive)


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            _store()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            if store := _stores.pop(asyncio.get_running_loop(), None):
                await store.close()
            await send({"type": "lifespan.shutdown.complete"})
            return

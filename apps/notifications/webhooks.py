"""Posting messages to other systems: signed, tried again for more than a day, and the same one only once in effect."""

import json
import logging
import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import httpx2
from django.db import connection as database
from django.db import transaction

from apps.accounts import permissions
from apps.accounts.models import User
from apps.audit import trail
from apps.core import egress, isolation
from apps.core.egress import RECEIVER, AddressNotAllowedError
from apps.core.identity import uuid7
from apps.core.wake import wake
from apps.intake import signatures
from apps.notifications.models import Endpoint, Outgoing, OutgoingStatus
from apps.notifications.transitions import MESSAGES

logger = logging.getLogger(__name__)

# After each failed attempt, how long until the next; then it is given up.
WAITS = [timedelta(seconds=5), *(timedelta(minutes=minutes) for minutes in (5, 30, 120, 300, 600, 600))]
TIMEOUT_SECONDS = 15.0
ANSWER_LIMIT_BYTES = 64 * 1024
LONGEST_RETRY_AFTER_SECONDS = 3600
# A worker that dies while it posts gives the message back after this.
LEASE = timedelta(seconds=60)
BATCH = 20
GONE = 410
COME_BACK = (429, 502, 503, 504)


@transaction.atomic
def save(endpoint: Endpoint, *, by: User, now: datetime) -> Endpoint:
    """Keep an endpoint that was entered or changed; a new one gets its secret.

    Raises NotAllowedError, AddressNotAllowedError.
    """
    permissions.check_may_integrate(by)
    egress.checked(endpoint.url, RECEIVER)
    is_new = endpoint.pk is None
    if is_new:
        endpoint.secret, endpoint.created_at = signatures.make_secret(), now
    endpoint.save()
    said = {"name": endpoint.name, "url": endpoint.url, "is_active": endpoint.is_active}
    _record("endpoint.added" if is_new else "endpoint.changed", endpoint, by, said, now)
    return endpoint


@transaction.atomic
def remove(endpoint: Endpoint, *, by: User, now: datetime) -> None:
    """Tell an endpoint nothing more. Raises NotAllowedError."""
    permissions.check_may_integrate(by)
    _record("endpoint.removed", endpoint, by, {"name": endpoint.name}, now)
    endpoint.delete()


@transaction.atomic
def rotate(endpoint: Endpoint, *, by: User, now: datetime) -> str:
    """A new secret; messages are signed with the old one as well until the next rotation. Raises NotAllowedError."""
    permissions.check_may_integrate(by)
    endpoint.previous_secret, endpoint.secret = endpoint.secret, signatures.make_secret()
    endpoint.save(update_fields=["secret", "previous_secret"])
    _record("endpoint.rotated", endpoint, by, {"name": endpoint.name}, now)
    return str(endpoint.secret)


def post(endpoints: Iterable[Endpoint], *, key: str, kind: str, data: dict[str, Any], now: datetime) -> None:
    """Have a message sent to ``endpoints`` that are switched on, in the caller's transaction; workers send it soon after."""
    body = json.dumps({"type": kind, "timestamp": now.isoformat(), "data": data}, ensure_ascii=False)
    rows = [
        Outgoing(endpoint=endpoint, key=key, message_id=f"msg_{uuid7().hex}", body=body, not_before=now, created_at=now)
        for endpoint in endpoints
        if endpoint.is_active
    ]
    if rows:
        Outgoing.objects.bulk_create(rows, ignore_conflicts=True)
        wake("notifications.send_webhooks")


def send_due(*, clock: Callable[[], datetime]) -> int:
    """Post what is due, at most BATCH; how many were tried. A receiver may get one twice, under the same id.

    One worker at a time: receivers that hang must not hold up all of those that send to people.
    """
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(7004, 0)")
        if not cursor.fetchone()[0]:
            return 0
    try:
        return _send_due(clock)
    finally:
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(7004, 0)")


def _send_due(clock: Callable[[], datetime]) -> int:
    now = clock()
    with transaction.atomic():
        due = list(
            Outgoing.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(status=OutgoingStatus.PENDING, not_before__lte=now)
            .select_related("endpoint")
            .order_by("not_before")[:BATCH]
        )
        Outgoing.objects.filter(pk__in=[message.pk for message in due]).update(not_before=now + LEASE)
    for message in due:
        try:
            _send(message, clock)
        except Exception as error:
            if isolation.is_of_the_server(error):
                raise
            logger.exception("A message could not be posted to %s; the others are", message.endpoint.name)
            _settle(message, OutgoingStatus.DEAD, f"It cannot be posted: {type(error).__name__}: {error}", clock())
    return len(due)


def _send(message: Outgoing, clock: Callable[[], datetime]) -> None:
    endpoint, again = message.endpoint, 0
    if not endpoint.is_active:
        return _settle(message, OutgoingStatus.DEAD, "The endpoint is switched off.", clock())
    message.attempts += 1
    try:
        egress.checked(endpoint.url, RECEIVER)
        status, again = _post(endpoint, message, clock())
    except (AddressNotAllowedError, httpx2.HTTPError, httpx2.InvalidURL) as error:
        problem = str(error) or type(error).__name__
    else:
        if 200 <= status < 300:
            return _settle(message, OutgoingStatus.SENT, "", clock())
        problem = f"It answered HTTP {status}" + (", and no redirect is followed." if 300 <= status < 400 else ".")
        if status == GONE:
            endpoint.is_active, endpoint.problem = False, "It answered that it is gone for good (HTTP 410)."
            endpoint.save(update_fields=["is_active", "problem"])
            return _settle(message, OutgoingStatus.DEAD, problem, clock())
    logger.warning("A message could not be posted to %s: %s", endpoint.name, problem)
    if message.attempts > len(WAITS):
        return _settle(message, OutgoingStatus.DEAD, problem, clock())
    wait = max(WAITS[message.attempts - 1] * random.uniform(1.0, 1.2), timedelta(seconds=again))
    message.not_before, message.problem = clock() + wait, problem[:500]
    message.save(update_fields=["attempts", "not_before", "problem"])
    return None


def _post(endpoint: Endpoint, message: Outgoing, now: datetime) -> tuple[int, int]:
    """The status that the receiver answers, and after how many seconds it asks for the next attempt."""
    body, timestamp = message.body.encode(), int(now.timestamp())
    keys = [signatures.key_of(secret) for secret in (endpoint.secret, endpoint.previous_secret) if secret]
    signed = " ".join(signatures.sign(key, message_id=message.message_id, timestamp=timestamp, body=body) for key in keys)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "ControlTower",
        "webhook-id": message.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signed,
    }
    with (
        egress.client(RECEIVER, timeout_seconds=TIMEOUT_SECONDS) as client,
        client.stream("POST", endpoint.url, content=body, headers=headers) as answer,
    ):
        size = 0
        for chunk in answer.iter_raw():
            size += len(chunk)
            if size > ANSWER_LIMIT_BYTES:
                break
        after = answer.headers.get("retry-after", "")
        asks = answer.status_code in COME_BACK and after.isascii() and after.isdigit() and len(after) < 9
        return answer.status_code, min(int(after), LONGEST_RETRY_AFTER_SECONDS) if asks else 0


def _settle(message: Outgoing, status: OutgoingStatus, problem: str, now: datetime) -> None:
    MESSAGES.enter(status, message)
    message.problem, message.sent_at = problem[:500], now if status == OutgoingStatus.SENT else None
    message.save(update_fields=["status", "attempts", "problem", "sent_at"])


def _record(action: str, endpoint: Endpoint, by: User, data: dict[str, Any], now: datetime) -> None:
    trail.record(
        trail.Event(action=action, actor=by.actor, subject=f"endpoint:{endpoint.pk}", data=data),
        now=now,
    )

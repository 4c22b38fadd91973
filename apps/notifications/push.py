"""Telling a person's devices: encrypted for the device alone (RFC 8291), signed with the tower's own key (RFC 8292)."""

import base64
import binascii
import hashlib
import json
import logging
from datetime import datetime, timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit

import httpx2
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext

from apps.accounts import access
from apps.accounts.models import User
from apps.core import egress
from apps.core.egress import RECEIVER, AddressNotAllowedError
from apps.core.refusals import Problem, Refusal
from apps.notifications import preferences, queries, sending
from apps.notifications.models import Device, Push

logger = logging.getLogger(__name__)

MOST_DEVICES = 20
URGENT = ("asked", "reminded", "escalated")


class DeviceRefusedError(Refusal):
    """This device cannot be told; the message says why."""

    problem = Problem(
        "device_refused",
        422,
        "Device refused",
        meaning="A browser's push subscription cannot be read, leads to no public address, or is one too many.",
        remedy="Subscribe again in the browser, or remove another device.",
    )


def public_key() -> str:
    """The tower's public key, as browsers want it when they subscribe."""
    point = _private_key().public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def _private_key() -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(_bytes(settings.VAPID_KEY)), ec.SECP256R1())


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@transaction.atomic
def add(user: User, *, endpoint: str, p256dh: str, auth: str, name: str, now: datetime) -> Device:
    """Tell this device from now on. One that told somebody else before is theirs no longer.

    Raises:
        DeviceRefusedError: the address or the keys cannot be, or there are too many devices.
    """
    try:
        egress.checked_form(endpoint, RECEIVER)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(p256dh))
        is_secret = len(_bytes(auth)) == 16
    except AddressNotAllowedError as error:
        raise DeviceRefusedError(str(error)) from error
    except (ValueError, binascii.Error) as error:
        raise DeviceRefusedError(gettext("The device's keys cannot be read.")) from error
    if not is_secret:
        raise DeviceRefusedError(gettext("The device's keys cannot be read."))
    others = Device.objects.filter(user=user).exclude(endpoint=endpoint)
    if others.count() >= MOST_DEVICES:
        raise DeviceRefusedError(
            gettext("Push is enabled on %(MOST_DEVICES)s devices, the maximum. Remove one first.") % {"MOST_DEVICES": MOST_DEVICES}
        )
    Device.objects.filter(endpoint=endpoint).exclude(user=user).delete()
    made, _ = Device.objects.update_or_create(
        endpoint=endpoint, defaults={"user": user, "p256dh": p256dh, "auth": auth, "name": name[:200], "created_at": now}
    )
    return made


def remove(user: User, *, endpoint: str = "", device_id: int = 0) -> int:
    """Tell this device of the person's no more; how many there were."""
    mine = Device.objects.filter(user=user)
    found = mine.filter(endpoint=endpoint) if endpoint else mine.filter(pk=device_id)
    return found.delete()[1].get("notifications.Device", 0)


def send_due(*, now: datetime) -> int:
    """Send what waits for devices, at most a batch; how many were tried."""
    return sending.send_each(lambda http: _send_one(http, now=now))


@transaction.atomic
def _send_one(http: httpx2.Client, *, now: datetime) -> bool:
    """Send the first message that nobody else is sending; False where there is none."""
    row = sending.next_of(Push.objects.select_related("notification", "device__user"), now=now)
    if row is None:
        return False
    told, device = row.notification, row.device
    if sending.is_over(told, device.user, now=now):
        row.delete()
        return True
    try:
        answer = http.post(device.endpoint, content=_sealed(row), headers=_headers(row, now))
        status, problem = answer.status_code, f"The push service answered {answer.status_code}"
    except (httpx2.HTTPError, AddressNotAllowedError) as error:
        status, problem = 0, f"{type(error).__name__}: {error}"
        if isinstance(error, AddressNotAllowedError):
            status = 400
    except (ValueError, TypeError, LookupError) as error:
        # Keys that nothing can be sealed with, for one: the device gets nothing, and the others do.
        status, problem = 400, f"{type(error).__name__}: {error}"
    if 200 <= status < 300:
        row.delete()
        Device.objects.filter(pk=device.pk).update(told_at=now, problem="")
    elif status in (404, 410):
        device.delete()  # the person took the permission back, or the browser is gone
    elif status and status != 429 and status < 500:
        logger.warning("%s: %s", urlsplit(device.endpoint).hostname, problem)
        Device.objects.filter(pk=device.pk).update(problem=problem[:300])
        row.delete()
    else:
        sending.try_again(row, now=now)
        Device.objects.filter(pk=device.pk).update(problem=problem[:300])
    return True


def _sealed(row: Push) -> bytes:
    from pywebpush import WebPusher  # brings aiohttp along: only the worker that sends pays for it

    told, device = row.notification, row.device
    message = {
        "title": told.title[:200],
        "body": told.body[:300],
        "path": told.path,
        "tag": told.path or told.key,
        "waiting": queries.unread_of(device.user, access.scope_of(device.user)).count(),
    }
    subscription = {"endpoint": device.endpoint, "keys": {"p256dh": device.p256dh, "auth": device.auth}}
    sealed: bytes = WebPusher(subscription).encode(json.dumps(message).encode(), "aes128gcm")["body"]
    return sealed


def _headers(row: Push, now: datetime) -> dict[str, str]:
    from py_vapid import Vapid02

    told = row.notification
    parts = urlsplit(row.device.endpoint)
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int((now + timedelta(hours=12)).timestamp()),
        "sub": f"mailto:{sender}",
    }
    # A newer message about the same page takes the place of one that was not delivered yet.
    topic = hashlib.sha256((told.path or told.key).encode()).hexdigest()[:32]
    urgent = preferences.group_of(told.kind).name in URGENT
    return {
        **Vapid02(_private_key()).sign(claims),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(int(sending.KEPT_FOR.total_seconds())),
        "Urgency": "high" if urgent else "normal",
        "Topic": topic,
    }

"""Standard Webhooks: who sent a message, and that nobody changed it on the way.

Signed is ``<id>.<timestamp>.<body>`` with HMAC-SHA256; a header may carry several signatures, and a sender may have two
secrets while they rotate.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

PREFIX = "whsec_"
VERSION = "v1"
SECRET_BYTES = 32
TOLERANCE = timedelta(minutes=5)
LONGEST_ID = 200
# More than anybody rotates at once; each costs a comparison.
MOST_SIGNATURES = 10


class UnsignedError(Exception):
    """The message is not from who it says, or is not from now; the message says what is wrong with it."""


def make_secret() -> str:
    """A new secret, as its sender is given it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The key that ``secret`` stands for. Raises ValueError where it is none."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("A signing secret is whsec_ and base64.") from None
    if not secret.startswith(PREFIX) or len(key) < 16:
        raise ValueError("A signing secret is whsec_ and base64 of at least 16 bytes.")
    return key


def sign(key: bytes, *, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of a message, as its header has it."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"{VERSION},{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def check(keys: Iterable[bytes], *, message_id: str, timestamp: str, signature: str, body: bytes, now: datetime) -> None:
    """Raises UnsignedError unless one of ``keys`` signed this message within the last five minutes."""
    if not message_id or len(message_id) > LONGEST_ID or not (message_id.isascii() and message_id.isprintable()):
        raise UnsignedError("webhook-id is missing, or is not an id.")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise UnsignedError("webhook-timestamp is missing, or is not a number of seconds.")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        raise UnsignedError("webhook-timestamp is more than five minutes off. Sign it again, and set the clock.")
    given = [one.encode() for one in signature.split(" ")[:MOST_SIGNATURES] if one.startswith(f"{VERSION},")]
    if not given:
        raise UnsignedError("webhook-signature is missing, or has no v1 signature.")
    for key in keys:
        expected = sign(key, message_id=message_id, timestamp=int(timestamp), body=body).encode()
        # All are compared, so that how long it takes tells nothing about which was nearly right.
        if any([hmac.compare_digest(expected, one) for one in given]):  # noqa: C419
            return
    raise UnsignedError("webhook-signature does not fit the message. Sign id.timestamp.body with this source's secret.")

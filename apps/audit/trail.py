"""Writing the audit trail."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from apps.audit.models import Entry, Head
from apps.core.actor import Actor


@dataclass(frozen=True, kw_only=True)
class Event:
    """What is to be recorded.

    Attributes:
        about: the connection, and the company there, that it tells of. Where it names none, only people who see
            everything may read it.
    """

    action: str
    actor: Actor
    subject: str
    data: dict[str, Any] = field(default_factory=dict)
    about: tuple[int, int | None] | None = None


def digest(*, previous: str, sequence: int, at: datetime, action: str, actor: str, actor_name: str, subject: str, data: Any) -> str:
    """The link of one entry to the one before it: HMAC-SHA256 with a key that the database never sees.

    Without the key a whole rewritten chain would verify; with it a superuser of the database cannot make one.
    """
    text = json.dumps(
        [previous, sequence, at.astimezone(UTC).isoformat(timespec="microseconds"), action, actor, actor_name, subject, data],
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return hmac.new(settings.AUDIT_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def _as_stored(number: str) -> int | float:
    """``number`` as PostgreSQL gives it back: without exponent and without a negative zero."""
    stored: int | float = json.loads(format(Decimal(number) + 0, "f"))
    return stored


def record(event: Event, *, now: datetime) -> None:
    """Append one event to the trail, in the caller's transaction."""
    record_all([event], now=now)


def record_all(events: Sequence[Event], *, now: datetime) -> None:
    """Append events to the trail, in order, in the caller's transaction.

    Takes the chain's lock until that transaction ends, so call it late and commit soon.

    Raises:
        RuntimeError: outside a transaction, where the entry could outlive what it tells of.
    """
    if not events:
        return
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("An audit entry must be written in the transaction of what it records")
    head = Head.objects.select_for_update().filter(id=1).first()
    if head is None:
        Head.objects.bulk_create([Head(id=1)], ignore_conflicts=True)
        head = Head.objects.select_for_update().get(id=1)
    entries = []
    for event in events:
        # What is hashed must be what the database gives back: round-trip through JSON first.
        data = json.loads(json.dumps(event.data, cls=DjangoJSONEncoder), parse_float=_as_stored)
        head.sequence += 1
        link = digest(
            previous=head.hash,
            sequence=head.sequence,
            at=now,
            action=event.action,
            actor=str(event.actor),
            actor_name=event.actor.name,
            subject=event.subject,
            data=data,
        )
        entries.append(
            Entry(
                sequence=head.sequence,
                at=now,
                action=event.action,
                actor=str(event.actor),
                actor_name=event.actor.name,
                subject=event.subject,
                data=data,
                previous_hash=head.hash,
                hash=link,
                connection_id=event.about[0] if event.about else None,
                company_id=event.about[1] if event.about else None,
            )
        )
        head.hash = link
    Entry.objects.bulk_create(entries)
    head.save(update_fields=["sequence", "hash"])

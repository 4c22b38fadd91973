"""A vendor's answer is durable before the vendor is answered: the answer, its files and its delivery are one transaction."""

import enum
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from apps.core.transactions import atomic_with_retry
from apps.core.wake import wake
from apps.intake.models import EVENT, Delivery
from apps.vendors.models import Answer, Attachment, VendorLink

# As deliveries and events name who sent them; apps/events/moves.py lets no other source be called so.
SOURCE = "vendor-page"


class Outcome(enum.Enum):
    """What became of what was sent."""

    KEPT = enum.auto()
    REPEATED = enum.auto()  # the same form with the same content: answered as the first time
    CONFLICT = enum.auto()  # the same form with another content: the first stands


@dataclass(frozen=True, kw_only=True)
class File:
    """A file as it is kept: its name neutralised, its content as it came."""

    name: str
    content: bytes


@atomic_with_retry
def receive(
    link: VendorLink, order_id: int, form_id: uuid.UUID, content: Mapping[str, Any], files: Sequence[File], *, now: datetime
) -> Outcome:
    """Keep what a vendor says of an order, once a form, and have it brought to the order.

    Args:
        content: ``note``, and ``lines``, each with ``line``, ``says``, ``parts`` (``quantity`` and ``day`` as text) and ``reason``.
    """
    digest = _digest(order_id, content, files)
    answer = Answer(id=form_id, link=link, order_id=order_id, content=dict(content), digest=digest, said_at=now)
    Answer.objects.bulk_create([answer], ignore_conflicts=True)
    stored = Answer.objects.get(pk=form_id)
    if Delivery.objects.filter(source=SOURCE, connection_id=link.connection_id, key=form_id.hex).exists():
        return Outcome.REPEATED if stored.digest == digest else Outcome.CONFLICT
    Attachment.objects.bulk_create(
        [Attachment(answer=stored, name=file.name, size=len(file.content), content=file.content) for file in files]
    )
    Delivery.objects.create(
        source=SOURCE,
        connection_id=link.connection_id,
        key=form_id.hex,
        model=EVENT,
        odoo_id=0,
        body=json.dumps({"answer": str(form_id), "order": order_id, **content}),
        received_at=now,
        not_before=now,
    )
    wake("pipeline.refresh")
    return Outcome.KEPT


def _digest(order_id: int, content: Mapping[str, Any], files: Sequence[File]) -> str:
    told = json.dumps([order_id, content, [[file.name, sha256(file.content).hexdigest()] for file in files]], sort_keys=True)
    return sha256(told.encode()).hexdigest()

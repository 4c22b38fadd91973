"""A message to people outside about records of Odoo: it stands on the first of them, with a note on each of the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.core.actor import Actor
from apps.odoo.models import Connection
from apps.outbox import enqueue
from apps.outbox.enqueue import Order
from apps.workflows.declare import OdooCall


@dataclass(frozen=True, kw_only=True)
class Post:
    """What is written to whom.

    Attributes:
        records: ids in Odoo of what it is about; it stands on the first.
        recipients: partners, by their ids in Odoo.
        title, note_title: what the commands do, in words for people, with the names of ``values`` in braces.
        body: as HTML.
        said: what the notes on the other records say.
        decision: what it follows from.
    """

    connection: Connection
    model: str
    records: Sequence[int]
    recipients: Sequence[int]
    title: str
    body: str
    decision: str
    subject: str = ""
    note_title: str = ""
    said: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


def post(message: Post, *, by: Actor, now: datetime) -> None:
    """Have it sent, once, in the caller's transaction. One lane: where the message fails, nothing is noted on the others."""
    enqueue.many(_orders(message), by=by, now=now)


def _orders(message: Post) -> list[Order]:
    first, *others = message.records
    arguments = {
        **({"subject": "{subject}"} if message.subject else {}),
        "body": "{body}",
        "body_is_html": True,
        "partner_ids": list(message.recipients),
        "message_type": "comment",
        "subtype_xmlid": "mail.mt_comment",
    }
    write = OdooCall(title=message.title, method="message_post", arguments=arguments)
    note = OdooCall(
        title=message.note_title, method="message_post", model=message.model, record="other_id", arguments={"body": "{said}"}
    )
    context = {**message.values, "subject": message.subject, "body": message.body, "said": message.said}
    return [
        Order(
            calls=[call],
            connection=message.connection,
            model=message.model,
            odoo_id=first,
            context={**context, "other_id": other_id},
            decision=message.decision,
        )
        for call, other_id in [(write, 0), *((note, one) for one in others)]
    ]

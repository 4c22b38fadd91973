"""A message to people outside about records of Odoo: it stands on the first of them, with a note on each of the others.

Odoo sends it, from its chatter; or the tower's own mail server does, and the chatter has a note of it (:mod:`.smtp`). A parameter
says which, for all or for one company.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings

from apps.core.actor import Actor
from apps.core.wake import wake
from apps.odoo.models import Connection
from apps.outbox import enqueue
from apps.outbox.enqueue import Order
from apps.vendors.mail import addresses
from apps.vendors.models import Mail
from apps.workflows import parameter_values
from apps.workflows.declare import OdooCall
from apps.workflows.rules import outgoing_mail
from apps.workflows.scopes import Scope


@dataclass(frozen=True, kw_only=True)
class Post:
    """What is written to whom.

    Attributes:
        records: ids in Odoo of what it is about; it stands on the first.
        recipients: partners, by their ids in Odoo.
        title, note_title: what the commands do, in words for people, with the names of ``values`` in braces.
        partner_name: who is written to.
        text, body: what is said, as text and as HTML, in the language.
        said: what the notes on the other records say.
        decision: what it follows from.
    """

    connection: Connection
    model: str
    records: Sequence[int]
    recipients: Sequence[int]
    title: str
    partner_name: str
    company_id: int | None
    language: str
    text: str
    body: str
    decision: str
    subject: str = ""
    note_title: str = ""
    said: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


def post(message: Post, *, by: Actor, now: datetime) -> None:
    """Have it sent in the caller's transaction: once by Odoo, or by the tower's mail server.

    Where nobody has an address, it stands in Odoo's chatter alone.
    """
    recipients = []
    if goes_by_smtp(message.connection, message.company_id):
        recipients = addresses.of_partners(message.connection, message.recipients)
    if recipients:
        _mail(message, recipients, by, now)
    else:
        # One lane: where the message fails, nothing is noted on the others.
        enqueue.many(_orders(message), by=by, now=now)


def goes_by_smtp(connection: Connection, company_id: int | None) -> bool:
    """Whether messages of that company are sent by the tower's own mail server. Where none is set up, Odoo sends."""
    if "smtp" not in str(settings.MAILERS["default"]["BACKEND"]):
        return False
    scope = Scope(connection=connection, company_id=company_id)
    return parameter_values.standing_in(scope, [outgoing_mail.BY_SMTP.name])[0].number == 1


def _mail(message: Post, recipients: Sequence[tuple[str, str]], by: Actor, now: datetime) -> None:
    Mail.objects.create(
        connection=message.connection,
        company_id=message.company_id,
        model=message.model,
        records=list(message.records),
        partner_name=message.partner_name,
        recipients=[list(one) for one in recipients],
        reply_to=addresses.reply_to(message.connection, message.model, message.records[0], by),
        language=message.language,
        subject=message.subject,
        text=message.text,
        html=message.body,
        said=message.said,
        decision=message.decision,
        not_before=now,
        created_at=now,
        created_by=by.name[:200],
    )
    wake("vendors.send_mails")


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

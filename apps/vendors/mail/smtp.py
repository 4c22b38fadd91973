"""Sending by the tower's own mail server.

SMTP cannot be asked whether it has a message. What is known to be refused, or was never handed over, is tried again. Where the
answer was lost, or the worker was killed between handing over and noting it, nobody knows: such a message is perhaps sent, and a
person decides, instead of a vendor that is written to twice. Its Message-ID stays the same, so that mail programs show it once.
Where the server takes it for some recipients and refuses others, a person decides too; sent again it goes to those others alone.
"""

import logging
import random
import smtplib
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from email import policy
from email.utils import formataddr, parseaddr
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, mailers
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.db import transaction
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_noop

from apps.audit import trail
from apps.core import live, session_locks
from apps.core.actor import Actor, system
from apps.outbox import enqueue
from apps.outbox.enqueue import Order
from apps.vendors.models import Mail, MailStatus
from apps.vendors.transitions import MAILS
from apps.workflows.declare import OdooCall

logger = logging.getLogger(__name__)

MACHINE = system("mail")
# The locks of messages, among those of sessions.
MAILS_LOCKED = 4
BATCH = 100
LONGEST_WAIT_SECONDS = 600.0
# After so long without a mail server a person decides: what it says may be over by then.
GIVE_UP_AFTER = timedelta(hours=24)
LOST = gettext_noop("The mail server's answer was lost: it may have sent the message.")
KILLED = gettext_noop("The tower stopped while it sent the message: the mail server may have it.")
NOTE = gettext_noop("Note what was sent to {partner}")
WAITING = (MailStatus.QUEUED, MailStatus.SENDING)
WRITTEN = ["status", "problem", "not_before", "ended_at", "ended_by", "reached"]


def send_due(*, clock: Callable[[], datetime]) -> int:
    """Send the messages that wait, at most :data:`BATCH`, each on a lock of its own; how many were tried."""
    now = clock()
    waiting = Mail.objects.filter(status__in=[MailStatus.QUEUED, MailStatus.SENDING], not_before__lte=now).order_by(
        "not_before", "id"
    )
    tried = 0
    for mail_id in list(waiting.values_list("pk", flat=True)[:BATCH]):
        with session_locks.alone(str(mail_id), of=MAILS_LOCKED) as is_alone:
            if is_alone:
                tried += 1
                if not _send(mail_id, clock):
                    break
    return tried


def _send(mail_id: UUID, clock: Callable[[], datetime]) -> bool:
    """Send one message; False where the mail server is away, and the others need not be tried."""
    mail = Mail.objects.select_related("connection").get(pk=mail_id)
    if mail.status == MailStatus.SENDING:
        _ends(mail, "doubt", KILLED, clock())
        return True
    mail.begun_at, mail.attempts = clock(), mail.attempts + 1
    # One that was cancelled meanwhile is not begun.
    this = Mail.objects.filter(pk=mail_id, status=MailStatus.QUEUED)
    if not MAILS.enter_all(MailStatus.SENDING, this, begun_at=mail.begun_at, attempts=mail.attempts):
        return True
    MAILS.make("begin", mail)
    server = mailers.default
    try:
        server.open()
    except (OSError, smtplib.SMTPException) as error:
        _again(mail, f"The mail server does not work for us ({type(error).__name__}: {error}).", clock())
        return False
    try:
        _hand_over(mail, server, clock)
    finally:
        with suppress(OSError, smtplib.SMTPException):
            server.close()
    return True


def _hand_over(mail: Mail, server: BaseEmailBackend, clock: Callable[[], datetime]) -> None:
    try:
        refused = _refused_of(server, message_of(mail))
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        _refused(mail, max(codes, default=500), error, clock())
    except smtplib.SMTPResponseException as error:
        _refused(mail, error.smtp_code, error, clock())
    except (OSError, smtplib.SMTPException) as error:
        logger.warning("Whether %s was sent is not known (%s: %s)", mail.pk, type(error).__name__, error)
        _ends(mail, "doubt", LOST, clock())
    except (ValueError, TypeError, LookupError) as error:
        # It cannot be written as a message at all.
        _ends(mail, "fail", f"{type(error).__name__}: {error}", clock())
    else:
        _taken(mail, refused, clock())


def _refused_of(server: BaseEmailBackend, message: EmailMultiAlternatives) -> Mapping[str, str]:
    """Hand a message over; which of its recipients the mail server refused, each with what it said. Django's backend drops that."""
    if not isinstance(server, EmailBackend) or server.connection is None:
        server.send_messages([message])
        return {}
    asked = {server.prep_address(one): parseaddr(one)[1] for one in message.recipients()}
    text = message.message(policy=policy.SMTP).as_bytes()
    said = server.connection.sendmail(server.prep_address(message.from_email), list(asked), text)
    return {asked[address]: f"{code} {words.decode(errors='replace')}" for address, (code, words) in said.items()}


def _taken(mail: Mail, refused: Mapping[str, str], now: datetime) -> None:
    """The mail server took it for all recipients, or for some: then a person decides about the others."""
    mail.reached = [address for _, address in mail.recipients if address not in refused] if refused or mail.reached else []
    if refused:
        _ends(mail, "doubt", "; ".join(f"{address}: {said}" for address, said in refused.items()), now)
    else:
        _ends(mail, "end", "", now)


def message_of(mail: Mail) -> EmailMultiAlternatives:
    """Return what is handed to the mail server: text and HTML, the same Message-ID each time, for who does not have it yet."""
    _, sender = parseaddr(settings.DEFAULT_FROM_EMAIL)
    host = sender.rpartition("@")[2] or "localhost"
    message = EmailMultiAlternatives(
        " ".join(mail.subject.split()),
        mail.text,
        to=[formataddr((name, address)) for name, address in mail.recipients if address not in mail.reached],
        reply_to=[mail.reply_to] if mail.reply_to else None,
        headers={"Message-ID": f"<{mail.pk.hex}@{host}>", "Content-Language": mail.language},
    )
    message.attach_alternative(f'<html lang="{mail.language}"><body>{mail.html}</body></html>', "text/html")
    return message


def _refused(mail: Mail, code: int, error: Exception, now: datetime) -> None:
    """The mail server said no: for now, which is tried again, or for good."""
    said = f"{type(error).__name__}: {error}"
    if 400 <= code < 500:
        _again(mail, said, now)
    else:
        _ends(mail, "fail", said, now)


def _again(mail: Mail, problem: str, now: datetime) -> None:
    if now >= mail.created_at + GIVE_UP_AFTER:
        _ends(mail, "fail", problem, now)
        return
    # Jitter, so that what failed together does not come back together.
    wait = min(2.0**mail.attempts, LONGEST_WAIT_SECONDS) * random.uniform(0.5, 1.0)
    mail.not_before, mail.problem = now + timedelta(seconds=wait), problem[:2000]
    MAILS.make("wait", mail)
    mail.save(update_fields=WRITTEN)
    logger.warning("Mail %s waits until %s: %s", mail.pk, mail.not_before, problem)


@transaction.atomic
def _ends(mail: Mail, move: str, problem: str, now: datetime) -> None:
    mail.problem = problem[:2000]
    ends(mail, move, MACHINE, now)


def ends(mail: Mail, move: str, by: Actor, now: datetime) -> None:
    """Make a move of a message that ends it, in the caller's transaction; once it is sent, Odoo is told to note it."""
    MAILS.make(move, mail)
    mail.ended_at, mail.ended_by = now, by.name[:200]
    mail.save(update_fields=WRITTEN)
    if mail.status == MailStatus.SENT:
        enqueue.many(_notes(mail), by=by, now=now)
    tell(mail, f"mail.{mail.status}", by, now)


def tell(mail: Mail, action: str, by: Actor, now: datetime) -> None:
    """Put a move of a message on the trail, and have open pages say it."""
    data = {"to": mail.partner_name, "subject": mail.subject, "decision": mail.decision, "problem": mail.problem}
    about = (mail.connection_id, mail.company_id)
    trail.record(trail.Event(action=action, actor=by, subject=f"mail:{mail.pk}", data=data, about=about), now=now)
    live.announce(["messages"])


def _notes(mail: Mail) -> list[Order]:
    """The whole message on the first record, for who works there alone, and on the others that it was sent."""
    first, *others = mail.records
    told = {"subject": "{subject}", "body": "{body}", "body_is_html": True, "subtype_xmlid": "mail.mt_note"}
    whole = OdooCall(title=NOTE, method="message_post", arguments=told)
    short = OdooCall(title=NOTE, method="message_post", model=mail.model, record="other_id", arguments={"body": "{said}"})
    context = {"partner": mail.partner_name, "subject": mail.subject, "body": str(_body(mail)), "said": mail.said}
    return [
        Order(
            calls=[call],
            connection=mail.connection,
            model=mail.model,
            odoo_id=first,
            context={**context, "other_id": other_id},
            decision=mail.decision,
        )
        for call, other_id in [(whole, 0), *((short, one) for one in others)]
    ]


def _body(mail: Mail) -> SafeString:
    sent_to = ", ".join(mail.reached or [address for _, address in mail.recipients])
    # The HTML is the tower's own (letters.py): what people wrote was escaped there.
    return format_html("<p>Sent by Control Tower to {}:</p>{}", sent_to, mark_safe(mail.html))

"""What changes notifications: reading them, and sending them by e-mail."""

import logging
import smtplib
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, mailers
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import F, Q

from apps.accounts import access
from apps.accounts.models import User
from apps.core import live
from apps.notifications import login_links, queries
from apps.notifications.models import Notification
from apps.notifications.sending import BATCH, GIVE_UP_AFTER

logger = logging.getLogger(__name__)

LONGEST_SUBJECT = 200
# What is wrong with one message, and would be on every mail server; any other failure is the server's.
OF_THE_MESSAGE = (
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPSenderRefused,
    smtplib.SMTPDataError,
    ValueError,
    TypeError,
    LookupError,
)


def mark_read(user: User, ids: Sequence[int] | None, *, now: datetime) -> int:
    """Mark the person's notifications as read, those of ``ids`` or all; how many were unread."""
    unread = queries.unread_of(user, access.scope_of(user))
    if ids is not None:
        unread = unread.filter(id__in=ids)
    changed = unread.update(read_at=now)
    if changed:
        live.announce([f"notifications:{user.id}"])
    return changed


class MailServerAwayError(Exception):
    """The mail server cannot be reached or refuses to work for us; the message says how."""


def release(*, now: datetime) -> int:
    """Let go of what was held until now; how many messages."""
    with transaction.atomic():
        held = Notification.objects.select_for_update(skip_locked=True).filter(held_until__lte=now).order_by("id")
        rows = list(held.values_list("id", "user_id"))
        Notification.objects.filter(id__in=[row for row, _ in rows]).update(held_until=None)
        live.announce([f"notifications:{user}" for _, user in rows if user])
    return len(rows)


def send_due(*, now: datetime) -> int:
    """Send the e-mails that wait, at most BATCH; how many were tried.

    Each is claimed, sent and noted in a transaction of its own, so that a crash can repeat one at most. While the mail
    server is away nothing is counted against the messages: they wait.
    """
    tried, server = 0, mailers.default
    try:
        while tried < BATCH and _send_one(server, now=now):
            tried += 1
    except MailServerAwayError as away:
        logger.warning("%s E-mails wait.", away)
    finally:
        with suppress(OSError):
            server.close()
    return tried


def subject_of(title: str) -> str:
    """Return ``title`` as an e-mail's subject can carry it: one line, no longer than mail programs show."""
    line = " ".join(title.split())
    return line if len(line) <= LONGEST_SUBJECT else line[: LONGEST_SUBJECT - 1] + "…"


@transaction.atomic
def _send_one(server: BaseEmailBackend, *, now: datetime) -> bool:
    """Send the first message that nobody else is sending; False where there is none. Raises MailServerAwayError."""
    row = (
        Notification.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("user")
        .filter(Q(email_not_before=None) | Q(email_not_before__lte=now), email_due=True, held_until=None)
        .filter(Q(email_attempts=0) | Q(created_at__lt=now - F("email_attempts") * timedelta(minutes=1)))
        .order_by("email_attempts", "id")
        .first()
    )
    if row is None:
        return False
    if row.user and row.connection_id and not access.scope_of(row.user).sees(row.connection_id, row.company_id):
        # What the person might see when it was written, they may see no longer.
        row.email_due = False
        row.save(update_fields=["email_due"])
        return True
    address = row.user.email if row.user else row.email
    link = f"\n\n{settings.PUBLIC_URL}{login_links.address(row)}" if row.path else ""
    try:
        server.open()
        mail = EmailMultiAlternatives(subject_of(row.title), f"{row.body}{link}", to=[address])
        if row.html:
            mail.attach_alternative(row.html, "text/html")
        server.send_messages([mail])
    except OF_THE_MESSAGE as error:
        row.email_attempts += 1
        row.email_problem = f"{type(error).__name__}: {error}"[:500]
        row.email_due = row.email_attempts < GIVE_UP_AFTER
        logger.warning("E-mail to %s could not be sent (%s)", address, row.email_problem)
    except OSError as error:
        raise MailServerAwayError(f"The mail server does not work for us ({type(error).__name__}: {error}).") from error
    else:
        row.emailed_at, row.email_due, row.email_problem = now, False, ""
    row.save(update_fields=["email_attempts", "email_problem", "email_due", "emailed_at"])
    return True

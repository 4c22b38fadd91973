"""What changes notifications: reading them, and sending them by e-mail."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import F, Q

from apps.accounts.models import User
from apps.core import live
from apps.notifications import queries
from apps.notifications.models import Notification

logger = logging.getLogger(__name__)

BATCH = 50
GIVE_UP_AFTER = 8


def mark_read(user: User, ids: Sequence[int] | None, *, now: datetime) -> int:
    """Mark the person's notifications as read, those of ``ids`` or all; how many were unread."""
    unread = queries.unread_of(user)
    if ids is not None:
        unread = unread.filter(id__in=ids)
    changed = unread.update(read_at=now)
    if changed:
        live.announce([f"notifications:{user.id}"])
    return changed


def send_due(*, now: datetime) -> int:
    """Send one set of waiting e-mails; how many were tried.

    1. Claim what waits, skipping what another worker holds, and what failed lately.
    2. Send each over one connection to the mail server.
    3. Note the success, or the problem; after eight failures the message stays in the tower alone.
    """
    with transaction.atomic():
        waiting = list(
            Notification.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("user")
            .filter(email_due=True)
            .filter(Q(email_attempts=0) | Q(created_at__lt=now - F("email_attempts") * timedelta(minutes=1)))
            .order_by("id")[:BATCH]
        )
        if not waiting:
            return 0
        server = get_connection(fail_silently=False)
        for row in waiting:
            address = row.user.email if row.user else row.email
            link = f"\n\n{settings.PUBLIC_URL}{row.path}" if row.path else ""
            try:
                EmailMessage(row.title, f"{row.body}{link}", to=[address], connection=server).send()
            except Exception as error:
                row.email_attempts += 1
                row.email_problem = f"{type(error).__name__}: {error}"[:500]
                row.email_due = row.email_attempts < GIVE_UP_AFTER
                logger.warning("E-mail to %s could not be sent (%s)", address, row.email_problem)
            else:
                row.emailed_at, row.email_due, row.email_problem = now, False, ""
            row.save(update_fields=["email_attempts", "email_problem", "email_due", "emailed_at"])
    return len(waiting)

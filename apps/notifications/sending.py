"""What the ways to a person share: a message at a time, tried again for a day, and only for whom it still is."""

from collections.abc import Callable
from datetime import datetime, timedelta

import httpx2
from django.db.models import QuerySet

from apps.accounts import access
from apps.accounts.models import User
from apps.core import egress
from apps.core.egress import RECEIVER
from apps.notifications.models import Notification, Push, Relay

BATCH = 50
GIVE_UP_AFTER = 8
TIMEOUT_SECONDS = 10.0
# What a day has not delivered is no news any more.
KEPT_FOR = timedelta(days=1)
LONGEST_WAIT_MINUTES = 60


def send_each(send_one: Callable[[httpx2.Client], bool]) -> int:
    """Send what waits, at most BATCH, and return how many were tried.

    Args:
        send_one: sends the next in a transaction of its own; False where there is none.
    """
    tried = 0
    with egress.client(RECEIVER, timeout_seconds=TIMEOUT_SECONDS) as http:
        while tried < BATCH and send_one(http):
            tried += 1
    return tried


def next_of[T: Push | Relay](waiting: QuerySet[T], *, now: datetime) -> T | None:
    """Return the first that is due and that nobody else is sending, locked."""
    rows = waiting.select_for_update(skip_locked=True, of=("self",))
    return rows.filter(not_before__lte=now, notification__held_until=None).order_by("not_before", "id").first()


def is_over(told: Notification, user: User | None, *, now: datetime) -> bool:
    """Return whether nobody is to be told any more: it was read, is old, or is out of what the person may see."""
    if user is None or told.read_at or not user.is_active or now - told.created_at > KEPT_FOR:
        return True
    return told.connection_id is not None and not access.scope_of(user).sees(told.connection_id, told.company_id)


def try_again(row: Push | Relay, *, now: datetime) -> None:
    """Note an attempt that failed: the next comes later each time, and after GIVE_UP_AFTER there is none."""
    row.attempts += 1
    row.not_before = now + timedelta(minutes=min(2**row.attempts, LONGEST_WAIT_MINUTES))
    if row.attempts >= GIVE_UP_AFTER:
        row.delete()
    else:
        row.save(update_fields=["attempts", "not_before"])

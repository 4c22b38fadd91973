"""What the frame around every page tells: what waits for this person, and how fresh the data is."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Max

from apps.accounts.models import User
from apps.approvals import queries as approvals
from apps.core import clock
from apps.exceptions import queries as exceptions
from apps.mirror.state import SyncState
from apps.notifications import queries as notifications
from apps.odoo.models import Connection

# Changes are polled for every 15 seconds; after this long without an answer it is worth a word.
LATE_AFTER_SECONDS = 240


def waiting_for(user: User) -> dict[str, int]:
    """How many decisions, exceptions and unread messages wait for this person."""
    return {
        "inbox": approvals.inbox_of(user).aggregate(n=Count("id"))["n"],
        "mine": exceptions.mine(user).aggregate(n=Count("id"))["n"],
        "unread": notifications.unread_of(user).aggregate(n=Count("id"))["n"],
    }


def last_heard() -> datetime | None:
    """When the Odoo that has been silent longest was last read; None where none has been read yet."""
    read = SyncState.objects.filter(connection__is_active=True, increment_at__isnull=False)
    return min((row["at"] for row in read.values("connection").annotate(at=Max("increment_at"))), default=None)


def freshness() -> dict[str, Any]:
    """How fresh the mirror is: ``live``, ``stale``, ``down`` or ``none``, with the words for it."""
    connections = list(Connection.objects.filter(is_active=True).order_by("name"))
    failing = [connection for connection in connections if connection.state == "failing"]
    seen = last_heard()
    if not connections:
        state, words = "none", "no Odoo yet"
    elif failing:
        state, words = "down", f"{failing[0].name} is out of reach"
    elif seen is not None and (clock.now() - seen).total_seconds() > LATE_AFTER_SECONDS:
        state, words = "stale", "Odoo not heard of lately"
    else:
        state, words = "live", "live"
    return {"state": state, "words": words, "seen_at": seen, "late_after_seconds": LATE_AFTER_SECONDS}

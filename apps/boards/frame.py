"""What the frame around every page tells: what waits for this person, and how fresh the data is."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Max

from apps.accounts.models import User
from apps.accounts.sight import Sight
from apps.approvals import queries as approvals
from apps.core import clock
from apps.exceptions import queries as exceptions
from apps.mirror.state import SyncState
from apps.notifications import queries as notifications
from apps.odoo.models import Connection

# Changes are polled for every 15 seconds; after this long without an answer it is worth a word.
LATE_AFTER_SECONDS = 240


def waiting_for(user: User, seen: Sight) -> dict[str, int]:
    """How many decisions, exceptions and unread messages wait for this person."""
    return {
        "inbox": approvals.inbox_of(user, seen).aggregate(n=Count("id"))["n"],
        "mine": exceptions.mine(user, seen).aggregate(n=Count("id"))["n"],
        "unread": notifications.unread_of(user, seen).aggregate(n=Count("id"))["n"],
    }


def last_heard(seen: Sight) -> datetime | None:
    """When the Odoo that has been silent longest was last read; None where none has been read yet."""
    read = SyncState.objects.filter(seen.of_connections("connection_id"), connection__is_active=True, increment_at__isnull=False)
    return min((row["at"] for row in read.values("connection").annotate(at=Max("increment_at"))), default=None)


def freshness(seen: Sight) -> dict[str, Any]:
    """How fresh the mirror of what is in sight is: ``live``, ``stale``, ``down`` or ``none``, with the words for it."""
    connections = list(Connection.objects.filter(seen.of_connections(), is_active=True).order_by("name"))
    failing = [connection for connection in connections if connection.state == "failing"]
    heard = last_heard(seen)
    if not connections:
        state, words = "none", "no Odoo yet"
    elif failing:
        state, words = "down", f"{failing[0].name} is out of reach"
    elif heard is not None and (clock.now() - heard).total_seconds() > LATE_AFTER_SECONDS:
        state, words = "stale", "Odoo not heard of lately"
    else:
        state, words = "live", "live"
    return {"state": state, "words": words, "seen_at": heard, "late_after_seconds": LATE_AFTER_SECONDS}

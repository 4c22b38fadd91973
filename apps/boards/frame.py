"""What the frame around every page tells: what waits for this person, and how fresh the data is."""

from datetime import datetime
from typing import Any

from django.db.models import Count

from apps.accounts.models import User
from apps.approvals import queries as approvals
from apps.core import clock
from apps.exceptions import queries as exceptions
from apps.notifications import queries as notifications
from apps.odoo.models import Connection

# A probe of each connection runs every minute; three missed ones are worth a word.
LATE_AFTER_SECONDS = 240


def waiting_for(user: User) -> dict[str, int]:
    """How many decisions, exceptions and unread messages wait for this person."""
    return {
        "inbox": approvals.inbox_of(user).aggregate(n=Count("id"))["n"],
        "mine": exceptions.mine(user).aggregate(n=Count("id"))["n"],
        "unread": notifications.unread_of(user).aggregate(n=Count("id"))["n"],
    }


def last_heard() -> datetime | None:
    """When an Odoo was last heard of; None where there is none."""
    return None


def freshness() -> dict[str, Any]:
    """How fresh the mirror is: ``live``, ``stale``, ``down`` or ``none``, with the words for it."""
    connections = Connection.objects.filter(is_active=True).order_by("name")
    failing = [connection for connection in connections if connection.state == "failing"]
    seen = last_heard()
    if not connections:
        return {"state": "none", "words": "no Odoo yet", "seen_at": None, "late_after_seconds": LATE_AFTER_SECONDS}
    if failing:
        words = f"{failing[0].name} is out of reach"
        return {"state": "down", "words": words, "seen_at": seen, "late_after_seconds": LATE_AFTER_SECONDS}
    if seen is not None and (clock.now() - seen).total_seconds() > LATE_AFTER_SECONDS:
        return {"state": "stale", "words": "Odoo not heard of lately", "seen_at": seen, "late_after_seconds": LATE_AFTER_SECONDS}
    return {"state": "live", "words": "live", "seen_at": seen, "late_after_seconds": LATE_AFTER_SECONDS}

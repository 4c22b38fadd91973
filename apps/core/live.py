"""Telling open pages that something they show has changed.

What is sent is small: "these topics changed". Each web process listens once and renders at most once a tick for all who
watch, so the cost of a change does not grow with the number of people who look at it.

Whoever publishes numbers what it sends, so that a web process sees by a gap that something was lost on the way, and has every
page look again.

Topics: ``board:<workflow>``, ``queue``, ``inbox``, ``proposals``, ``messages``, ``record:<connection>:<model>:<odoo_id>``,
``notifications:<user>``, ``health``.
"""

import logging
import os
import threading
import uuid
from collections.abc import Iterable
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

logger = logging.getLogger(__name__)

GROUP = "live"
PENDING = "_tower_live_topics"


class _Publisher(threading.local):
    """Who sends: a thread of a process, for only its own messages are in order."""

    def __init__(self) -> None:
        self.process, self.name, self.sent = os.getpid(), uuid.uuid4().hex, 0

    def numbered(self) -> dict[str, Any]:
        """The sender's name, and the number of its next message."""
        if self.process != os.getpid():
            # A process that was forked from it is another.
            self.__init__()  # type: ignore[misc]
        self.sent += 1
        return {"publisher": self.name, "number": self.sent}


_publisher = _Publisher()


def announce(topics: Iterable[str]) -> None:
    """Announce, once the present transaction has committed, that what is shown under ``topics`` has changed.

    All announcements of one transaction leave as one message.
    """
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        publish(set(topics))
        return
    pending = getattr(connection, PENDING, None)
    if pending is None or not any(entry[1] is pending.get("flush") for entry in connection.run_on_commit):
        pending = {"topics": set()}

        def flush(pending: dict[str, Any] = pending) -> None:
            publish(pending["topics"])

        pending["flush"] = flush
        setattr(connection, PENDING, pending)
        transaction.on_commit(flush, robust=True)
    pending["topics"].update(topics)


def publish(topics: set[str]) -> None:
    """Send the announcement now. A broker that is down is logged: the number that is missing makes up for it."""
    if not topics:
        return
    message = {"type": "live.changed", "topics": sorted(topics), **_publisher.numbered()}
    try:
        async_to_sync(get_channel_layer().group_send)(GROUP, message)
    except Exception:
        logger.warning("Could not announce changes of %s", ", ".join(sorted(topics)), exc_info=True)

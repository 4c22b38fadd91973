"""Telling open pages that something they show has changed.

What is sent is small: "these topics changed". Each web process listens once and renders at most once a tick for all who
watch, so the cost of a change does not grow with the number of people who look at it.

Topics: ``board:<workflow>``, ``queue``, ``inbox``, ``proposals``, ``record:<connection>:<model>:<odoo_id>``,
``notifications:<user>``, ``health``.
"""

import logging
from collections.abc import Iterable
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

logger = logging.getLogger(__name__)

GROUP = "live"
PENDING = "_tower_live_topics"


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
    """Send the announcement now. A broker that is down is logged: pages catch up when they reconnect."""
    if not topics:
        return
    try:
        async_to_sync(get_channel_layer().group_send)(GROUP, {"type": "live.changed", "topics": sorted(topics)})
    except Exception:
        logger.warning("Could not announce changes of %s", ", ".join(sorted(topics)), exc_info=True)

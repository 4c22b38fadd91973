"""The only place that asks what time it is. Below the doors (views, tasks, commands) ``now`` is passed in."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)

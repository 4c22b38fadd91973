"""The only place that asks what time it is. Below the doors (views, tasks, commands) ``now`` is passed in."""

from collections.abc import Callable
from datetime import UTC, datetime

# What says which moment it is: now(), or what a test says.
Clock = Callable[[], datetime]


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)

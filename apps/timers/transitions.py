"""The moves of timers."""

from apps.core.transitions import Transition, Transitions
from apps.timers.choices import Status

TIMERS = Transitions(
    "timer",
    Status,
    [
        Transition("fire", (Status.PENDING,), Status.FIRED, "the poll of due timers, with what its handler does"),
        Transition("cancel", (Status.PENDING,), Status.CANCELLED, "whoever set it, when it is no longer wanted"),
        Transition("revive", (Status.CANCELLED,), Status.PENDING, "an undo of what had cancelled it"),
    ],
)

"""The moves of outside events."""

from apps.core.transitions import Transition, Transitions
from apps.events.choices import Status

EVENTS = Transitions(
    "event",
    Status,
    [
        Transition(
            "match",
            (Status.UNMATCHED,),
            Status.MATCHED,
            "the pipeline, by its reference; or whoever may match events, with all that wait with the same reference",
        ),
        Transition("dismiss", (Status.UNMATCHED,), Status.DISMISSED, "whoever may match events"),
    ],
)

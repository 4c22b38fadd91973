"""The moves of messages to other systems."""

from apps.core.transitions import Transition, Transitions
from apps.notifications.choices import OutgoingStatus

MESSAGES = Transitions(
    "message",
    OutgoingStatus,
    [
        Transition("send", (OutgoingStatus.PENDING,), OutgoingStatus.SENT, "a worker, when the endpoint has accepted it"),
        Transition(
            "give_up",
            (OutgoingStatus.PENDING,),
            OutgoingStatus.DEAD,
            "a worker, after the last attempt, or where the endpoint is switched off or gone for good",
        ),
    ],
)

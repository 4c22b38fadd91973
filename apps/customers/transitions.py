"""The moves of new dates."""

from apps.core.transitions import Transition, Transitions
from apps.customers.choices import Status

NEW_DATES = Transitions(
    "new date",
    Status,
    [
        Transition("send", (Status.OPEN,), Status.SENT, "who works exceptions; the tower, by the customer's rule"),
        Transition("dismiss", (Status.OPEN,), Status.DISMISSED, "who works exceptions"),
        Transition(
            "withdraw",
            (Status.OPEN,),
            Status.WITHDRAWN,
            "the tower, when the order is delivered, cancelled or gone, or comes as the customer knows",
        ),
    ],
)

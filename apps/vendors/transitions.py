"""The moves of proposals."""

from apps.core.transitions import Transition, Transitions
from apps.vendors.choices import Status

PROPOSALS = Transitions(
    "proposal",
    Status,
    [
        Transition(
            "accept", (Status.OPEN,), Status.ACCEPTED, "who works exceptions; the tower, where the vendor confirms as ordered"
        ),
        Transition("apply", (Status.OPEN, Status.ACCEPTED), Status.APPLIED, "the tower, when Odoo shows what was proposed"),
        Transition("fail", (Status.ACCEPTED,), Status.OPEN, "the tower, when Odoo refuses it: it is to be decided again"),
        Transition("push_back", (Status.OPEN,), Status.PUSHED_BACK, "who works exceptions; the vendor gets a new link"),
        Transition("buy_elsewhere", (Status.OPEN,), Status.REPLACED, "who works exceptions; another vendor is asked"),
        Transition(
            "supersede",
            (Status.OPEN, Status.ACCEPTED),
            Status.SUPERSEDED,
            "the vendor, by answering anew; of what was accepted, where Odoo refuses it meanwhile",
        ),
        Transition("lapse", (Status.OPEN,), Status.LAPSED, "the tower, when the order is received, cancelled or gone"),
    ],
)

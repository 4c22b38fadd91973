"""The moves of commands."""

from apps.core.transitions import Transition, Transitions
from apps.outbox.models import Status

WAITING = (Status.QUEUED, Status.UNKNOWN)

COMMANDS = Transitions(
    "command",
    Status,
    [
        Transition(
            "lose", WAITING, Status.UNKNOWN, "the dispatcher, when the answer to a call is lost or the effect does not show"
        ),
        Transition("requeue", WAITING, Status.QUEUED, "the dispatcher, when Odoo is known not to have carried the call out"),
        Transition("finish", WAITING, Status.DONE, "the dispatcher, when Odoo's record shows the effect"),
        Transition(
            "refuse", WAITING, Status.REFUSED, "the dispatcher, when Odoo says no or the record has changed since the decision"
        ),
        Transition("give_up", WAITING, Status.DEAD, "the dispatcher, after the last attempt"),
        Transition(
            "cancel",
            WAITING,
            Status.CANCELLED,
            "an undo before it is sent, an earlier command of the decision that stopped, or what it was to change is gone",
        ),
        Transition("retry", (Status.REFUSED, Status.DEAD), Status.QUEUED, "an integrator"),
        Transition("retry_after", (Status.CANCELLED,), Status.QUEUED, "an integrator, by retrying the command before it"),
    ],
)

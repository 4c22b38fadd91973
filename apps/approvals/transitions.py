"""The moves of approval requests."""

from apps.approvals.models import Status
from apps.core.transitions import Transition, Transitions

REQUESTS = Transitions(
    "request",
    Status,
    [
        Transition(
            "approve",
            (Status.PENDING,),
            Status.APPROVED,
            "the last step's people, within limits and with no hand in the record; or a re-evaluation that leaves no open step",
        ),
        Transition(
            "reject",
            (Status.PENDING,),
            Status.REJECTED,
            "somebody who is asked, with a reason; or a step's fallback when nobody has answered in time",
        ),
        Transition("cancel", (Status.PENDING,), Status.CANCELLED, "the pipeline, when the record no longer needs it or is gone"),
        Transition("expire", (Status.PENDING,), Status.EXPIRED, "a timer, where the policy lets unanswered requests expire"),
        Transition(
            "undo",
            (Status.APPROVED, Status.REJECTED),
            Status.PENDING,
            "who decided, for as long as UNDO_SECONDS says and while nothing has been sent to Odoo",
        ),
    ],
)

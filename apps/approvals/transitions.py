"""The moves of approval requests and of their steps."""

from apps.approvals.models import Status, StepStatus
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
        Transition(
            "cancel",
            (Status.PENDING,),
            Status.CANCELLED,
            "the pipeline, when the record no longer needs it or is gone; or who asked for it in the tower",
        ),
        Transition("expire", (Status.PENDING,), Status.EXPIRED, "a timer, where the policy lets unanswered requests expire"),
        Transition(
            "undo",
            (Status.APPROVED, Status.REJECTED),
            Status.PENDING,
            "who decided, for as long as UNDO_SECONDS says and while nothing has been sent to Odoo",
        ),
    ],
)

WAITING, PENDING, SKIPPED = StepStatus.WAITING, StepStatus.PENDING, StepStatus.SKIPPED
STEPS = Transitions(
    "step",
    StepStatus,
    [
        Transition("begin", (WAITING,), PENDING, "the request, when the steps before it are answered"),
        Transition("approve", (PENDING,), StepStatus.APPROVED, "the last of its people who has to agree; or a re-evaluation"),
        Transition("reject", (PENDING,), StepStatus.REJECTED, "one of its people"),
        Transition("skip", (WAITING, PENDING), SKIPPED, "the request, when it ends before the step is answered"),
        Transition("put_aside", (WAITING, PENDING), SKIPPED, "a re-evaluation, when amount and facts no longer demand it"),
        Transition("demand", (SKIPPED,), WAITING, "a re-evaluation, when amount and facts demand it again"),
        Transition(
            "send_back",
            (PENDING, StepStatus.APPROVED),
            WAITING,
            "a re-evaluation, when an answer no longer counts or an earlier step has to be answered first",
        ),
        Transition("undo", (StepStatus.APPROVED, StepStatus.REJECTED, SKIPPED), PENDING, "who decided it, with the request"),
        Transition("undo", (PENDING, SKIPPED), WAITING, "who decided the step before it"),
    ],
)

"""The moves of deliveries.

Most are made by SQL on thousands of rows at once; the statements name their sources by this table.
"""

from apps.core.transitions import Transition, Transitions
from apps.intake.choices import Status

PENDING, CLAIMED, DONE, DEAD = Status.PENDING, Status.CLAIMED, Status.DONE, Status.DEAD

DELIVERIES = Transitions(
    "delivery",
    Status,
    [
        Transition("take", (PENDING, CLAIMED), CLAIMED, "a worker, under a lease; again where the one that had taken it is lost"),
        Transition("lose", (CLAIMED,), DEAD, "a worker, where those that had taken it were lost too often"),
        Transition("reschedule", (CLAIMED,), PENDING, "the worker, while Odoo does not answer"),
        Transition("fail", (CLAIMED,), PENDING, "the worker, to try again later"),
        Transition("give_up", (CLAIMED,), DEAD, "the worker, after the last attempt, or where none can succeed"),
        # Pending: another worker put it back while this one was still at it.
        Transition("complete", (PENDING, CLAIMED), DONE, "the worker, in the transaction of its effect"),
        Transition("report", (PENDING, CLAIMED, DONE), DEAD, "the pipeline, of a record that cannot be stored or evaluated"),
        Transition("resolve", (DEAD,), DONE, "the pipeline, once that record goes through"),
        Transition("replay", (DEAD, DONE), PENDING, "an integrator"),
    ],
)

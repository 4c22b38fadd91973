"""The moves of exceptions: of cases, which are about records, and of incidents, which are about the link itself."""

from apps.core.transitions import Transition, Transitions
from apps.exceptions import integration
from apps.exceptions.models import ExceptionCase, JobState, Outcome, Status

OPEN, ACKNOWLEDGED, SNOOZED, RESOLVED = Status.OPEN, Status.ACKNOWLEDGED, Status.SNOOZED, Status.RESOLVED
UNRESOLVED = (OPEN, ACKNOWLEDGED, SNOOZED)
# Where nothing but the owner changes.
STAYS = ""


def _by_people(who: str) -> list[Transition]:
    return [
        Transition("assign", UNRESOLVED, STAYS, f"{who}, to somebody who may see and work it"),
        Transition("acknowledge", (OPEN, SNOOZED), ACKNOWLEDGED, f"{who}; it becomes theirs where nobody owns it"),
        Transition("snooze", UNRESOLVED, SNOOZED, f"{who}, until a moment in the future"),
        Transition("resolve", UNRESOLVED, RESOLVED, f"{who}, with a resolution"),
        Transition("comment", tuple(Status), STAYS, who),
    ]


def _by_itself(over: str) -> list[Transition]:
    return [
        Transition("wake", (SNOOZED,), OPEN, "a timer, at the moment it was snoozed until"),
        Transition("close", UNRESOLVED, RESOLVED, over),
        # Back to what it was like: also where only the owner had changed.
        *(
            Transition("undo", tuple(Status), target, "who moved it, within a day and while nothing else has changed")
            for target in UNRESOLVED
        ),
    ]


CASES = Transitions(
    "case",
    Status,
    [
        *_by_people("whoever works exceptions and sees its company"),
        Transition("apply", UNRESOLVED, ACKNOWLEDGED, "whoever works exceptions, by an action that it offers"),
        Transition("undo_action", tuple(Status), STAYS, "who applied it, until it is sent, or within a day as Odoo allows"),
        *_by_itself("the pipeline, when the record no longer meets the condition"),
    ],
)
INCIDENTS = Transitions(
    "incident",
    Status,
    [
        *_by_people("whoever works exceptions, or an integrator"),
        Transition("apply", UNRESOLVED, ACKNOWLEDGED, "whoever works exceptions, or an integrator, by an action that it offers"),
        Transition("undo_action", tuple(Status), STAYS, "who applied it, where anything of it waits to be sent"),
        *_by_itself("the check of the link, when it finds the cause gone"),
    ],
)
BULK_JOBS = Transitions(
    "bulk job",
    JobState,
    [
        Transition("finish", (JobState.WAITING,), JobState.DONE, "a worker, when each of its exceptions has a result"),
        Transition("undo", (JobState.DONE,), JobState.UNDOING, "who began it, within a day"),
        Transition("finish_undo", (JobState.UNDOING,), JobState.UNDONE, "a worker, when nothing is left to undo"),
    ],
    field="state",
)
BULK_JOB_ITEMS = Transitions(
    "item of a bulk job",
    Outcome,
    [
        Transition("do", (Outcome.WAITING,), Outcome.DONE, "a worker, who makes the move"),
        Transition("refuse", (Outcome.WAITING,), Outcome.REFUSED, "a worker, where the exception does not allow the move"),
        Transition("undo", (Outcome.DONE,), Outcome.UNDONE, "a worker, where nothing has changed since"),
        Transition("keep", (Outcome.DONE,), Outcome.KEPT, "a worker, where something has"),
    ],
    field="outcome",
)


def transitions_of(case: ExceptionCase) -> Transitions:
    """Return the table that an exception follows."""
    return INCIDENTS if case.type in integration.TYPES else CASES

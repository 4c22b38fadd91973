"""How far a case has come in its playbook: what its data shows, and what people did, skipped or answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection as database
from django.utils.translation import gettext

from apps.accounts import access, permissions
from apps.accounts.models import User
from apps.audit import trail
from apps.core import statements
from apps.core.transactions import atomic_with_retry
from apps.exceptions import integration
from apps.exceptions.cases import moves
from apps.exceptions.models import ExceptionCase, Status, StepDone
from apps.exceptions.playbooks import versions
from apps.exceptions.playbooks.versions import PlaybookRefusedError, Version
from apps.workflows import registry
from apps.workflows.playbooks import Step, StepKind


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One step of a case: who did it or skipped it, when, and what they said; by nobody, where the data shows it."""

    step: Step
    title: str
    at: datetime | None = None
    by: str = ""
    is_skipped: bool = False
    note: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it is still to be done."""
        return self.at is None

    @property
    def is_shown(self) -> bool:
        """Whether the data shows that it was done, and nobody ticked it off."""
        return self.at is not None and not self.by

    @property
    def outcome(self) -> str:
        """``open``, ``done`` or ``skipped``."""
        return "open" if self.is_open else "skipped" if self.is_skipped else "done"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A case's playbook, step by step."""

    version: Version
    steps: Sequence[Taken]

    @property
    def ended_count(self) -> int:
        """How many of its steps are done or skipped."""
        return sum(not step.is_open for step in self.steps)


def shown_statement() -> str:
    """Return the statement of when the data of the cases ``%(cases)s`` first showed each of what steps may wait for."""
    declared = [kind for workflow in registry.workflows().values() for kind in workflow.approvals if kind.exception]
    kinds = sorted({(kind.name, kind.exception) for kind in declared})
    answered = ", ".join(f"('{name}', '{answers}')" for name, answers in kinds)
    return statements.load(__file__, "shown", answered=answered)


def shown(case_ids: Sequence[int]) -> dict[tuple[int, str], datetime]:
    """Return when the data of each case first showed what, by case: one query for all."""
    if not case_ids:
        return {}
    with database.cursor() as cursor:
        cursor.execute(shown_statement(), {"cases": list(case_ids)})
        return {(case_id, what): at for case_id, what, at in cursor.fetchall()}


def of_case(case: ExceptionCase) -> Progress:
    """Return how far the case has come, in the version that it began with."""
    version = versions.of_case(case)
    by_hand = {one.step: one for one in case.steps_done.select_related("by")}
    data = shown([case.pk]) if any(step.done_when for step in version.steps) else {}
    steps = []
    for step in version.steps:
        title, done = version.title_of(step), by_hand.get(step.name)
        if done is not None:
            steps.append(Taken(step=step, title=title, at=done.at, by=str(done.by), is_skipped=done.is_skipped, note=done.note))
        else:
            steps.append(Taken(step=step, title=title, at=data.get((case.pk, str(step.done_when.value)))))
    return Progress(version=version, steps=steps)


@atomic_with_retry
def take(case_id: int, step_name: str, *, outcome: str, note: str, by: User, now: datetime) -> ExceptionCase:
    """Tick a step off (``done``), leave it out (``skipped``) or open it again (``open``).

    Raises:
        NotAllowedError: this person may not work exceptions.
        PlaybookRefusedError: the case is resolved or has no such step, a question has no answer, or skipping no reason.
        MoveRefusedError: there is no such case that the person may see.
    """
    case = ExceptionCase.objects.select_for_update().filter(pk=case_id).first()
    if case is None or not access.scope_of(by).sees(*moves.about(case)):
        raise moves.MoveRefusedError(gettext("There is no exception %(case_id)s.") % {"case_id": case_id})
    permissions.check_may_work_exceptions(by, of_integration=case.type in integration.TYPES)
    version, said = versions.of_case(case), note.strip()[:1000].replace("\x00", "")
    step = next((one for one in version.steps if one.name == step_name), None)
    if step is None:
        raise PlaybookRefusedError(gettext("The playbook of this exception has no step %(step)s.") % {"step": step_name[:40]})
    if case.status == Status.RESOLVED:
        raise PlaybookRefusedError(gettext("The exception is resolved; its playbook stays as it was."))
    if outcome == "skipped" and not said:
        raise PlaybookRefusedError(gettext("Say why the step is skipped."))
    if outcome == "done" and step.kind == StepKind.QUESTION and not said:
        raise PlaybookRefusedError(gettext("Enter the answer."))
    if outcome == "open":
        if not StepDone.objects.filter(case=case, step=step.name).delete()[0]:
            return case
    else:
        StepDone.objects.update_or_create(
            case=case, step=step.name, defaults={"is_skipped": outcome == "skipped", "note": said, "by": by, "at": now}
        )
    action = {"done": "step_done", "skipped": "step_skipped", "open": "step_reopened"}[outcome]
    trail.record(
        trail.Event(
            action=f"exception.{action}",
            actor=by.actor,
            subject=f"exception:{case.pk}",
            data={
                "step": step.name,
                "title": step.title,
                "playbook": version.number,
                "note": ". ".join(filter(None, [version.title_of(step), said])),
            },
            about=moves.about(case),
        ),
        now=now,
    )
    moves.announce([case])
    return case

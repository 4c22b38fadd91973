"""The versions of playbooks: the declared one, and those that people write. A case keeps the one that it began with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from apps.accounts import permissions
from apps.accounts.models import User
from apps.audit import trail
from apps.core.refusals import Problem, Refusal
from apps.core.transactions import atomic_with_retry
from apps.exceptions import types
from apps.exceptions.models import ExceptionCase, Playbook
from apps.workflows import registry
from apps.workflows.playbooks import Shows, Step, StepKind

MOST_STEPS = 20
LONGEST_TITLE = 200


class PlaybookRefusedError(Refusal):
    """The playbook, or the step, cannot be as it is given; the message says why."""

    problem = Problem(
        "playbook_refused",
        422,
        "Playbook cannot be changed so",
        meaning="The steps of the playbook, or what is said of one, lack something or contradict each other.",
        remedy="Read the sentence, correct what it names, and send it again.",
    )


@dataclass(frozen=True, kw_only=True)
class Version:
    """The steps of one version; version 0 is the one that the tower, or an extension, declares."""

    type: str
    number: int
    steps: Sequence[Step]
    row: Playbook | None = None

    @property
    def is_declared(self) -> bool:
        """Whether nobody has written it here."""
        return self.row is None

    def title_of(self, step: Step) -> str:
        """What to do, in the active language where the tower declares it; as it was written where a person did."""
        return gettext(step.title) if self.is_declared else step.title


def declared(type_name: str) -> Version:
    """Return the playbook that is declared beside the type; without steps where none is."""
    found = registry.exception_types().get(type_name)
    return Version(type=type_name, number=0, steps=found[1].playbook if found else ())


def of_type(type_name: str) -> list[Version]:
    """Return every version for a type, the newest first; the declared one is the last."""
    rows = Playbook.objects.filter(type=type_name).select_related("made_by").order_by("-version")
    return [*(_version(row) for row in rows), declared(type_name)]


def of_case(case: ExceptionCase) -> Version:
    """Return the version that counted when the case opened."""
    row = Playbook.objects.filter(type=case.type, made_at__lte=case.opened_at).order_by("-version").first()
    return _version(row) if row else declared(case.type)


def _version(row: Playbook) -> Version:
    return Version(type=row.type, number=row.version, steps=[step_of(one) for one in row.steps], row=row)


def step_of(kept: Mapping[str, Any]) -> Step:
    """Return a step as it is kept, or given over REST."""
    return Step(
        name=str(kept.get("name", "")),
        title=str(kept.get("title", "")),
        kind=StepKind(kept.get("kind") or StepKind.CHECK),
        done_when=Shows(kept.get("done_when") or ""),
    )


def kept(step: Step) -> dict[str, str]:
    """Return a step as it is kept and told over REST."""
    return {"name": step.name, "title": step.title, "kind": str(step.kind.value), "done_when": str(step.done_when.value)}


@atomic_with_retry
def write(type_name: str, steps: Sequence[Mapping[str, Any]], *, by: User, now: datetime, note: str = "", based_on: int) -> Version:
    """Write the next version for a type; cases that are open keep theirs.

    Args:
        based_on: the version that was read: somebody who wrote one meanwhile is not overwritten.

    Raises:
        NotAllowedError: this person may not write policies, and so no playbooks.
        PlaybookRefusedError: the steps cannot be, or there is a newer version than ``based_on``.
    """
    permissions.check_may_make_policy(by)
    if type_name not in types.titles():
        raise PlaybookRefusedError(gettext("There is no exception type %(type)s.") % {"type": type_name})
    found = _checked(steps)
    # Two who write at once: the second waits here, and finds what the first has written.
    newest = Playbook.objects.select_for_update().filter(type=type_name).order_by("-version").first()
    if (newest.version if newest else 0) != based_on:
        raise PlaybookRefusedError(gettext("Somebody has changed this playbook meanwhile. Look at the newest version first."))
    row = Playbook.objects.create(
        type=type_name, version=based_on + 1, steps=[kept(step) for step in found], made_at=now, made_by=by, note=note[:300]
    )
    trail.record(
        trail.Event(
            action="playbook.written",
            actor=by.actor,
            subject=f"playbook:{type_name}",
            data={"version": row.version, "steps": row.steps, "note": row.note},
        ),
        now=now,
    )
    return _version(row)


def _checked(given: Sequence[Mapping[str, Any]]) -> list[Step]:
    if not 0 < len(given) <= MOST_STEPS:
        raise PlaybookRefusedError(gettext("A playbook has 1 to %(most)s steps.") % {"most": MOST_STEPS})
    steps: list[Step] = []
    names = {str(one.get("name", "")) for one in given}
    for number, one in enumerate(given, 1):
        title = str(one.get("title", "")).strip()
        if not title or len(title) > LONGEST_TITLE or "\x00" in title:
            raise PlaybookRefusedError(
                gettext("Step %(number)s needs a title of at most %(most)s characters.") % {"number": number, "most": LONGEST_TITLE}
            )
        try:
            step = step_of({**one, "title": title})
        except ValueError as error:
            raise PlaybookRefusedError(
                gettext("Step %(number)s: this kind, or what shows it, is not known.") % {"number": number}
            ) from error
        if step.kind == StepKind.QUESTION and step.done_when:
            raise PlaybookRefusedError(gettext("Step %(number)s: a question is answered by somebody.") % {"number": number})
        # A new step gets a name of its own, so that progress on the others stays theirs.
        name = step.name if step.name.replace("_", "").isalnum() and len(step.name) <= 40 else ""
        if not name or name in {other.name for other in steps}:
            name = next(f"step_{count}" for count in range(1, 2 * MOST_STEPS + 2) if f"step_{count}" not in names)
            names.add(name)
        steps.append(Step(name=name, title=title, kind=step.kind, done_when=step.done_when))
    return steps

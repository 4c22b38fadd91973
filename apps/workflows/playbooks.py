"""Playbooks: the steps that a good operator takes with one type of exception, declared beside the type."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy

from apps.core.looks import Look, StatusChoices


class StepKind(StatusChoices):
    """What kind of thing a step is."""

    CHECK = "check", Look("calm", "search"), gettext_lazy("Check")
    ACTION = "action", Look("calm", "wand-sparkles"), gettext_lazy("Action")
    MESSAGE = "message", Look("calm", "message-square"), gettext_lazy("Message")
    QUESTION = "question", Look("calm", "message-circle-question-mark"), gettext_lazy("Question")


class Shows(models.TextChoices):
    """What the tower's own data shows of a case: a step that waits for one of these is done by itself."""

    BY_HAND = "", gettext_lazy("Somebody ticks it off")
    OWNED = "owned", gettext_lazy("The exception has an owner")
    ASKED = "asked", gettext_lazy("An approval that answers it was requested")
    DECIDED = "decided", gettext_lazy("That approval was decided")
    APPLIED = "applied", gettext_lazy("A suggested action was applied")
    CARRIED_OUT = "carried_out", gettext_lazy("Odoo has carried out a suggested action")
    COMMENTED = "commented", gettext_lazy("Somebody wrote a comment")
    MOVED = "moved", gettext_lazy("The record came to another stage")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step.

    Attributes:
        name: what tells it from the playbook's other steps; progress is kept by it.
        title: what to do, in words for people.
        done_when: what shows that it was done; else somebody ticks it off. A question is answered by somebody always.
    """

    name: str
    title: str
    kind: StepKind = StepKind.CHECK
    done_when: Shows = Shows.BY_HAND


def owned() -> Step:
    """Return the step with which every playbook begins: somebody takes it."""
    return Step(name="take", title="Take it, or give it to who can solve it", done_when=Shows.OWNED)


def applied(title: str) -> Step:
    """Return the step of a suggested action: it is done once Odoo has carried one out."""
    return Step(name="act", title=title, kind=StepKind.ACTION, done_when=Shows.CARRIED_OUT)


def problems_of(steps: Sequence[Step]) -> list[str]:
    """Return what is wrong with the steps of a declared playbook."""
    names = [step.name for step in steps]
    found = [f"Its playbook has two steps {name}. Rename one." for name in sorted({one for one in names if names.count(one) > 1})]
    for step in steps:
        if not step.title or not step.name.replace("_", "").isalnum() or len(step.name) > 40:
            found.append(f"The step {step.name!r} of its playbook needs a title, and a name of letters, digits and underscores.")
        if step.kind == StepKind.QUESTION and step.done_when:
            found.append(f"The question {step.name} of its playbook is answered by somebody. Leave done_when out.")
    return found

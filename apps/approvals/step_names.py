"""Names of steps: those that workflows declare are words of the tower, those of a policy of one's own are what people wrote."""

from typing import Any

from django.utils.translation import gettext

from apps.core import sentences
from apps.workflows import registry


def is_declared(name: str) -> bool:
    """True if a workflow's default policy has a step of that name."""
    kinds = registry.approval_kinds().values()
    return any(step["name"] == name for _, kind in kinds for step in kind.default_policy.get("steps", ()))


def told(name: str) -> str:
    """Return the name in the active language where it is declared; as it was written where it is not."""
    return gettext(name) if is_declared(name) else name


def part_of_sentence(name: str) -> Any:
    """Return the name as a value of a sentence, which is said in the reader's language where it is declared."""
    return sentences.compose(name, {}) if is_declared(name) else name

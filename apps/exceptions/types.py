"""Every type of exception there is: those that the workflows declare, and those of the integration itself."""

from collections.abc import Mapping
from functools import cache

from django.utils.translation import gettext

from apps.core.figures import Figure, Value, undeclared, values_of
from apps.exceptions import integration
from apps.exceptions.models import ExceptionCase
from apps.workflows import registry


@cache
def _declared() -> dict[str, str]:
    of_workflows = {name: kind.title for name, (_, kind) in registry.exception_types().items()}
    return dict(sorted((of_workflows | {name: kind.title for name, kind in integration.TYPES.items()}).items()))


def titles() -> dict[str, str]:
    """Every type by its name, as people read it."""
    return {name: gettext(title) for name, title in _declared().items()}


def by_workflow() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the types under the title of their workflow, those of the integration last; each with its name and title."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, (workflow, kind) in registry.exception_types().items():
        groups.setdefault(gettext(workflow.title), []).append((name, gettext(kind.title)))
    found = [(title, sorted(some, key=lambda one: one[1])) for title, some in sorted(groups.items())]
    of_integration = sorted(((name, gettext(kind.title)) for name, kind in integration.TYPES.items()), key=lambda one: one[1])
    return [*found, (gettext("Integration"), [(integration.WORKFLOW, gettext("All integration incidents")), *of_integration])]


def title_of(name: str) -> str:
    """The type as people read it; its own name if nothing declares it any more."""
    return gettext(_declared().get(name, name))


def declared_of(name: str) -> Mapping[str, Figure] | None:
    """The evidence of the type, each column with what it is; None if nothing declares it any more."""
    if name in integration.TYPES:
        return integration.TYPES[name].evidence
    found = registry.exception_types().get(name)
    return found[1].evidence if found else None


def evidence_of(case: ExceptionCase) -> list[Value]:
    """The evidence as it is declared; as text, where nothing declares it any more."""
    declared = declared_of(case.type) or undeclared(case.evidence)
    return list(values_of(declared, case.evidence, currency=case.currency))

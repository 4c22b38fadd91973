"""Every type of exception there is: those that the workflows declare, and those of the integration itself."""

from collections.abc import Mapping
from functools import cache

from django.utils.translation import gettext

from apps.exceptions import integration
from apps.workflows import registry


@cache
def _declared() -> dict[str, str]:
    of_workflows = {name: kind.title for name, (_, kind) in registry.exception_types().items()}
    return dict(sorted((of_workflows | {name: kind.title for name, kind in integration.TYPES.items()}).items()))


def titles() -> dict[str, str]:
    """Every type by its name, as people read it."""
    return {name: gettext(title) for name, title in _declared().items()}


def title_of(name: str) -> str:
    """The type as people read it; its own name if nothing declares it any more."""
    return gettext(_declared().get(name, name))


def words_of(name: str) -> Mapping[str, str] | None:
    """The evidence of the type, with the words that people read for it; None if nothing declares it any more."""
    if name in integration.TYPES:
        return integration.TYPES[name].evidence
    found = registry.exception_types().get(name)
    return found[1].evidence if found else None

"""How exceptions end, in words: what is suggested, what the tower says by itself, and what people write."""

from django.utils.translation import gettext, gettext_noop

from apps.core import sentences
from apps.exceptions import integration
from apps.workflows import registry

# Why most end by hand; any other words will do as well.
SUGGESTED = (
    gettext_noop("Settled with the customer"),
    gettext_noop("Corrected in Odoo"),
    gettext_noop("Accepted as it is"),
    gettext_noop("Duplicate"),
    gettext_noop("Not a problem"),
)
DELETED = gettext_noop("The record was deleted in Odoo")


def told(resolution: str) -> str:
    """Return a resolution in the active language where it is one of the tower's own; as it was written where a person's."""
    current = sentences.current(resolution)
    return gettext(current) if current in _own() else resolution


def _own() -> frozenset[str]:
    declared = {kind.closed_because for workflow in registry.workflows().values() for kind in workflow.exceptions}
    return frozenset({*SUGGESTED, DELETED, *declared, *(kind.closed_because for kind in integration.TYPES.values())})

"""The reasons that the tower itself gives for what became of a request: kept in English, told in the reader's language."""

from django.utils.translation import gettext_noop

from apps.core import sentences

DELETED = gettext_noop("The record was deleted in Odoo")
MOVED_ON = gettext_noop("No longer needed: {record} moved on in Odoo, or what it broke is kept again")
NOBODY_ANSWERED = gettext_noop("Nobody answered in time ({step})")
IS_AWAY = gettext_noop("{person} is away")


def told(reason: str) -> str:
    """A reason that the tower gave, in the active language."""
    return sentences.again(reason, MOVED_ON, NOBODY_ANSWERED, IS_AWAY)

"""The reasons that the tower itself gives for what became of a request: kept in English, told in the reader's language."""

from decimal import Decimal

from django.utils import translation
from django.utils.translation import gettext_noop

from apps.core import sentences

DELETED = gettext_noop("The record was deleted in Odoo")
MOVED_ON = gettext_noop("No longer needed: {record} moved on in Odoo, or what it broke is kept again")
NOBODY_ANSWERED = gettext_noop("Nobody answered in time ({step})")
IS_AWAY = gettext_noop("{person} is away")
# What answers who wanted changes first.
SUM_CHANGED = gettext_noop("Changed in Odoo: {before:money} {currency} before, now {now:money} {same}")
FIGURES_CHANGED = gettext_noop("The figures changed in Odoo")


def of_change(before: Decimal | None, now: Decimal | None, currency: str) -> str:
    """What changed in Odoo, as it is kept."""
    if before == now:
        return FIGURES_CHANGED
    with translation.override("en"):
        return sentences.filled(SUM_CHANGED, {"before": before, "now": now, "currency": currency, "same": currency})


def told(reason: str) -> str:
    """A reason that the tower gave, in the active language."""
    return sentences.again(reason, MOVED_ON, NOBODY_ANSWERED, SUM_CHANGED, IS_AWAY)

"""The reasons that the tower itself gives for what became of a request: kept as sentences, told in the reader's language."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from apps.core import sentences

DELETED = gettext_noop("The record was deleted in Odoo")
MOVED_ON = gettext_noop("No longer needed: {record} progressed in Odoo, or complies with the policy again")
# On an ask in Odoo that no request answered.
ASK_ENDED = gettext_noop("No longer needed: the record progressed in Odoo")
NEVER_SAVED = gettext_noop("The record was never saved in Odoo")
NOBODY_ANSWERED = gettext_noop("Not decided in time ({step})")
IS_AWAY = gettext_noop("{person} is out of office")
# What answers who wanted changes first.
SUM_CHANGED = gettext_noop("Changed in Odoo: {before:money} {currency} before, now {now:money} {same}")
FIGURES_CHANGED = gettext_noop("The figures changed in Odoo")
# Why an answer no longer counts, or somebody is no longer asked.
AMOUNT_GREW = gettext_noop("{person} approved {before:money} {currency}; it is now {now:money} {same}")
FACT_GREW = gettext_noop("{person} approved it with {fact} {before}; it is now {now}")
PARTNER_CHANGED = gettext_noop("{person} approved it for {before}; it is now for {now}")
COMPANY_CHANGED = gettext_noop("{person} approved it for another company")
LIMIT_TOO_LOW = gettext_noop("The limit of {person} does not cover {now:money} {currency}")
NO_APPROVER = gettext_noop("{person} may not decide approvals any more")
OUT_OF_SCOPE = gettext_noop("{person} has no access to the company of the record")
HAS_A_HAND = gettext_noop("{person} worked on the record")
NOT_KNOWN = gettext_noop("{person} is not linked to a user of {connection}")
DECIDED_ANOTHER_STEP = gettext_noop("{person} has decided another step: {step}")
NOT_OF_THE_LEVELS = gettext_noop("{person} is not an approver of this step")
# Why administrators are asked.
NOBODY_ELSE = gettext_noop("No approver named by the policy is eligible; assigned to administrators")
# The narrower first: one that was stored without its sentence is read by the first that fits.
LAPSES = (
    FACT_GREW,
    PARTNER_CHANGED,
    COMPANY_CHANGED,
    LIMIT_TOO_LOW,
    NO_APPROVER,
    OUT_OF_SCOPE,
    HAS_A_HAND,
    NOT_KNOWN,
    DECIDED_ANOTHER_STEP,
    NOT_OF_THE_LEVELS,
    NOBODY_ELSE,
    AMOUNT_GREW,
)


def of_change(before: Decimal | None, now: Decimal | None, currency: str) -> str:
    """What changed in Odoo, as it is kept."""
    if before == now:
        return sentences.in_english(FIGURES_CHANGED)
    return sentences.in_english(SUM_CHANGED, before=before, now=now, currency=currency, same=currency)


def told(reason: str, sentence: Any = None) -> str:
    """A reason that the tower gave, in the active language; ``sentence`` is what it was made of, as it is stored beside it."""
    if made_of := sentence or sentences.sentence_of(reason):
        return sentences.said(made_of)
    return sentences.again(reason, MOVED_ON, NOBODY_ANSWERED, SUM_CHANGED, IS_AWAY, *LAPSES)

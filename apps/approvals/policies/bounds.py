"""Bounds of what a policy may hold: amounts, whole numbers and texts that fit their columns, and rules of a sane size."""

from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any

from django.utils.translation import gettext

from apps.accounts.people import CURRENCY
from apps.core.refusals import Problem, Refusal

LARGEST_AMOUNT = Decimal(10) ** 15
DEEPEST, MOST_VALUES, LONGEST_TEXT = 8, 100, 1_000


class PolicyError(Refusal):
    """A policy's rules cannot be; the message names the place and the remedy."""

    problem = Problem(
        "policy_invalid",
        422,
        "Invalid policy",
        meaning="The rules of a policy cannot be used, or another version was saved meanwhile.",
        remedy="Correct the place that the sentence names; read the policy again before saving.",
    )


def number_of(value: Any) -> Decimal | None:
    """Return the number that ``value`` is; None where it is none, or beyond all bounds."""
    try:
        number = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() and number.adjusted() < 40 else None


def check_clean(rules: Any, depth: int = 0) -> None:
    """Refuse what JSON of the database cannot keep, and what is longer or deeper than any rule."""
    if depth > DEEPEST:
        raise PolicyError(gettext("The rules are nested too deeply."))
    if isinstance(rules, dict | list):
        if len(rules) > MOST_VALUES:
            raise PolicyError(gettext("A policy has at most %(most)s values in one place.") % {"most": MOST_VALUES})
        for one in [*rules, *rules.values()] if isinstance(rules, dict) else rules:
            check_clean(one, depth + 1)
    elif isinstance(rules, str) and not is_text(rules, LONGEST_TEXT):
        raise PolicyError(
            gettext("A text in the rules is longer than %(most)s characters, or contains an invalid character.")
            % {"most": LONGEST_TEXT}
        )
    elif isinstance(rules, float) and not isfinite(rules):
        raise PolicyError(gettext("A number in the rules is not valid."))


def is_text(value: Any, most: int) -> bool:
    """Whether ``value`` is text of at most ``most`` characters that PostgreSQL can keep: no NUL, no half of a surrogate pair."""
    if not isinstance(value, str) or len(value) > most:
        return False
    return not any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in value)


def is_whole(value: Any, least: int, most: int) -> bool:
    """Return True for a whole number from ``least`` to ``most``."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def check_amount(place: str, name: str, value: Any, currency: Any) -> None:
    """Raise PolicyError unless ``value`` is an amount from 0 on, and ``currency``, where given, a code."""
    number = number_of(value) if isinstance(value, int | float | Decimal | str) and not isinstance(value, bool) else None
    if number is None:
        raise PolicyError(gettext("%(place)s: %(name)s must be a number.") % {"place": place, "name": name})
    if number < 0:
        raise PolicyError(gettext("%(place)s: %(name)s must not be negative.") % {"place": place, "name": name})
    if number > LARGEST_AMOUNT or number != round(number, 6):
        raise PolicyError(
            gettext("%(place)s: %(name)s must be at most %(most)s, with six decimals at most.")
            % {"place": place, "name": name, "most": f"{LARGEST_AMOUNT:,}"}
        )
    if currency and not (isinstance(currency, str) and CURRENCY.fullmatch(currency)):
        raise PolicyError(gettext("%(place)s: currency must be an Odoo currency code, such as EUR.") % {"place": place})

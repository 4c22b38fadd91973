"""What a policy's conditions may ask of the facts that a request shows."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from apps.approvals.policies.bounds import number_of
from apps.core import sentences


def _at_least(found: Any, wanted: Any) -> bool:
    number = number_of(found)
    return number is not None and number >= Decimal(str(wanted))


def _at_most(found: Any, wanted: Any) -> bool:
    number = number_of(found)
    return number is not None and number <= Decimal(str(wanted))


# What a condition may ask of a fact. A fact that is not known meets none of them.
TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "at_least": _at_least,
    "at_most": _at_most,
    "is": lambda found, wanted: str(found) == str(wanted),
    "has": lambda found, wanted: str(wanted) in [part.strip() for part in str(found or "").split(",")],
}
NUMERIC = ("at_least", "at_most")


def holds(condition: dict[str, Any], facts: Mapping[str, Any]) -> bool:
    """Return whether what a request shows meets a condition."""
    (test,) = set(condition) - {"fact"}
    return TESTS[test](sentences.plain(facts.get(condition["fact"])), condition[test])

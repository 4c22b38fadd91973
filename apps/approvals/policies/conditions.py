"""What a policy's conditions may ask of the facts that a request shows: by what each fact is declared to be."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext

from apps.approvals.models import Request
from apps.approvals.policies.bounds import PolicyError, number_of
from apps.core import sentences
from apps.core.figures import Kind, Value, value_of
from apps.workflows import registry

Facts = Mapping[str, Value]


def _compared(compare: Callable[[Decimal, Decimal], bool]) -> Callable[[Value, Any], bool]:
    def test(fact: Value, wanted: Any) -> bool:
        found, bound = number_of(fact.number), number_of(wanted)
        return found is not None and bound is not None and compare(found, bound)

    return test


def _is(fact: Value, wanted: Any) -> bool:
    if fact.kind.is_number:
        return _compared(Decimal.__eq__)(fact, wanted)
    return str(sentences.plain(fact.value)) == str(wanted)


def _has(fact: Value, wanted: Any) -> bool:
    return str(wanted) in [part.strip() for part in str(sentences.plain(fact.value) or "").split(",")]


# What a condition may ask of a fact. A fact that is not known meets none of them.
TESTS: dict[str, Callable[[Value, Any], bool]] = {
    "at_least": _compared(Decimal.__ge__),
    "at_most": _compared(Decimal.__le__),
    "is": _is,
    "has": _has,
}
NUMERIC = ("at_least", "at_most")
OF_NUMBERS, OF_OTHERS = (*NUMERIC, "is"), ("is", "has")


def tests_of(kind: Kind) -> tuple[str, ...]:
    """The tests that make sense of what a fact is."""
    return OF_NUMBERS if kind.is_number else OF_OTHERS


def facts_of(request: Request) -> Facts:
    """The facts of a request that conditions may ask about, each with what it is declared to be."""
    return {
        name: value_of(name, figure, request.context, currency=request.currency)
        for name, figure in registry.facts_of(request.kind).items()
    }


def holds(condition: dict[str, Any], facts: Facts) -> bool:
    """Return whether what a request shows meets a condition."""
    (test,) = set(condition) - {"fact"}
    fact = facts.get(condition["fact"])
    return fact is not None and TESTS[test](fact, condition[test])


def check_kinds(kind: str, rules: Mapping[str, Any]) -> None:
    """Refuse a condition that cannot hold for what its fact is. Raises PolicyError.

    Apart from the shape of rules, which :func:`policy.check_shape` has passed: a version that was stored before keeps counting.
    """
    facts = registry.facts_of(kind)
    for place, condition in _conditions(rules):
        (test,) = set(condition) - {"fact"}
        what = facts[condition["fact"]].kind
        values = {"place": place, "fact": condition["fact"], "known": ", ".join(tests_of(what)), "test": test}
        if test not in tests_of(what):
            raise PolicyError(gettext("%(place)s: %(test)s does not apply to %(fact)s. Use one of: %(known)s.") % values)
        if what.is_number and number_of(condition[test]) is None:
            raise PolicyError(gettext("%(place)s: %(test)s must be a number.") % values)


def _conditions(rules: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, step in enumerate(rules["steps"], start=1):
        for condition in step.get("when", []):
            yield gettext("Step %(number)s") % {"number": number}, condition
    for condition in (rules.get("bulk") or {}).get("when", []):
        yield gettext("Bulk"), condition

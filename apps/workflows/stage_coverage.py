"""Whether the stages of a workflow leave a record out, or take it twice: found by trying, without a database.

Each column that the stages name is given every value that makes a difference to them: the values that they compare it with,
those in between, another one, and none at all. Only as much is tried as it takes to decide each stage, so that stages told by
a dozen columns are settled in a few thousand steps. Columns count as independent of each other: stages have to say themselves
which of two conditions goes first, as :mod:`apps.workflows.catalogue` does throughout.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from django.db.models import F, Q

from apps.workflows import compile as compiled
from apps.workflows.declare import Workflow

# Stages that take more steps than this to settle are left to the property tests.
MOST_STEPS = 200_000


class _Other:
    """A value that no condition names."""

    def __repr__(self) -> str:
        return "something else"


OTHER = _Other()


@dataclass(frozen=True)
class _Gap:
    """A value between two that are compared with: above so many of them, by their order."""

    above: int

    def __repr__(self) -> str:
        return "a value in between"


class _Leaf(NamedTuple):
    """A comparison: of which of its column's values it is true, by their place in the column's domain."""

    column: Any
    places: frozenset[int]


class _Branch(NamedTuple):
    """Conditions that must all hold, or of which one must."""

    is_or: bool
    children: "tuple[_Condition, ...]"


type _Condition = bool | _Leaf | _Branch


@dataclass
class _Search:
    """One run: the values of each column, those that are chosen, what is known to be right, and the steps taken so far."""

    domains: dict[Any, list[Any]]
    chosen: dict[Any, Any] = field(default_factory=dict)
    settled: set[Any] = field(default_factory=set)
    steps: int = 0


def problems(workflow: Workflow) -> list[str]:
    """What is wrong with the stages: at most one sentence, with a record that shows it and the remedy."""
    conditions = [workflow.belongs, *(stage.when for stage in workflow.stages)]
    domains, orders = _domains(conditions)
    belongs, *held = [_conditioned(condition, domains, orders) for condition in conditions]
    stages = tuple((stage.name, condition) for stage, condition in zip(workflow.stages, held, strict=True))
    search = _Search(domains)
    for names in _counterexamples(search, belongs, stages):
        record = ", ".join(f"{_worded(key)} {_shown(value)}" for key, value in search.chosen.items()) or "any"
        if not names:
            return [
                f"Workflow {workflow.name}: a record with {record} stands in no stage. Add a stage for it, or widen a condition."
            ]
        return [
            f"Workflow {workflow.name}: a record with {record} stands in {names[0]} and in {names[1]}. "
            f"Exclude one from the other, for instance with & ~ the condition of {names[0]}."
        ]
    return []


def _domains(conditions: list[Q]) -> tuple[dict[Any, list[Any]], dict[str, list[Any]]]:
    """The values to try of each column, and the order of those that are compared by it."""
    values: dict[str, set[Any]] = {}
    pairs: set[tuple[str, str, str]] = set()
    ordered: set[str] = set()
    for condition in conditions:
        for lookup, value in _comparisons(condition):
            name, _, operator = lookup.partition("__")
            if isinstance(value, F):
                pairs.add(_pair(name, operator, value))
                continue
            known = values.setdefault(name, set())
            if operator != "isnull":
                known.update(value if operator == "in" else [value])
            if operator in ("gt", "gte", "lt", "lte"):
                ordered.add(name)
    orders = {name: sorted(values[name]) for name in ordered}
    domains: dict[Any, list[Any]] = {pair: [True, False] for pair in pairs}
    for name, known in values.items():
        if name in ordered:
            points: list[Any] = [_Gap(0)]
            for place, value in enumerate(orders[name], start=1):
                points += [value, _Gap(place)]
            domains[name] = [*points, None]
        elif known and known <= {True, False}:
            domains[name] = [True, False, None]
        else:
            domains[name] = [*sorted(known, key=str), OTHER, None]
    return domains, orders


def _comparisons(condition: Q) -> Iterator[tuple[str, Any]]:
    for child in condition.children:
        if isinstance(child, Q):
            yield from _comparisons(child)
        else:
            yield str(child[0]), child[1]  # type: ignore[index]


def _pair(name: str, operator: str, value: F) -> tuple[str, str, str]:
    return name, operator or "exact", next(iter(compiled.names((name, value)) - {name}), name)


def _counterexamples(search: _Search, belongs: _Condition, stages: tuple[tuple[str, _Condition], ...]) -> Iterator[list[str]]:
    """The first record that stands in no stage (an empty list) or in two (their names), left in ``search.chosen``.

    The conditions are what is left of them once the chosen values are known. Where the same is left as before, which was
    right, this is right too: what was chosen on the way makes no difference any more.
    """
    search.steps += 1
    if search.steps > MOST_STEPS or belongs is False:
        return
    stages = tuple(stage for stage in stages if stage[1] is not False)
    if (belongs, stages) in search.settled:
        return
    found = [name for name, condition in stages if condition is True]
    if belongs is True and len(found) > 1:
        yield found
        return
    column = next((_column(condition) for condition in (belongs, *(c for _, c in stages)) if condition is not True), None)
    if column is None:
        if not found:
            yield []
        return
    for place, value in enumerate(search.domains[column]):
        search.chosen[column] = value
        left = tuple((name, _given(condition, column, place)) for name, condition in stages)
        yield from _counterexamples(search, _given(belongs, column, place), left)
        del search.chosen[column]
    search.settled.add((belongs, stages))


def _column(condition: _Condition) -> Any:
    """A column that the condition waits for."""
    while isinstance(condition, _Branch):
        condition = condition.children[0]
    return condition.column if isinstance(condition, _Leaf) else None


@cache
def _given(condition: _Condition, column: Any, place: int) -> _Condition:
    """What is left of the condition once the column has the value at this place of its domain."""
    if isinstance(condition, bool):
        return condition
    if isinstance(condition, _Leaf):
        return place in condition.places if condition.column == column else condition
    return _joined(condition.is_or, [_given(child, column, place) for child in condition.children])


def _joined(is_or: bool, children: list[_Condition]) -> _Condition:
    if is_or in children:
        return is_or
    left = tuple(child for child in children if not isinstance(child, bool))
    if not left:
        return not is_or
    return left[0] if len(left) == 1 else _Branch(is_or, left)


def _conditioned(condition: Q, domains: dict[Any, list[Any]], orders: dict[str, list[Any]], negated: bool = False) -> _Condition:
    """The condition with its negations carried into the comparisons, which know of which values they are true."""
    negated ^= condition.negated
    if not condition.children:
        return not negated
    children: list[_Condition] = []
    for child in condition.children:
        if isinstance(child, Q):
            children.append(_conditioned(child, domains, orders, negated))
            continue
        name, _, operator = str(child[0]).partition("__")  # type: ignore[index]
        value = child[1]  # type: ignore[index]
        column: Any = _pair(name, operator, value) if isinstance(value, F) else name
        true = (
            place
            for place, one in enumerate(domains[column])
            if _compares(one, operator, value, orders.get(name, [])) is not negated
        )
        children.append(_Leaf(column, frozenset(true)))
    return _joined((condition.connector == Q.OR) is not negated, children)


def _compares(chosen: Any, operator: str, value: Any, order: list[Any]) -> bool:
    if isinstance(value, F):
        return bool(chosen)
    if operator == "isnull":
        return (chosen is None) is bool(value)
    if chosen is None:
        return False
    if operator in ("", "exact"):
        return bool(chosen == value)
    if operator == "in":
        return chosen in list(value)
    # On a line with a place for each value and one for each gap.
    here = 2 * chosen.above if isinstance(chosen, _Gap) else 2 * order.index(chosen) + 1
    there = 2 * order.index(value) + 1
    return {"gt": here > there, "gte": here >= there, "lt": here < there, "lte": here <= there}[operator]


def _worded(key: Any) -> str:
    return " ".join(key) if isinstance(key, tuple) else str(key)


def _shown(value: Any) -> str:
    return "empty" if value is None else repr(value)

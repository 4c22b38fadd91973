"""Whether the stages of a workflow leave a record out, or take it twice: found by trying, without a database.

Each column that the stages name is given every value that makes a difference to them: the values that they compare it with,
those in between, another one, and none at all. Only as much is tried as it takes to decide each stage, so that stages told by
a dozen columns are settled in a few thousand steps. Columns count as independent of each other: stages have to say themselves
which of two conditions goes first, as :mod:`apps.workflows.catalogue` does throughout.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

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


@dataclass
class _Search:
    """One run: the values of each column, and the steps taken so far."""

    workflow: Workflow
    domains: dict[Any, list[Any]]
    orders: dict[str, list[Any]]
    steps: int = 0
    chosen: dict[Any, Any] = field(default_factory=dict)


def problems(workflow: Workflow) -> list[str]:
    """What is wrong with the stages: at most one sentence, with a record that shows it and the remedy."""
    search = _searched(workflow)
    for names in _counterexamples(search):
        record = ", ".join(f"{_worded(key)} {_shown(value)}" for key, value in search.chosen.items()) or "any"
        if not names:
            return [
                f"Workflow {workflow.name}: a record with {record} stands in no stage. "
                "Add a stage for it, or widen a condition."
            ]
        return [
            f"Workflow {workflow.name}: a record with {record} stands in {names[0]} and in {names[1]}. "
            f"Exclude one from the other, for instance with & ~ the condition of {names[0]}."
        ]
    return []


def _searched(workflow: Workflow) -> _Search:
    values: dict[str, set[Any]] = {}
    pairs: set[tuple[str, str, str]] = set()
    ordered: set[str] = set()
    for condition in [workflow.belongs, *(stage.when for stage in workflow.stages)]:
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
    return _Search(workflow=workflow, domains=domains, orders=orders)


def _comparisons(condition: Q) -> Iterator[tuple[str, Any]]:
    for child in condition.children:
        if isinstance(child, Q):
            yield from _comparisons(child)
        else:
            yield str(child[0]), child[1]  # type: ignore[index]


def _pair(name: str, operator: str, value: F) -> tuple[str, str, str]:
    return name, operator or "exact", next(iter(compiled.names((name, value)) - {name}), name)


def _counterexamples(search: _Search) -> Iterator[list[str]]:
    """The first record that stands in no stage (an empty list) or in two (their names), left in ``search.chosen``."""
    search.steps += 1
    if search.steps > MOST_STEPS:
        return
    belongs, open_column = _holds(search, search.workflow.belongs)
    if belongs is False:
        return
    found: list[str] = []
    undecided = 0
    for stage in search.workflow.stages:
        holds, column = _holds(search, stage.when)
        if holds:
            found.append(stage.name)
        elif holds is None:
            undecided += 1
            open_column = open_column if open_column is not None else column
    if belongs and len(found) > 1:
        yield found
        return
    if open_column is None:
        if not found:
            yield []
        return
    if belongs and undecided == 0 and len(found) == 1:
        return
    for value in search.domains[open_column]:
        search.chosen[open_column] = value
        yield from _counterexamples(search)
        del search.chosen[open_column]


def _holds(search: _Search, condition: Q) -> tuple[bool | None, Any]:
    """Whether the condition holds of what is chosen so far, and, where that is open, a column that it waits for."""
    is_or = condition.connector == Q.OR
    waits: Any = None
    answer: bool | None = not condition.children or not is_or
    for child in condition.children:
        holds, column = _holds(search, child) if isinstance(child, Q) else _compares(search, str(child[0]), child[1])  # type: ignore[index]
        if holds is None:
            waits = waits if waits is not None else column
            answer = None
        elif holds is is_or:
            return (holds is not condition.negated), None
    if answer is not None:
        return (answer is not condition.negated), None
    return None, waits


def _compares(search: _Search, lookup: str, value: Any) -> tuple[bool | None, Any]:
    name, _, operator = lookup.partition("__")
    key: Any = _pair(name, operator, value) if isinstance(value, F) else name
    if key not in search.chosen:
        return None, key
    chosen = search.chosen[key]
    if isinstance(value, F):
        return bool(chosen), None
    if operator == "isnull":
        return (chosen is None) is bool(value), None
    if chosen is None:
        return False, None
    if operator in ("", "exact"):
        return chosen == value, None
    if operator == "in":
        return chosen in list(value), None
    order = search.orders[name]
    # On a line with a place for each value and one for each gap.
    here = 2 * chosen.above if isinstance(chosen, _Gap) else 2 * order.index(chosen) + 1
    there = 2 * order.index(value) + 1
    return {"gt": here > there, "gte": here >= there, "lt": here < there, "lte": here <= there}[operator], None


def _worded(key: Any) -> str:
    return " ".join(key) if isinstance(key, tuple) else str(key)


def _shown(value: Any) -> str:
    return "empty" if value is None else repr(value)

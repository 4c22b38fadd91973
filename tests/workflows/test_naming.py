"""Names stand in addresses, in rows and in scripts: what cannot stand there is refused as the workflow loads."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.urls import get_resolver

from apps.workflows import checks, naming, registry
from apps.workflows.declare import Workflow


@pytest.fixture
def workflow() -> Workflow:
    return registry.workflows()["order_to_cash"]


def test_the_names_of_every_workflow_are_in_order() -> None:
    assert [problem for one in registry.workflows().values() for problem in naming.problems(one)] == []


def test_the_taken_names_are_the_routes_below_a_board() -> None:
    board = "boards/<slug:workflow>/"
    routes = [str(entry.pattern) for entry in get_resolver("apps.boards.urls").url_patterns]
    below = {route.removeprefix(board).strip("/") for route in routes if route.startswith(board)}
    assert below - {"", "<slug:stage>"} == naming.ROUTES


def _with_stage(name: str) -> Callable[[Workflow], Workflow]:
    return lambda workflow: replace(workflow, stages=[replace(workflow.stages[0], name=name), *workflow.stages[1:]])


def _named(name: str) -> Callable[[Workflow], Workflow]:
    return lambda workflow: replace(workflow, name=name)


def _with_type(name: str) -> Callable[[Workflow], Workflow]:
    return lambda workflow: replace(workflow, exceptions=[replace(workflow.exceptions[0], name=name), *workflow.exceptions[1:]])


def _with_kind(name: str) -> Callable[[Workflow], Workflow]:
    return lambda workflow: replace(workflow, approvals=[replace(workflow.approvals[0], name=name), *workflow.approvals[1:]])


def _twice(workflow: Workflow) -> Workflow:
    return replace(workflow, stages=[workflow.stages[0], *workflow.stages])


def _facts_called_r(workflow: Workflow) -> Workflow:
    return replace(workflow, facts=[*workflow.facts, replace(workflow.facts[0], name="r", columns=["of_its_own"])])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (_with_stage("moves"), "which is an address of its board. Rename it; taken are: compare, findings, flow, moves, outlook."),
        (_with_stage("To Confirm"), "the stage To Confirm is not named as a slug."),
        (_with_stage("x" * 61), "has a name of 61 characters. Use 60 at most."),
        (_named("order-to-cash"), "Workflow order-to-cash is not named as a slug."),
        (_with_type("order.credit.hold"), "the exception type order.credit.hold is not named as a slug."),
        (_with_kind("Credit"), "the approval kind Credit is not named as a slug."),
        (_twice, "two stages called"),
        (_facts_called_r, "has a fact called r, which stands for the record itself. Rename it."),
    ],
    ids=["route", "not a slug", "too long", "workflow", "type", "kind", "twice", "alias"],
)
def test_a_name_that_cannot_be_is_refused_with_the_remedy(
    changed: Callable[[Workflow], Workflow], said: str, workflow: Workflow
) -> None:
    assert any(said in problem for problem in naming.problems(changed(workflow)))


def test_the_check_at_the_start_looks_at_names(workflow: Workflow) -> None:
    assert any("which is an address of its board" in problem for problem in checks.problems_of(_with_stage("flow")(workflow)))

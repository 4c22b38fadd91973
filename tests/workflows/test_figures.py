"""What every workflow and the integration declare of their figures: all of it has a kind, and what has none is refused."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from apps.core import figures
from apps.core.figures import Figure
from apps.exceptions import integration
from apps.exceptions.models import ExceptionCase
from apps.exceptions.types import evidence_of
from apps.workflows import checks, parameter_catalogue, registry
from apps.workflows.declare import Workflow
from tests.world import World


def with_evidence(workflow: Workflow, figure: Any, name: str = "salesperson") -> Workflow:
    kind = workflow.exceptions[0]
    return replace(workflow, exceptions=[replace(kind, evidence={**kind.evidence, name: figure}), *workflow.exceptions[1:]])


def with_context(workflow: Workflow, **changed: Any) -> Workflow:
    return replace(workflow, approvals=[replace(workflow.approvals[0], **changed), *workflow.approvals[1:]])


def with_line(workflow: Workflow, figure: Any) -> Workflow:
    assert workflow.lines
    return replace(workflow, lines=replace(workflow.lines, columns={**workflow.lines.columns, "price": figure}))


WRONG: dict[str, tuple[Callable[[Workflow], Workflow], str]] = {
    "evidence without a figure": (
        lambda of: with_evidence(of, "Account owner"),
        "The evidence of order.credit_hold: salesperson has no figure. Write",
    ),
    "a kind that does not exist": (
        lambda of: with_evidence(of, Figure("Account owner", "person")),  # type: ignore[arg-type]
        "The evidence of order.credit_hold: the kind person of salesperson does not exist. There is: money",
    ),
    "context without a figure": (
        lambda of: with_context(of, context={"excess": "Over the limit by"}),
        "The context of credit_override: excess has no figure. Write",
    ),
    "a bound that is no number": (
        lambda of: with_context(of, bounds=["salesperson"]),
        "A yes to credit_override bounds salesperson, which its context does not have as a number.",
    ),
    "a bound that is not shown": (
        lambda of: with_context(of, bounds=["company_amount"]),
        "A yes to credit_override bounds company_amount, which its context does not have as a number.",
    ),
    "lines without a figure": (lambda of: with_line(of, "Price"), "The lines of order_to_cash: price has no figure. Write"),
    "a severity that is no number": (
        lambda of: with_evidence(of, Figure("This order", figures.text), "this_order"),
        "order.credit_hold takes its severity from this_order, which is text. Name a number.",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_says_nothing_of_what_it_is_is_refused_with_the_remedy(wrong: str) -> None:
    change, said = WRONG[wrong]
    (problem,) = checks.problems_of(change(registry.workflows()["order_to_cash"]))
    assert problem.startswith(said)


def test_a_figure_and_a_unit_of_a_column_that_there_is_not_are_refused() -> None:
    declared = registry.workflows()["order_to_cash"]
    for figure, name in (
        (Figure("Moon", figures.text), "moon"),
        (Figure("This order", figures.money.unit_from("moon")), "this_order"),
    ):
        with pytest.raises(checks.compiled.DeclarationError, match="names moon, which neither"):
            checks.problems_of(with_evidence(declared, figure, name))


def test_what_a_fact_is_holds_for_all_records_that_share_a_policy() -> None:
    transfers, notes = registry.workflows()["returns"], registry.workflows()["invoicing"]
    assert checks.declared_twice([transfers, notes]) == []
    context = {**transfers.approvals[0].context, "partner_name": Figure("Customer", figures.count)}
    (problem,) = checks.declared_twice([with_context(transfers, context=context), notes])
    assert problem.startswith("partner_name of return_authorisation is count in returns and text in invoicing. Rename one")


def test_every_incident_says_what_its_figures_are() -> None:
    assert [figures.problems(kind.name, kind.evidence) for kind in integration.TYPES.values()] == [[] for _ in integration.TYPES]


def test_thresholds_count_in_what_the_severity_is_declared_to_be() -> None:
    units = {
        kind.name: {one.unit for one in parameter_catalogue.thresholds_of(kind)} for _, kind in registry.exception_types().values()
    }
    assert units.pop("service.ticket_at_risk") == {"rank"}
    assert set().union(*units.values()) == {"the company's currency"}


def test_a_case_of_a_type_that_nothing_declares_any_more_is_shown_as_text(world: World) -> None:
    world.held_order()
    case = ExceptionCase.objects.get()
    case.type = "gone.extension"
    found = {one.title: (one.kind.name, one.unit) for one in evidence_of(case)}
    assert found["credit limit"] == ("text", "")
    assert {kind for kind, _ in found.values()} == {"text"}

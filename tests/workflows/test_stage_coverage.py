"""A workflow file whose stages leave a record out, take it twice, or speak of what is not there is refused with the remedy."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db.models import F, Q

from apps.core.figures import Figure, text
from apps.workflows import checks, registry
from apps.workflows.compile import DeclarationError
from apps.workflows.declare import Dependency, Workflow


def fulfilment(*conditions: Q) -> Workflow:
    """The fulfilment workflow with these conditions for its first stages, and no others."""
    declared = registry.workflows()["fulfilment"]
    stages = [replace(stage, when=when) for stage, when in zip(declared.stages, conditions, strict=False)]
    return replace(declared, stages=stages, exceptions=[], approvals=[])


def said(*conditions: Q) -> list[str]:
    return checks.problems_of(fulfilment(*conditions))


def test_the_catalogue_itself_is_settled_in_few_steps() -> None:
    assert checks.declarations() == []


@pytest.mark.parametrize(
    ("conditions", "record"),
    [
        ([Q(state="draft"), Q(state="done")], "state 'something else'|state something else"),
        ([Q(state="draft"), ~Q(state="draft") & Q(is_late=True)], "is_late False"),
        ([Q(late_days__gte=3), Q(late_days__lt=3)], "late_days empty"),
        ([Q(late_days__gt=3), ~Q(late_days__gte=3)], "late_days 3"),
        ([Q(date_done__isnull=True)], "date_done something else"),
        ([Q(late_days__gte=F("goods_count"), state="draft"), ~Q(state="draft")], "late_days gte goods_count False"),
    ],
)
def test_a_record_that_stands_in_no_stage_is_shown(conditions: list[Q], record: str) -> None:
    (problem,) = said(*conditions)
    assert "stands in no stage. Add a stage for it, or widen a condition." in problem
    assert any(words in problem for words in record.split("|")), problem


@pytest.mark.parametrize(
    "conditions",
    [
        [Q(state="draft"), Q(state__in=["draft", "done"]), ~Q(state__in=["draft", "done"])],
        [Q(late_days__gte=3), ~Q(late_days__gt=3)],
        [~Q(is_late=True), Q(state="done"), ~Q(state="done") & Q(is_late=True)],
    ],
)
def test_a_record_that_stands_in_two_stages_is_shown(conditions: list[Q]) -> None:
    (problem,) = said(*conditions)
    assert "Workflow fulfilment: a record with" in problem
    assert "stands in draft and in waiting_operation. Exclude one from the other" in problem


def test_complete_and_disjoint_stages_pass_whatever_they_are_told_by() -> None:
    assert said(Q(state="draft"), ~Q(state="draft") & Q(late_days__gte=3), ~Q(state="draft") & ~Q(late_days__gte=3)) == []


def test_only_records_that_belong_have_to_stand_somewhere() -> None:
    assert checks.problems_of(replace(fulfilment(Q(state="draft")), belongs=Q(state="draft"))) == []


UNKNOWN: dict[str, Callable[[Workflow], dict[str, Any]]] = {
    "a stage's condition": lambda of: {"stages": [replace(of.stages[0], when=Q(moon="full"))]},
    "since when a stage began": lambda of: {"stages": [replace(stage, first_seen_since="moon") for stage in of.stages]},
    "the amount": lambda of: {"amount": "moon"},
    "the promise": lambda of: {"promise": "moon"},
    "when to look again": lambda of: {"look_again": "moon"},
    "an exception's evidence": lambda of: {"exceptions": [replace(of.exceptions[0], evidence={"moon": Figure("Moon", text)})]},
    "an exception's condition": lambda of: {"exceptions": [replace(of.exceptions[0], when=Q(moon="full"))]},
}


@pytest.mark.parametrize("place", UNKNOWN)
def test_an_unknown_field_is_refused_with_what_there_is(place: str) -> None:
    declared = registry.workflows()["fulfilment"]
    with pytest.raises(DeclarationError, match=r"fulfilment names moon, .*It has: .*carrier_id"):
        checks.problems_of(replace(declared, **UNKNOWN[place](declared)))


def test_what_nobody_mirrors_cannot_be_depended_on_nor_told_of() -> None:
    declared = registry.workflows()["fulfilment"]
    on_the_moon = Dependency(model="moon.phase", sql="SELECT 1")
    said = checks.problems_of(
        replace(
            declared,
            dependencies=[*declared.dependencies, on_the_moon],
            hooks={"moon.phase": ["name"], "stock.picking": ["state", "moon"]},
        )
    )
    assert [problem.partition(". ")[0] for problem in said] == [
        "Workflow fulfilment depends on moon.phase, which is not mirrored",
        "Workflow fulfilment hooks moon.phase, which is not mirrored",
        "Workflow fulfilment hooks moon of stock.picking, which is not mirrored",
    ]

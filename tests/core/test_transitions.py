"""A status changes by a move of its table, or not at all."""

import ast
from pathlib import Path

import pytest
from django.db.models import TextChoices

from apps.approvals.models import Request
from apps.approvals.models import Status as RequestStatus
from apps.approvals.transitions import REQUESTS
from apps.core.transitions import Transition, TransitionRefusedError, Transitions
from apps.exceptions import integration
from apps.exceptions.models import ExceptionCase
from apps.exceptions.models import Status as CaseStatus
from apps.exceptions.transitions import CASES, INCIDENTS, transitions_of
from apps.outbox.models import Command
from apps.outbox.models import Status as CommandStatus
from apps.outbox.transitions import COMMANDS
from controltower.env import BASE_DIR


class Light(TextChoices):
    RED = "red"
    GREEN = "green"


TABLES = [(CASES, ExceptionCase), (INCIDENTS, ExceptionCase), (REQUESTS, Request), (COMMANDS, Command)]


@pytest.mark.parametrize(("table", "model"), TABLES)
def test_no_move_starts_from_where_the_table_does_not_say(
    table: Transitions, model: type[ExceptionCase | Request | Command]
) -> None:
    for move in {row.move for row in table.rows}:
        for status in table.states.values:
            row = model(status=status)
            if status in table.sources(move):
                if len({one.target for one in table.rows if one.move == move}) == 1:
                    table.make(move, row)
            else:
                with pytest.raises(TransitionRefusedError, match=move):
                    table.make(move, row)
                assert row.status == status


@pytest.mark.parametrize(("table", "model"), TABLES)
def test_no_status_is_entered_from_where_no_move_leads(table: Transitions, model: type[ExceptionCase | Request | Command]) -> None:
    for status in table.states.values:
        for target in table.states.values:
            row, leads = model(status=status), any(one.target == target and status in one.sources for one in table.rows)
            if leads:
                table.enter(target, row)
                assert row.status == target
            else:
                with pytest.raises(TransitionRefusedError):
                    table.enter(target, row)
                assert row.status == status


def test_ends_are_ends() -> None:
    with pytest.raises(TransitionRefusedError):
        REQUESTS.enter(RequestStatus.APPROVED, Request(status=RequestStatus.REJECTED))
    with pytest.raises(TransitionRefusedError):
        REQUESTS.make("undo", Request(status=RequestStatus.EXPIRED), to=RequestStatus.PENDING)
    with pytest.raises(TransitionRefusedError):
        COMMANDS.enter(CommandStatus.QUEUED, Command(status=CommandStatus.DONE))
    with pytest.raises(TransitionRefusedError):
        CASES.make("acknowledge", ExceptionCase(status=CaseStatus.RESOLVED))


def test_an_incident_offers_no_action_inside_odoo() -> None:
    incident = ExceptionCase(type=next(iter(integration.TYPES)), status=CaseStatus.OPEN)
    assert transitions_of(incident) is INCIDENTS
    with pytest.raises(TransitionRefusedError):
        transitions_of(incident).make("apply", incident)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "no move leads to green"),
        ([Transition("go", ["red"], "green", "x"), Transition("go", ["red"], "green", "y")], "stands there twice"),
        ([Transition("go", ["blue"], "green", "x")], "does not exist"),
        ([Transition("go", ["red"], "green", "x"), Transition("stop", ["green"], "blue", "x")], "does not exist"),
    ],
)
def test_a_table_that_cannot_be_is_refused_where_it_is_declared(rows: list[Transition], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Transitions("light", Light, rows)


def test_nothing_sets_a_status_beside_its_table() -> None:
    found = []
    for app in ("exceptions", "approvals", "outbox", "health", "pipeline"):
        for path in (BASE_DIR / "apps" / app).rglob("*.py"):
            if "migrations" not in path.parts:
                found += [f"{path.relative_to(BASE_DIR)}:{line}" for line in _set_beside(path)]
    assert found == []


def _set_beside(path: Path) -> list[int]:
    """Lines that assign to a ``status``, or update one, other than of a step of an approval."""
    lines = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Assign):
            pairs: list[tuple[ast.expr, ast.expr]] = []
            for target in node.targets:
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs += zip(target.elts, node.value.elts, strict=True)
                else:
                    pairs.append((target, node.value))
            lines += [
                node.lineno
                for target, value in pairs
                if isinstance(target, ast.Attribute) and target.attr == "status" and not _of_step(target, value)
            ]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update":
            lines += [node.lineno for keyword in node.keywords if keyword.arg == "status" and not _of_step(None, keyword.value)]
    return lines


def _of_step(target: ast.Attribute | None, value: ast.expr) -> bool:
    return "StepStatus" in ast.unparse(value)

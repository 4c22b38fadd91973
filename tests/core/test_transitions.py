"""A status changes by a move of its table, or not at all."""

import ast
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db import connection as database
from django.db.models import TextChoices

from apps.approvals.models import Request, Step
from apps.approvals.models import Status as RequestStatus
from apps.approvals.transitions import REQUESTS, STEPS
from apps.core.transitions import Transition, TransitionRefusedError, Transitions
from apps.exceptions import integration
from apps.exceptions.models import ExceptionCase
from apps.exceptions.models import Status as CaseStatus
from apps.exceptions.transitions import CASES, INCIDENTS, transitions_of
from apps.outbox.models import Command
from apps.outbox.models import Status as CommandStatus
from apps.outbox.transitions import COMMANDS
from apps.timers.models import Status as TimerStatus
from apps.timers.models import Timer
from apps.timers.transitions import TIMERS
from apps.workflows import registry
from controltower import reference_docs
from controltower.env import BASE_DIR
from tests.transitions import HELD, TABLES

# A state there is Odoo's own, or a status that of HTTP.
OF_OTHERS = {"mirror", "workflows", "api"}


class Light(TextChoices):
    RED = "red"
    GREEN = "green"


@pytest.mark.parametrize(("table", "model"), TABLES)
def test_no_move_starts_from_where_the_table_does_not_say(table: Transitions, model: type[Any]) -> None:
    for move in {row.move for row in table.rows}:
        for status in table.states.values:
            row = model(**{table.field: status})
            if status in table.sources(move):
                if len({one.target for one in table.rows if one.move == move}) == 1:
                    table.make(move, row)
            else:
                with pytest.raises(TransitionRefusedError, match=move):
                    table.make(move, row)
                assert getattr(row, table.field) == status


@pytest.mark.parametrize(("table", "model"), TABLES)
def test_no_status_is_entered_from_where_no_move_leads(table: Transitions, model: type[Any]) -> None:
    for status in table.states.values:
        for target in table.states.values:
            row = model(**{table.field: status})
            if any(one.target == target and status in one.sources for one in table.rows):
                table.enter(target, row)
                assert getattr(row, table.field) == target
            else:
                with pytest.raises(TransitionRefusedError):
                    table.enter(target, row)
                assert getattr(row, table.field) == status


@pytest.mark.parametrize(("table", "model"), TABLES)
def test_what_a_row_begins_with_is_the_first_state(table: Transitions, model: type[Any]) -> None:
    assert getattr(model(), table.field) == table.first


def test_the_documents_draw_every_table() -> None:
    drawn = {getattr(import_module(module), name) for module, name in reference_docs.TABLES.values()}
    assert drawn == {table for table, _ in TABLES}


@pytest.mark.django_db
@pytest.mark.parametrize(("table", "model"), [(table, model) for table, model in TABLES if table in HELD])
def test_the_database_of_the_tests_refuses_what_no_move_does(table: Transitions, model: type[Any]) -> None:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'held_to_its_table' AND tgrelid = %s::regclass",
            [model._meta.db_table],
        )
        (definition,) = cursor.fetchone()
    for source in table.states.values:
        for target in table.states.values:
            is_there = f"'{source}>{target}'" in definition
            assert is_there == any(row.target == target and source in row.sources for row in table.rows)


@pytest.mark.django_db
def test_many_rows_make_a_move_from_where_it_starts_only(now: datetime) -> None:
    for place, status in enumerate(TimerStatus.values):
        Timer.objects.create(kind="test", key=str(place), due_at=now, created_at=now, status=status)
    assert TIMERS.make_all("cancel", Timer.objects.all()) == 1
    assert list(Timer.objects.order_by("key").values_list("status", flat=True)) == ["cancelled", "fired", "cancelled"]
    with pytest.raises(KeyError):
        STEPS.make_all("undo", Step.objects.all())
    with pytest.raises(DatabaseError, match="no move of timers_timer leads from fired to pending"), transaction.atomic():
        Timer.objects.filter(status="fired").update(status="pending")


def test_ends_are_ends() -> None:
    with pytest.raises(TransitionRefusedError):
        REQUESTS.enter(RequestStatus.APPROVED, Request(status=RequestStatus.REJECTED))
    with pytest.raises(TransitionRefusedError):
        REQUESTS.make("undo", Request(status=RequestStatus.EXPIRED), to=RequestStatus.PENDING)
    with pytest.raises(TransitionRefusedError):
        COMMANDS.enter(CommandStatus.QUEUED, Command(status=CommandStatus.DONE))
    with pytest.raises(TransitionRefusedError):
        CASES.make("acknowledge", ExceptionCase(status=CaseStatus.RESOLVED))


def test_what_resolves_an_incident_is_none_of_the_actions_inside_odoo() -> None:
    incident = ExceptionCase(type=next(iter(integration.TYPES)), status=CaseStatus.OPEN)
    assert transitions_of(incident) is INCIDENTS
    transitions_of(incident).make("apply", incident)
    assert incident.status == CaseStatus.ACKNOWLEDGED
    assert not integration.TYPES.keys() & registry.exception_types().keys()


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
    fields = {table.field for table, _ in TABLES}
    found = []
    for path in (BASE_DIR / "apps").rglob("*.py"):
        app = path.relative_to(BASE_DIR).parts[1]
        if "migrations" not in path.parts and app not in OF_OTHERS:
            found += [f"{path.relative_to(BASE_DIR)}:{line}" for line in _set_beside(path, fields)]
    assert found == []


def _set_beside(path: Path, fields: set[str]) -> list[int]:
    """Lines that assign to a status, or update one."""
    lines = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Assign):
            targets = [one for target in node.targets for one in (target.elts if isinstance(target, ast.Tuple) else [target])]
            lines += [node.lineno for target in targets if isinstance(target, ast.Attribute) and _is_of_a_row(target, fields)]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update":
            lines += [node.lineno for keyword in node.keywords if keyword.arg in fields]
    return lines


def _is_of_a_row(target: ast.Attribute, fields: set[str]) -> bool:
    return target.attr in fields and not (isinstance(target.value, ast.Name) and target.value.id == "self")

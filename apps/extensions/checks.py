"""Tells of extensions that are refused, and of SQL of theirs that fails. Warnings: the tower runs all the same."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register
from django.db import DatabaseError, transaction
from django.db import connection as database

from apps.core import clock
from apps.extensions import rights
from apps.workflows import engine, reads, registry
from apps.workflows.declare import Addition, Workflow


@register()
def refused(**_: Any) -> list[CheckMessage]:
    """Every package that says it is an extension takes part."""
    return [checks.Warning(str(one), id="extensions.W001") for one in settings.EXTENSIONS.refused]


@register(Tags.database)
def statements(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """What extensions declare in SQL can be run, and what it reads is watched: looked at by migrate, and on request."""
    found: list[CheckMessage] = []
    for place, run in _runs() if databases else ():
        try:
            with transaction.atomic():
                run()
        except DatabaseError as error:
            problem = f"{place} of an extension cannot be run ({error}). Run manage.py migrate, or mend the SQL."
            found.append(checks.Warning(problem, id="extensions.W002"))
    # What cannot be run cannot be looked into either.
    for name in _touched() if databases and not found else ():
        problems = reads.problems_of_columns(registry.workflows()[name])
        found += [checks.Warning(problem, id="extensions.W003") for problem in problems]
    return found


def _runs() -> Iterator[tuple[str, Callable[[], object]]]:
    """Each statement with where it stands, to be run for no record at all."""
    now = clock.now()
    for name in _touched():
        evaluated = registry.workflows()[name]
        yield f"The workflow {name}", partial(engine.evaluate, evaluated, connection_id=0, records={}, now=now)
    of_nothing = {
        "connection": 0,
        "record": 0,
        "ids": [0],
        "now": now,
        "since": now,
        "by_partner": True,
        "by_person": True,
        "people": [0],
    }
    both: list[Workflow | Addition] = [*_declared_workflows(), *_declared_additions()]
    for place, sql in (one for declared in both for one in rights.standalone(declared)):
        if sql:
            yield place, partial(_run, sql, of_nothing)


def _touched() -> list[str]:
    """The names of the workflows that extensions declare or add to."""
    return sorted({*(one.name for one in _declared_workflows()), *(one.workflow for one in _declared_additions())})


def _declared_workflows() -> list[Workflow]:
    return [workflow for _, workflow in settings.EXTENSIONS.declared("workflows", Workflow)]


def _declared_additions() -> list[Addition]:
    return [addition for _, addition in settings.EXTENSIONS.declared("additions", Addition)]


def _run(sql: str, parameters: dict[str, Any]) -> None:
    with database.cursor() as cursor:
        cursor.execute(sql, parameters)

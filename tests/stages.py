"""Which stages of a workflow hold for a row of columns, asked of PostgreSQL."""

from collections.abc import Mapping
from typing import Any

from django.db import connection
from psycopg import sql

from apps.workflows import compile as compiled
from apps.workflows import parameter_catalogue, parameters
from apps.workflows.declare import Workflow


def stages_of(workflow: Workflow, row: Mapping[str, Any], types: Mapping[str, str]) -> list[str]:
    """Every stage whose own condition holds for ``row``; ``types`` names the columns that are no text."""
    if not any(fact.name == parameters.FACT for fact in workflow.facts):
        workflow = parameter_catalogue.with_parameters(workflow)
    row = {one.name: one.default for one in workflow.parameters} | dict(row)
    types = {one.name: "numeric" for one in workflow.parameters} | dict(types)
    columns = compiled.known_columns(workflow)
    aliases: dict[str, list[sql.Composable]] = {}
    for name, value in row.items():
        cell = sql.SQL("{}::{} AS {}").format(sql.Literal(value), sql.SQL(types.get(name, "text")), sql.Identifier(name))
        aliases.setdefault(columns[name], []).append(cell)
    tables = sql.SQL(", ").join(
        sql.SQL("(SELECT {}) AS {}").format(sql.SQL(", ").join(cells), sql.Identifier(alias)) for alias, cells in aliases.items()
    )
    holds = sql.SQL(", ").join(compiled.predicate(workflow, stage.when) for stage in workflow.stages)
    with connection.cursor() as cursor:
        found = cursor.connection.execute(sql.SQL("SELECT {} FROM {}").format(holds, tables)).fetchone()
    return [stage.name for stage, held in zip(workflow.stages, found, strict=True) if held]

"""Turning a declared workflow into SQL: conditions into predicates, stages into one CASE."""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import F, Q
from psycopg import sql

from apps.mirror import registry as mirror
from apps.workflows.declare import Workflow

COMPARISONS = {"exact": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class DeclarationError(Exception):
    """A workflow file says something that cannot be; the message names the workflow, the place and the remedy."""


def known_columns(workflow: Workflow) -> dict[str, str]:
    """The columns that conditions of ``workflow`` may name, each with the alias that it comes from.

    Raises:
        DeclarationError: the model is not mirrored, or two facts return the same column.
    """
    models = mirror.models()
    if workflow.odoo_model not in models:
        raise DeclarationError(
            f"Workflow {workflow.name} is over {workflow.odoo_model}, which is not mirrored. Add a mirrored model for it."
        )
    columns: dict[str, str] = {str(field.column): "r" for field in models[workflow.odoo_model]._meta.concrete_fields}
    for fact in workflow.facts:
        for column in fact.columns:
            if column in columns:
                raise DeclarationError(
                    f"Workflow {workflow.name}: fact {fact.name} returns {column}, which {columns[column]} has already. "
                    "Rename one of them."
                )
            columns[column] = fact.name
    return columns


def column_of(workflow: Workflow, name: str) -> sql.Composable:
    """The SQL of the column called ``name``. Raises DeclarationError where there is none."""
    columns = known_columns(workflow)
    if name not in columns:
        raise DeclarationError(
            f"Workflow {workflow.name} names {name}, which neither {workflow.odoo_model} as mirrored nor a fact has. "
            f"It has: {', '.join(sorted(columns))}."
        )
    return sql.Identifier(columns[name], name)


def predicate(workflow: Workflow, condition: Q) -> sql.Composable:
    """The SQL of ``condition``. Never NULL: what cannot be compared does not hold, and its negation does."""
    parts: list[sql.Composable] = []
    for child in condition.children:
        if isinstance(child, Q):
            parts.append(predicate(workflow, child))
        else:
            parts.append(_comparison(workflow, *child))  # type: ignore[misc]
    if not parts:
        text: sql.Composable = sql.SQL("TRUE")
    else:
        joint = sql.SQL(" OR ") if condition.connector == Q.OR else sql.SQL(" AND ")
        text = sql.SQL("({})").format(joint.join(parts))
    return sql.SQL("(NOT {})").format(text) if condition.negated else text


def _comparison(workflow: Workflow, lookup: str, value: Any) -> sql.Composable:
    name, _, operator = lookup.partition("__")
    column = column_of(workflow, name)
    operator = operator or "exact"
    if operator == "isnull":
        return sql.SQL("({} IS NULL)" if value else "({} IS NOT NULL)").format(column)
    if operator == "in":
        return sql.SQL("COALESCE({} = ANY({}), FALSE)").format(column, sql.Literal(list(value)))
    if operator not in COMPARISONS:
        raise DeclarationError(
            f"Workflow {workflow.name}: the comparison {lookup} cannot be compiled. Use isnull, in, "
            f"{', '.join(COMPARISONS)}, or a fact that computes it."
        )
    right = column_of(workflow, str(vars(value)["name"])) if isinstance(value, F) else sql.Literal(value)
    return sql.SQL("COALESCE({} {} {}, FALSE)").format(column, sql.SQL(COMPARISONS[operator]), right)


def source(workflow: Workflow, columns: Iterable[str] | None = None) -> sql.Composable:
    """FROM and the joins: the mirrored record as ``r`` and the facts as lateral queries.

    Args:
        columns: those that the statement names; facts that none of them rests on are left out. All facts, where not given.
    """
    table = mirror.models()[workflow.odoo_model]._meta.db_table
    wanted = {fact.name for fact in workflow.facts} if columns is None else facts_behind(workflow, columns)
    joins = [
        sql.SQL("LEFT JOIN LATERAL ({}) AS {} ON TRUE").format(sql.SQL(fact.sql), sql.Identifier(fact.name))
        for fact in workflow.facts
        if fact.name in wanted
    ]
    return sql.SQL("{} AS r\n{}").format(sql.Identifier(table), sql.SQL("\n").join(joins))


def facts_behind(workflow: Workflow, columns: Iterable[str]) -> set[str]:
    """The names of the facts that ``columns`` come from, and of those that these rest on in turn.

    Raises DeclarationError where a column is unknown.
    """
    known = known_columns(workflow)
    found: set[str] = set()
    for name in columns:
        column_of(workflow, name)
        found.add(known[name])
    facts = list(workflow.facts)
    for number, fact in reversed(list(enumerate(facts))):
        if fact.name in found:
            found |= {earlier.name for earlier in facts[:number] if re.search(rf"\b{re.escape(earlier.name)}\.", fact.sql)}
    return found - {"r"}


def stage_case(workflow: Workflow) -> sql.Composable:
    """One CASE that gives the record's stage; NULL where no stage's condition holds."""
    whens = [
        sql.SQL("WHEN {} THEN {}").format(predicate(workflow, stage.when), sql.Literal(stage.name)) for stage in workflow.stages
    ]
    return sql.SQL("CASE\n{}\nEND").format(sql.SQL("\n").join(whens))


def belongs(workflow: Workflow) -> sql.Composable:
    """The SQL of which records are the workflow's. Raises DeclarationError where it names more than their own columns."""
    columns = known_columns(workflow)
    for lookup in lookups(workflow.belongs):
        name = lookup.partition("__")[0]
        if columns.get(name, "r") != "r":
            raise DeclarationError(
                f"Workflow {workflow.name}: belongs names {name}, which comes from the fact {columns[name]}. Which records "
                "belong has to be told by their own columns; name one of those."
            )
    own = predicate(workflow, workflow.belongs)
    return sql.SQL("({} AND ({}))").format(own, sql.SQL(workflow.belongs_sql)) if workflow.belongs_sql else own


def moment_ahead(workflow: Workflow) -> sql.Composable:
    """The SQL of when a record must be looked at again; NULL where nothing lies ahead.

    A moment that is not ahead is dropped here: a record that is due again as soon as it was looked at would never rest.
    """
    if not workflow.look_again:
        return sql.SQL("NULL::timestamptz")
    moment = column_of(workflow, workflow.look_again)
    return sql.SQL("CASE WHEN {} > %(now)s THEN {} END").format(moment, moment)


def lookups(condition: Q) -> Iterable[str]:
    """The lookups of ``condition``, such as ``state__in``, however deep they stand."""
    for child in condition.children:
        if isinstance(child, Q):
            yield from lookups(child)
        else:
            yield str(child[0])  # type: ignore[index]


def named_in(condition: Q) -> set[str]:
    """All columns that ``condition`` names, however deep they stand."""
    found: set[str] = set()
    for child in condition.children:
        found |= named_in(child) if isinstance(child, Q) else names(child)
    return found


def names(comparison: Any) -> set[str]:
    """The columns that one comparison of a condition names: its own, and the one that it is compared with."""
    lookup, value = comparison
    return {lookup.partition("__")[0]} | ({str(vars(value)["name"])} if isinstance(value, F) else set())


def by_stage(workflow: Workflow, stage: sql.Composable, values: Iterable[tuple[str, Any]], kind: str) -> sql.Composable:
    """A CASE over the stage's name that gives each stage's own value."""
    whens = [
        sql.SQL("WHEN {} THEN {}").format(sql.Literal(name), value if isinstance(value, sql.Composable) else _literal(value))
        for name, value in values
    ]
    return sql.SQL("(CASE {} {} END)::{}").format(stage, sql.SQL(" ").join(whens), sql.SQL(kind))


def _literal(value: Any) -> sql.Composable:
    if isinstance(value, timedelta):
        return sql.SQL("make_interval(secs => {})").format(sql.Literal(value.total_seconds()))
    return sql.Literal(value)

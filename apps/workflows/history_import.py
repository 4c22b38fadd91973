"""The past of records, from what Odoo tracked: where they stood before the tower first saw them.

A stage rests on more than tracked fields, so a moment of the past often leaves several stages possible: of a confirmed
order it is not known any more when its goods were ready. A record that comes into such a group is taken to enter it at
the first of its stages, by the order of flow, that is not itself a blocker; within the group nothing is claimed. Where
only one stage is possible, that is where it stood.

Each record's past is taken once, up to when the tower first saw it. What the tower saw itself stays as it is; only the
first sight, which came from nowhere, is told where it came from, and since when where history knows.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection as database
from django.db.models import Q
from psycopg import sql

from apps.core import statements
from apps.mirror import registry as mirror
from apps.mirror.declare import Boolean, Text
from apps.workflows import compile as compiled
from apps.workflows.declare import Workflow

# Records whose past is worked out together.
BATCH = 5_000

NEXT = sql.SQL("""
SELECT p.odoo_id FROM workflows_position p
 WHERE p.connection_id = %(connection)s AND p.workflow = {workflow} AND p.odoo_id > %(after)s
 ORDER BY p.odoo_id LIMIT %(limit)s
""")


def fields_of(workflow: Workflow) -> list[str]:
    """The record's own columns that its stages name, of the kinds whose past is read."""
    own = mirror.models()[workflow.odoo_model]._meta
    columns = compiled.known_columns(workflow)
    named = {lookup.partition("__")[0] for stage in workflow.stages for lookup in compiled.lookups(stage.when)}
    return sorted(name for name in named if columns.get(name) == "r" and isinstance(own.get_field(name), Text | Boolean))


def batch(workflow: Workflow, *, connection_id: int, after: int) -> list[int]:
    """The next records of the workflow beyond the id ``after``, in the order of their ids; none at the end."""
    statement = NEXT.format(workflow=sql.Literal(workflow.name))
    with database.cursor() as cursor:
        cursor.execute(statement, {"connection": connection_id, "after": after, "limit": BATCH})
        return [odoo_id for (odoo_id,) in cursor.fetchall()]


def build(
    workflow: Workflow,
    *,
    connection_id: int,
    odoo_ids: Sequence[int],
    tracked: Sequence[str],
    missing: Sequence[str],
    now: datetime,
) -> int:
    """Write the past transitions of a batch of records, in the caller's transaction; how many.

    Args:
        tracked: columns of the record that Odoo tracks; of no others is anything known about the past.
        missing: columns that this Odoo does not have, which were never anything but empty.
    """
    if not tracked:
        return 0
    columns = compiled.known_columns(workflow)
    replayed = sql.SQL(", ").join(_as_it_was(workflow, name) for name in tracked)
    replayed += sql.SQL("").join(sql.SQL(", today.{}").format(sql.Identifier(name)) for name in missing)
    creator = sql.SQL("''")
    if columns.get("create_uid") == "r":
        creator = sql.SQL(
            "COALESCE((SELECT u.name FROM mirror_res_users u"
            " WHERE u.connection_id = r.connection_id AND u.odoo_id = r.create_uid), '')"
        )
    statement = statements.compose(
        __file__,
        "import_history",
        workflow=sql.Literal(workflow.name),
        model=sql.Literal(workflow.odoo_model),
        fields=sql.Literal(list(tracked)),
        table=sql.Identifier(mirror.models()[workflow.odoo_model]._meta.db_table),
        creator=creator,
        replayed=replayed,
        candidates=sql.SQL(", ").join(_candidates(workflow, {*tracked, *missing})),
    )
    with database.cursor() as cursor:
        cursor.execute(statement, {"connection": connection_id, "ids": list(odoo_ids), "now": now})
        return int(cursor.fetchone()[0])


def _as_it_was(workflow: Workflow, name: str) -> sql.Composed:
    """The column's value at a step: as the latest change left it, else as the next one found it, else as it is."""
    field = mirror.models()[workflow.odoo_model]._meta.get_field(name)
    kind = "boolean" if isinstance(field, Boolean) else "text"
    return sql.SQL("""
      COALESCE((SELECT c.new::{kind} FROM mirror_trackedchange c
                 WHERE c.connection_id = %(connection)s AND c.model = {model} AND c.odoo_id = s.odoo_id
                   AND c.field = {field} AND c.tracking_id > s.after AND c.tracking_id <= s.last_id
                 ORDER BY c.tracking_id DESC LIMIT 1),
               (SELECT c.old::{kind} FROM mirror_trackedchange c
                 WHERE c.connection_id = %(connection)s AND c.model = {model} AND c.odoo_id = s.odoo_id
                   AND c.field = {field} AND c.tracking_id > s.last_id
                 ORDER BY c.tracking_id LIMIT 1),
               today.{column}) AS {column}""").format(
        model=sql.Literal(workflow.odoo_model),
        field=sql.Literal(name),
        column=sql.Identifier(name),
        kind=sql.SQL(kind),
    )


def _candidates(workflow: Workflow, known: set[str]) -> list[sql.Composable]:
    """The stages that the known columns leave possible, those that are no blockers first, as CASEs that give names.

    A stage is possible where its condition may hold, and no stage before it must.
    """
    found: list[tuple[bool, sql.Composable]] = []
    earlier: list[sql.Composable] = []
    for stage in workflow.stages:
        may, may_not = _bounds(workflow, stage.when, known)
        case = sql.SQL("CASE WHEN {} THEN {} END").format(_all([*earlier, may]), sql.Literal(stage.name))
        found.append((stage.blocker is not None, case))
        earlier.append(may_not)
    return [case for _, case in sorted(found, key=lambda one: one[0])]


def _bounds(workflow: Workflow, condition: Q, known: set[str]) -> tuple[sql.Composable, sql.Composable]:
    """The SQL of whether ``condition`` may hold, and of whether it may not; both, where unknown columns decide."""
    mays: list[sql.Composable] = []
    may_nots: list[sql.Composable] = []
    for child in condition.children:
        if isinstance(child, Q):
            may, may_not = _bounds(workflow, child, known)
        elif compiled.names(child) <= known:
            may = compiled.predicate(workflow, Q(child))
            may_not = sql.SQL("(NOT {})").format(may)
        else:
            may = may_not = sql.SQL("TRUE")
        mays.append(may)
        may_nots.append(may_not)
    if condition.connector == Q.OR and mays:
        bounds = _any(mays), _all(may_nots)
    else:
        bounds = _all(mays), _any(may_nots)
    return (bounds[1], bounds[0]) if condition.negated else bounds


def _all(parts: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL("({})").format(sql.SQL(" AND ").join(parts)) if parts else sql.SQL("TRUE")


def _any(parts: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL("({})").format(sql.SQL(" OR ").join(parts)) if parts else sql.SQL("FALSE")

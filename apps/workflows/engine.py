"""Evaluating workflows: a batch of record ids in, what moved and what was found out.

Three statements a workflow and batch, whatever the batch's size: one moves the positions and writes the transitions,
one takes out what was deleted or belongs to the workflow no longer, one finds the records on which an exception or an
approval's condition holds.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection as database
from django.db.models import Q
from psycopg import sql

from apps.core import prepared, sentences, statements
from apps.core.figures import units_of
from apps.mirror import registry as mirror
from apps.workflows import compile as compiled
from apps.workflows import days, parameter_catalogue, parameters, placeholders, registry, severity_boost, stuck
from apps.workflows.declare import ApprovalKind, ExceptionType, Stage, Workflow

# A batch is bounded, so that its transaction and its memory are.
BATCH = 5_000
# Up to so many records are looked at with a plan that is kept; for more, one of their own is worth its making.
PLANNED_ONCE = 100
# People write 9999 for "never", and 1 for "unknown". Python's calendar ends there, and every sum beyond it is an error.
EARLIEST, LATEST = "'0100-01-01 00:00:00+00'::timestamptz", "'9000-01-01 00:00:00+00'::timestamptz"

# Odoo keeps moments to the second: two stages of one second have moments of their own, in their order.
LATER = "interval '1 microsecond'"


@dataclass(frozen=True, kw_only=True)
class Move:
    """A record that came to another stage; from "" where it was first seen."""

    odoo_id: int
    from_stage: str
    to_stage: str


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A record on which a declared condition holds, with the columns that it rests on."""

    kind: ExceptionType | ApprovalKind
    odoo_id: int
    name: str
    columns: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What one workflow made of one batch of records.

    Attributes:
        vanished: those that were deleted in Odoo.
        left: those that are of the workflow no longer.
        unchanged: those that were looked at though nothing had changed: a first reading, or all of them anew.
    """

    workflow: Workflow
    connection_id: int
    evaluated: Sequence[int]
    moves: Sequence[Move] = field(default_factory=list)
    exceptions: Sequence[Finding] = field(default_factory=list)
    approvals: Sequence[Finding] = field(default_factory=list)
    vanished: Sequence[int] = field(default_factory=list)
    left: Sequence[int] = field(default_factory=list)
    unchanged: frozenset[int] = frozenset()


VANISH = sql.SQL("""
WITH gone AS (
  DELETE FROM workflows_position p
   USING {table} r
   WHERE p.connection_id = %(connection)s AND p.workflow = {workflow} AND p.odoo_id = ANY(%(ids)s)
     AND r.connection_id = p.connection_id AND r.odoo_id = p.odoo_id
     AND (r.deleted_at IS NOT NULL OR NOT {belongs})
  RETURNING p.odoo_id, p.stage, p.amount, p.company_id, CASE WHEN r.deleted_at IS NULL THEN 'left' ELSE 'deleted' END AS gone_to
)
INSERT INTO workflows_transition
  (connection_id, workflow, model, odoo_id, from_stage, to_stage, at, seen_at, amount, company_id)
SELECT %(connection)s, {workflow}, {model}, odoo_id, stage, gone_to, %(now)s, %(now)s, amount, company_id FROM gone
RETURNING odoo_id, to_stage
""")

FIND = sql.SQL("""
SELECT * FROM (
  SELECT r.odoo_id AS odoo_id, COALESCE({label}, '') AS record_name, {conditions}, {columns}
    FROM {source}
   WHERE r.connection_id = %(connection)s AND r.odoo_id = ANY(%(ids)s) AND r.deleted_at IS NULL AND {belongs}
) AS found
WHERE {any_condition}
ORDER BY odoo_id
""")


LOOK = sql.SQL("""
SELECT r.odoo_id AS odoo_id, COALESCE({label}, '') AS record_name, {columns}
  FROM {source}
 WHERE r.connection_id = %(connection)s AND r.odoo_id = ANY(%(ids)s) AND r.deleted_at IS NULL
   AND {belongs} AND {condition}
""")


OVER = sql.SQL("""
SELECT r.odoo_id
  FROM {source}
  JOIN workflows_position p
    ON p.connection_id = r.connection_id AND p.workflow = {workflow} AND p.odoo_id = r.odoo_id AND p.is_open
 WHERE r.connection_id = %(connection)s AND r.odoo_id = ANY(%(ids)s) AND p.since + {target} <= %(now)s
""")


@cache
def _statements(workflow_name: str) -> tuple[str, str, str, list[tuple[str, Any]]]:
    """The workflow's three statements, put together once, and the label under which FIND returns each condition."""
    workflow = registry.workflows()[workflow_name]
    table = sql.Identifier(mirror.models()[workflow.odoo_model]._meta.db_table)
    vanish = VANISH.format(
        table=table,
        belongs=compiled.belongs(workflow),
        workflow=sql.Literal(workflow.name),
        model=sql.Literal(workflow.odoo_model),
    )
    find, kinds = find_statement(workflow)
    return move_statement(workflow).as_string(), vanish.as_string(), find.as_string(), kinds


def move_statement(workflow: Workflow) -> sql.Composed:
    """The statement that places the records in their stages. Raises DeclarationError where the workflow names what is not there."""
    first_seen_since = sorted({stage.first_seen_since for stage in workflow.stages})
    first_seen = [
        # Not from a date that only stands for none: with the stage's target it may lie beyond what can be kept.
        sql.SQL("CASE WHEN {at} >= {first} AND {at} < {last} THEN {at} END AS {label}").format(
            at=compiled.column_of(workflow, name),
            first=sql.Literal(days.FIRST_DAY),
            last=sql.Literal(days.LAST_DAY),
            label=sql.Identifier(f"first_{name}"),
        )
        for name in first_seen_since
    ]
    stage_column = sql.Identifier("stage")
    since = compiled.by_stage(
        workflow,
        stage_column,
        [(s.name, _within(sql.Identifier(f"first_{s.first_seen_since}"))) for s in workflow.stages],
        "timestamptz",
    )
    named = {workflow.label, workflow.amount, workflow.currency, "partner_name", *first_seen_since}
    named |= {workflow.look_again, workflow.promise, parameters.VALUES} - {""}
    return statements.compose(
        __file__,
        "place_records",
        stage=compiled.stage_case(workflow),
        amount=compiled.column_of(workflow, workflow.amount),
        currency=compiled.column_of(workflow, workflow.currency),
        # Not every model has a partner: stock in a place has none.
        partner_id=compiled.column_of(workflow, "partner_id")
        if "partner_id" in compiled.known_columns(workflow)
        else sql.SQL("NULL::bigint"),
        partner_name=compiled.column_of(workflow, "partner_name"),
        first_seen=sql.SQL(", ").join(first_seen),
        source=compiled.source(workflow, named.union(*(compiled.named_in(stage.when) for stage in workflow.stages))),
        since=since,
        target=compiled.by_stage(workflow, stage_column, [(s.name, _target(workflow, s)) for s in workflow.stages], "interval"),
        is_open=compiled.by_stage(workflow, stage_column, [(s.name, s.is_open) for s in workflow.stages], "boolean"),
        look_again=compiled.moment_ahead(workflow),
        promise=sql.SQL("CASE WHEN {promised} < {last} THEN {promised} END").format(
            promised=compiled.column_of(workflow, workflow.promise), last=sql.Literal(days.LAST_DAY)
        )
        if workflow.promise
        else sql.SQL("NULL::timestamptz"),
        promise_look=severity_boost.next_look(sql.Identifier("promised")),
        stuck_look=stuck.next_look(
            compiled.by_stage(workflow, stage_column, [(s.name, _patience(workflow, s)) for s in workflow.stages], "interval"),
            sql.Identifier("stands_since"),
        ),
        workflow=sql.Literal(workflow.name),
        model=sql.Literal(workflow.odoo_model),
        label=compiled.column_of(workflow, workflow.label),
        belongs=compiled.belongs(workflow),
        latest=sql.SQL(LATEST),
        later=sql.SQL(LATER),
    )


def _target(workflow: Workflow, stage: Stage, settings: str = parameters.VALUES) -> sql.Composable | None:
    """The SQL of how long a record may stand in a stage, as it is set for the record's company; none where there is no target."""
    if stage.target is None:
        return None
    target = parameter_catalogue.target_of(workflow.name, stage)
    text = parameters.value_sql(target.name, target.default, settings)
    return sql.SQL(f"make_interval(secs => ({text} * {parameters.SECONDS[target.unit]})::float)")


def _patience(workflow: Workflow, stage: Stage) -> sql.Composable | None:
    """The SQL of how long a record may stand in a stage before it is stuck; none where it never is."""
    target = _target(workflow, stage)
    if target is None or stuck.patience(stage) is None:
        return None
    return sql.SQL("GREATEST(2 * {target}, {target} + interval '1 day')").format(target=target)


def _within(column: sql.Composable) -> sql.Composed:
    """Return since when a record stands where it was first seen: bounded, so that no sum with it leaves the calendar."""
    return sql.SQL(f"LEAST(GREATEST(COALESCE({{}}, write_date, %(now)s), {EARLIEST}), {LATEST})").format(column)


def find_statement(workflow: Workflow) -> tuple[sql.Composed, list[tuple[str, Any]]]:
    """The statement that finds what is to be raised, and the label under which it returns each condition."""
    declared: list[ExceptionType | ApprovalKind] = [*workflow.exceptions, *workflow.approvals]
    kinds = [(f"found_{number}", kind) for number, kind in enumerate(declared)]
    columns = _columns_needed(workflow)
    named = columns.union({workflow.label}, *(compiled.named_in(kind.when) for kind in declared))
    statement = FIND.format(
        conditions=sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(compiled.predicate(workflow, kind.when), sql.Identifier(label)) for label, kind in kinds
        )
        if kinds
        else sql.SQL("FALSE AS found_none"),
        columns=sql.SQL(", ").join(compiled.column_of(workflow, name) for name in sorted(columns) if name != "odoo_id"),
        source=compiled.source(workflow, named),
        label=compiled.column_of(workflow, workflow.label),
        belongs=compiled.belongs(workflow),
        any_condition=sql.SQL(" OR ").join(sql.Identifier(label) for label, _ in kinds) if kinds else sql.SQL("FALSE"),
    )
    return statement, kinds


def _columns_needed(workflow: Workflow) -> set[str]:
    """The columns that exceptions and approvals of the workflow speak of."""
    needed = {workflow.currency, "partner_name", "company_id", severity_boost.STEPS, workflow.promise, parameters.VALUES}
    for kind in workflow.exceptions:
        needed |= {kind.amount, kind.severity[0], *kind.evidence, *units_of(kind.evidence)} | set(
            filter(None, [kind.cause, kind.team_column])
        )
        needed |= {name for cause in kind.root_causes for name in (cause.record, cause.place) if name}
    for approval in workflow.approvals:
        needed |= {approval.cause, approval.amount, approval.asked_by, *approval.involved, *approval.account_owner}
        needed |= {*approval.context, *units_of(approval.context), *placeholders.columns_of(approval)}
        needed |= approval.figures.columns if approval.figures else set()
    return needed & set(compiled.known_columns(workflow))


def affected(
    workflow: Workflow, *, connection_id: int, changed: Mapping[str, Mapping[int, datetime]], now: datetime
) -> dict[int, datetime]:
    """The workflow's records that a batch of changes may move, each with the time of what changed.

    Args:
        changed: Odoo's model → changed odoo_id → its ``write_date``.
    """
    ids: dict[int, datetime] = dict(changed.get(workflow.odoo_model, {}))
    for dependency in workflow.dependencies:
        touched = changed.get(dependency.model)
        if not touched:
            continue
        latest = max(touched.values())
        for row in _rows(dependency.sql, {"connection": connection_id, "ids": list(touched), "now": now}):
            (odoo_id,) = row.values()
            if odoo_id is not None:
                ids[odoo_id] = (
                    max(ids.get(odoo_id, latest), latest) if dependency.model != workflow.odoo_model else (ids.get(odoo_id, latest))
                )
    return ids


def evaluate(workflow: Workflow, *, connection_id: int, records: Mapping[int, datetime | None], now: datetime) -> Evaluation:
    """Place the records in their stages and find what is to be raised about them, in the caller's transaction.

    Args:
        records: the records to look at, each with the Odoo time of the change that led here (none: their own).
    """
    ids = list(records)
    caused = {odoo_id: at for odoo_id, at in records.items() if at is not None}
    parameters = {
        "connection": connection_id,
        "ids": ids,
        "caused": list(caused),
        "caused_at": list(caused.values()),
        "now": now,
    }
    move, vanish, find, kinds = _statements(workflow.name)
    moves = [Move(**row) for row in _rows(move, parameters)]
    gone = _rows(vanish, parameters)
    found: dict[type, list[Finding]] = {ExceptionType: [], ApprovalKind: []}
    for finding in _findings(_rows(find, parameters), kinds):
        found[type(finding.kind)].append(finding)
    return Evaluation(
        workflow=workflow,
        connection_id=connection_id,
        evaluated=ids,
        moves=moves,
        vanished=[row["odoo_id"] for row in gone if row["to_stage"] == "deleted"],
        left=[row["odoo_id"] for row in gone if row["to_stage"] == "left"],
        exceptions=found[ExceptionType],
        approvals=found[ApprovalKind],
        unchanged=frozenset(odoo_id for odoo_id, moment in records.items() if moment is None),
    )


def _findings(rows: Iterable[Mapping[str, Any]], kinds: Sequence[tuple[str, Any]]) -> Iterable[Finding]:
    for row in rows:
        for label, kind in kinds:
            if row[label]:
                yield Finding(kind=kind, odoo_id=row["odoo_id"], name=row["record_name"], columns=row)


def find(workflow: Workflow, *, connection_id: int, odoo_ids: Sequence[int], now: datetime) -> list[Finding]:
    """Find what would be raised about the records as they stand, and change nothing."""
    _, _, statement, kinds = _statements(workflow.name)
    return list(_findings(_rows(statement, {"connection": connection_id, "ids": list(odoo_ids), "now": now}), kinds))


def over_target(workflow: Workflow, *, connection_id: int, odoo_ids: Sequence[int], now: datetime) -> list[int]:
    """Find which of the records stand in an open stage for longer than its target, as that is set now."""
    targets = [(stage.name, _target(workflow, stage, f"{parameters.FACT}.{parameters.VALUES}")) for stage in workflow.stages]
    statement = OVER.format(
        source=compiled.source(workflow, {parameters.VALUES}),
        workflow=sql.Literal(workflow.name),
        target=compiled.by_stage(workflow, sql.Identifier("p", "stage"), targets, "interval"),
    )
    return [row["odoo_id"] for row in _rows(statement, {"connection": connection_id, "ids": list(odoo_ids), "now": now})]


def look(
    workflow: Workflow, *, connection_id: int, odoo_ids: Sequence[int], now: datetime, condition: Q | None = None
) -> dict[int, dict[str, Any]]:
    """The columns that the workflow's exceptions and approvals speak of, for those records that match ``condition``.

    Returns:
        odoo_id → column → value; deleted records are left out.
    """
    statement = _look_statement(workflow, _columns_needed(workflow), condition or Q())
    rows = _rows(statement, {"connection": connection_id, "ids": list(odoo_ids), "now": now})
    return {row["odoo_id"]: row for row in rows}


def read(
    workflow: Workflow, columns: frozenset[str], *, connection_id: int, odoo_ids: Sequence[int], now: datetime
) -> dict[int, dict[str, Any]]:
    """Read some columns of the records as the evaluation computes them, and none of the facts that these do not rest on.

    Returns:
        odoo_id → column → value; deleted records are left out.
    """
    statement, ids = _read_statement(workflow.name, columns), sorted(odoo_ids)
    found: dict[int, dict[str, Any]] = {}
    # In parts, each by the plan that is kept: asked for in the middle of something, it is to be there at once.
    for start in range(0, len(ids), PLANNED_ONCE):
        part = {"connection": connection_id, "ids": ids[start : start + PLANNED_ONCE], "now": now}
        found |= {row["odoo_id"]: row for row in _rows(statement, part)}
    return found


@cache
def _read_statement(workflow_name: str, columns: frozenset[str]) -> str:
    return _look_statement(registry.workflows()[workflow_name], columns, Q()).as_string()


def _look_statement(workflow: Workflow, columns: Collection[str], condition: Q) -> sql.Composed:
    return LOOK.format(
        columns=sql.SQL(", ").join(compiled.column_of(workflow, name) for name in sorted(columns) if name != "odoo_id"),
        source=compiled.source(workflow, {*columns, workflow.label, *compiled.named_in(condition)}),
        condition=compiled.predicate(workflow, condition),
        label=compiled.column_of(workflow, workflow.label),
        belongs=compiled.belongs(workflow),
    )


def _rows(statement: sql.Composed | str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    if isinstance(statement, str) and len(parameters["ids"]) <= PLANNED_ONCE:
        return prepared.rows(statement, parameters)
    with database.cursor() as cursor:
        cursor.execute(statement, parameters)
        return sentences.rows_of(cursor)


def batches(records: Mapping[int, datetime | None]) -> Iterable[dict[int, datetime | None]]:
    """``records`` in batches of bounded size, in order of their ids."""
    ordered = sorted(records)
    for start in range(0, len(ordered), BATCH):
        yield {odoo_id: records[odoo_id] for odoo_id in ordered[start : start + BATCH]}

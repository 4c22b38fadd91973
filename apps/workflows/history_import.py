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

# steps: the record's creation (0) and every message of tracked changes before the first sight, each with the tracked
# fields as they were then: as the latest change left them, else as the next one found them, else as they are.
BUILD = sql.SQL("""
WITH sight AS (
  SELECT DISTINCT ON (t.odoo_id) t.id, t.odoo_id, t.to_stage, t.at, t.seen_at
    FROM workflows_transition t
   WHERE t.connection_id = %(connection)s AND t.model = {model} AND t.workflow = {workflow}
     AND t.odoo_id = ANY(%(ids)s) AND t.from_stage = ''
     AND NOT EXISTS (SELECT 1 FROM workflows_transition taken
                      WHERE taken.connection_id = t.connection_id AND taken.model = t.model
                        AND taken.odoo_id = t.odoo_id AND taken.workflow = t.workflow AND taken.tracking_id IS NOT NULL)
   ORDER BY t.odoo_id, t.id
), known AS (
  -- Beyond a change whose words no language has, nothing is known of the record.
  SELECT s.*, COALESCE(max(c.tracking_id) FILTER (WHERE c.old IS NULL OR c.new IS NULL), 0) AS after,
         min(c.at) AS first_at
    FROM sight s
    JOIN mirror_trackedchange c
      ON c.connection_id = %(connection)s AND c.model = {model} AND c.odoo_id = s.odoo_id AND c.field = ANY({fields})
   GROUP BY s.id, s.odoo_id, s.to_stage, s.at, s.seen_at
), steps AS (
  -- What was imported can be younger than its own messages.
  SELECT k.odoo_id, k.after, LEAST(r.create_date, k.first_at) AS at, k.after AS last_id, {creator} AS author,
         '' AS told, TRUE AS is_first
    FROM known k
    JOIN {table} r ON r.connection_id = %(connection)s AND r.odoo_id = k.odoo_id
   UNION ALL
  SELECT k.odoo_id, k.after, max(c.at), max(c.tracking_id), max(c.author), string_agg(c.told, ', ' ORDER BY c.tracking_id), FALSE
    FROM known k
    JOIN mirror_trackedchange c
      ON c.connection_id = %(connection)s AND c.model = {model} AND c.odoo_id = k.odoo_id AND c.field = ANY({fields})
     AND c.tracking_id > k.after AND c.at <= k.seen_at
   GROUP BY k.odoo_id, k.after, c.message_id
), placed AS (
  SELECT r.odoo_id, r.after, r.at, r.last_id, r.author, r.told, r.is_first,
         (array_remove(ARRAY[{candidates}]::text[], NULL))[1] AS stage
    FROM (SELECT s.*, {replayed}
            FROM steps s
            JOIN {table} today ON today.connection_id = %(connection)s AND today.odoo_id = s.odoo_id) AS r
), moves AS (
  SELECT *, lag(stage) OVER (PARTITION BY odoo_id ORDER BY last_id, is_first DESC) AS from_stage
    FROM placed
   WHERE stage IS NOT NULL
), told AS (
  SELECT m.*, row_number() OVER (PARTITION BY m.odoo_id ORDER BY m.last_id DESC, m.is_first) = 1 AS is_last
    FROM moves m
   WHERE m.stage IS DISTINCT FROM m.from_stage AND NOT (m.is_first AND m.after > 0)
), kept AS (
  INSERT INTO workflows_transition
    (connection_id, workflow, model, odoo_id, from_stage, to_stage, at, seen_at, tracking_id, author, told, company_id)
  SELECT %(connection)s, {workflow}, {model}, t.odoo_id, COALESCE(t.from_stage, ''), t.stage, t.at, %(now)s, t.last_id,
         t.author, t.told, today.company_id
    FROM told t
    JOIN known k ON k.odoo_id = t.odoo_id
    JOIN {table} today ON today.connection_id = %(connection)s AND today.odoo_id = t.odoo_id
   WHERE NOT (t.is_last AND t.stage = k.to_stage)
  RETURNING 1
), sighted AS (
  UPDATE workflows_transition seen
     SET from_stage = CASE WHEN t.stage = k.to_stage THEN COALESCE(t.from_stage, '') ELSE t.stage END,
         at = CASE WHEN t.stage = k.to_stage THEN t.at ELSE GREATEST(seen.at, t.at) END,
         tracking_id = CASE WHEN t.stage = k.to_stage THEN t.last_id END,
         author = CASE WHEN t.stage = k.to_stage THEN t.author ELSE '' END,
         told = CASE WHEN t.stage = k.to_stage THEN t.told ELSE '' END
    FROM told t
    JOIN known k ON k.odoo_id = t.odoo_id
   WHERE t.is_last AND seen.id = k.id
  RETURNING new.id, new.odoo_id, new.to_stage, new.at, (new.tracking_id IS NOT NULL)::int AS is_taken
), moved AS (
  -- Who has stood there for longer than was thought is looked at again at once: it may be stuck.
  UPDATE workflows_position p
     SET since = s.at, due_at = p.due_at + (s.at - p.since),
         look_again_at = CASE WHEN p.is_open THEN %(now)s ELSE p.look_again_at END
    FROM sighted s
   WHERE p.connection_id = %(connection)s AND p.workflow = {workflow} AND p.odoo_id = s.odoo_id AND p.stage = s.to_stage
     AND NOT EXISTS (SELECT 1 FROM workflows_transition later
                      WHERE later.connection_id = p.connection_id AND later.model = {model} AND later.odoo_id = p.odoo_id
                        AND later.workflow = p.workflow AND later.id > s.id)
)
SELECT (SELECT count(*) FROM kept) + (SELECT COALESCE(sum(is_taken), 0) FROM sighted)
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
    statement = BUILD.format(
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

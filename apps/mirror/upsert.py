"""Writing a batch of rows as Odoo gave them: COPY into a staging table, then one INSERT that skips what is not news."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from operator import itemgetter
from typing import Any, cast

from django.db import connection as database
from psycopg import sql

from apps.mirror.declare import Day, Ids, Many2one, Mirrored, Moment, Number, OdooField, Text


class InvalidRowsError(ValueError):
    """Some of the rows hold what their columns do not; the message names the field."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What a batch really changed in the mirror, by Odoo's ids."""

    connection_id: int
    model: str
    inserted: set[int] = field(default_factory=set)
    updated: set[int] = field(default_factory=set)
    deleted: set[int] = field(default_factory=set)
    written_at: Mapping[int, datetime] = field(default_factory=dict)
    # What updated rows pointed at before and no longer do, by its column: who has lost a line is evaluated as who has got it.
    left: Mapping[str, set[int]] = field(default_factory=dict)

    @property
    def ids(self) -> set[int]:
        """All of them."""
        return self.inserted | self.updated | self.deleted

    def __bool__(self) -> bool:
        return bool(self.inserted or self.updated or self.deleted)


# One a model and session, without the mirror's constraints and indexes. Not ON COMMIT DELETE ROWS: then every commit
# would go through the staging tables of all models that the session has written, which cost more than the batch itself.
# What PostgreSQL takes and nothing can be counted with is refused here: NaN, infinite dates, lists in lists.
STAGE = "CREATE TEMP TABLE IF NOT EXISTS {staging} ({definitions}, CHECK ({checks}))"
CHECKS: Mapping[type[OdooField], str] = {
    Number: "{0} <> 'NaN'",
    Moment: "isfinite({0})",
    Day: "isfinite({0})",
    Ids: "COALESCE(array_ndims({0}), 1) = 1 AND array_position({0}, NULL) IS NULL",
}
# How long the texts are that Odoo writes for a day and for a time: what has another length is looked at closely.
LENGTHS_OF_DATES = {10, 19}

TEXTUAL = {str, bool, type(None)}
TEMPORAL = TEXTUAL | {date, datetime}
ALWAYS = ("id", "create_date", "write_date")
COPY = "COPY {staging} (odoo_id, create_date, write_date, {columns}) FROM STDIN"

# Newest read wins: an older read that ends later is dropped, and a row that says nothing new is left alone.
# The connection is held once for the whole batch, in place of a foreign key that would ask for every row: a connection
# that is being removed waits, and of one that is gone nothing is written.
MERGE = """
WITH held AS MATERIALIZED (SELECT id FROM odoo_connection WHERE id = %(connection)s FOR KEY SHARE)
INSERT INTO {table} AS m (connection_id, odoo_id, read_at, create_date, write_date, {columns})
SELECT held.id, odoo_id, %(read_at)s, create_date, write_date, {columns} FROM {staging}, held ORDER BY odoo_id
ON CONFLICT (connection_id, odoo_id) DO UPDATE
   SET (read_at, deleted_at, create_date, write_date, {columns}) =
       ROW (excluded.read_at, NULL, excluded.create_date, excluded.write_date, {excluded})
 WHERE m.read_at <= excluded.read_at
   AND (%(rebuild)s OR m.write_date IS NULL OR m.write_date <= excluded.write_date OR m.deleted_at IS NOT NULL)
   AND (m.deleted_at IS NOT NULL OR (m.write_date, {current}) IS DISTINCT FROM (excluded.write_date, {excluded}))
RETURNING new.odoo_id, old.odoo_id IS NULL, new.write_date, {left}, {moved}
"""

# What a restored database says again is no change.
REMEMBER = """
INSERT INTO {table} (connection_id, model, odoo_id, field, old, new, at)
SELECT %(connection)s, %(model)s, m.odoo_id, f.key, (f.value ->> 0)::{kind}, (f.value ->> 1)::{kind}, m.at
  FROM unnest(%(ids)s::bigint[], %(moved)s::text[], %(at)s::timestamptz[]) AS m(odoo_id, moved, at), jsonb_each(m.moved::jsonb) AS f
 WHERE f.key = ANY(%(names)s)
"""
REMEMBER_DATES = REMEMBER.format(table="mirror_datechange", kind="timestamptz")
REMEMBER_NUMBERS = REMEMBER.format(table="mirror_numberchange", kind="numeric")

CONFIRM = """
UPDATE {table} SET read_at = %(read_at)s
 WHERE connection_id = %(connection)s AND odoo_id = ANY(%(ids)s) AND read_at < %(read_at)s AND deleted_at IS NULL
"""

BURY = """
UPDATE {table} SET deleted_at = %(now)s, read_at = %(read_at)s
 WHERE connection_id = %(connection)s AND odoo_id = ANY(%(ids)s) AND deleted_at IS NULL AND read_at <= %(read_at)s
RETURNING odoo_id
"""


def apply(
    model: type[Mirrored],
    *,
    connection_id: int,
    rows: Sequence[Mapping[str, Any]],
    read_at: datetime,
    rebuild: bool = False,
    is_examined: bool = False,
) -> Changes:
    """Write ``rows`` into the mirror, in the caller's transaction; what really changed.

    A row that was found gone and is there again lives again. Fields that the rows do not have keep what they hold.

    Args:
        rows: as Odoo gave them, all with the same fields, ``id`` and the two dates among them; many2one as ids.
        read_at: when the read began. A row already read later stays.
        rebuild: also take rows whose ``write_date`` went back (a restored database).
        is_examined: the rows come from :func:`apps.mirror.validation.examined`.

    Raises:
        InvalidRowsError, or an error of the database: a row has a value that its column cannot hold, and nothing was written
            (:func:`apps.mirror.sync.storing.store` finds which, and writes the others).
    """
    if not rows:
        return Changes(connection_id=connection_id, model=model.odoo_model)
    if not is_examined:
        _check_types(model, rows)
    present = [name for name in [*model.odoo_fields(), *model.per_company()] if name in rows[0]]
    names = _names(model, present)
    with database.cursor() as cursor:
        cursor.execute(_stage(model))
        cursor.execute(sql.SQL("TRUNCATE {staging}").format(**names))
        with cursor.copy(sql.SQL(COPY).format(**names)) as stream:
            # The innermost loop of the first read: a call a value here would cost half as much as all of psycopg does.
            values_of = itemgetter(*ALWAYS, *present)
            when_false = [None] * len(ALWAYS) + [model._meta.get_field(name).when_false for name in present]  # type: ignore[union-attr]
            # One row an id: a second one of the same id, in one read, could only be the same.
            for row in {row["id"]: row for row in rows}.values():
                stream.write_row(
                    [empty if value is False else value for value, empty in zip(values_of(row), when_false, strict=True)]
                )
        cursor.execute(sql.SQL(MERGE).format(**names), {"connection": connection_id, "read_at": read_at, "rebuild": rebuild})
        merged = cursor.fetchall()
        moved = [] if rebuild else [(odoo_id, before, at) for odoo_id, _, at, _, before in merged if before and at]
        if moved:
            ids, before, at = (list(column) for column in zip(*moved, strict=True))
            values = {"connection": connection_id, "model": model.odoo_model, "ids": ids, "moved": before, "at": at}
            for statement, kind in ((REMEMBER_DATES, Moment), (REMEMBER_NUMBERS, Number)):
                if kept := [name for name in model.remembered if isinstance(model._meta.get_field(name), kind)]:
                    cursor.execute(statement, cast("dict[str, Any]", values | {"names": kept}))
    left: dict[str, set[int]] = {}
    for *_, pointed_at, _ in merged:
        for column, ids in (json.loads(pointed_at) if pointed_at else {}).items():
            left.setdefault(column, set()).update(ids if isinstance(ids, list) else [ids])
    return Changes(
        connection_id=connection_id,
        model=model.odoo_model,
        inserted={odoo_id for odoo_id, is_new, *_ in merged if is_new},
        updated={odoo_id for odoo_id, is_new, *_ in merged if not is_new},
        written_at={odoo_id: written_at for odoo_id, _, written_at, *_ in merged if written_at},
        left=left,
    )


def _check_types(model: type[Mirrored], rows: Sequence[Mapping[str, Any]]) -> None:
    """Check column by column the types that the database would convert in silence; raise InvalidRowsError where one is wrong."""
    width = len(rows[0])
    if any(len(row) != width for row in rows):
        raise InvalidRowsError(f"Rows of {model.odoo_model} have different fields.")
    for column in model._meta.concrete_fields:
        if column.name not in rows[0] or not isinstance(column, Text | Moment | Day):
            continue
        values = [row[column.name] for row in rows]
        types, allowed = set(map(type, values)), TEXTUAL if isinstance(column, Text) else TEMPORAL
        if not types <= allowed or (bool in types and any(value is True for value in values)):
            raise InvalidRowsError(f"{model.odoo_model}.{column.name} holds what is no text.")
        if isinstance(column, Text):
            continue
        if not {len(value) for value in values if value and isinstance(value, str)} <= LENGTHS_OF_DATES:
            raise InvalidRowsError(f"{model.odoo_model}.{column.name} holds dates of unusual form.")


def confirm(model: type[Mirrored], *, connection_id: int, odoo_ids: Collection[int], read_at: datetime) -> None:
    """Note that records were read again and are as they were, in the caller's transaction."""
    if odoo_ids:
        with database.cursor() as cursor:
            cursor.execute(
                sql.SQL(CONFIRM).format(**_names(model)),
                {"connection": connection_id, "ids": sorted(odoo_ids), "read_at": read_at},
            )


def mark_deleted(
    model: type[Mirrored], *, connection_id: int, odoo_ids: Collection[int], read_at: datetime, now: datetime
) -> Changes:
    """Mark records as gone from Odoo, in the caller's transaction; which ones really were still there.

    A row that was read after ``read_at`` stays: it was seen later than it was missed.
    """
    if not odoo_ids:
        return Changes(connection_id=connection_id, model=model.odoo_model)
    with database.cursor() as cursor:
        cursor.execute(
            sql.SQL(BURY).format(**_names(model)),
            {"connection": connection_id, "ids": sorted(odoo_ids), "read_at": read_at, "now": now},
        )
        gone = {odoo_id for (odoo_id,) in cursor.fetchall()}
    return Changes(connection_id=connection_id, model=model.odoo_model, deleted=gone, written_at=dict.fromkeys(gone, now))


def _left(model: type[Mirrored], fields: Sequence[str]) -> sql.Composable:
    """SQL of what an updated row pointed at before and no longer does, as JSON by column; nothing of most rows."""
    pointing = [one for one in model._meta.concrete_fields if one.name in fields and isinstance(one, Many2one | Ids)]
    if not pointing:
        return sql.SQL("NULL")
    pairs = [
        sql.SQL("{}, CASE WHEN old.{column} IS DISTINCT FROM new.{column} THEN to_jsonb(old.{column}) END").format(
            sql.Literal(one.name), column=sql.Identifier(one.name)
        )
        for one in pointing
    ]
    found = sql.SQL("NULLIF(jsonb_strip_nulls(jsonb_build_object({})), '{{}}')::text").format(sql.SQL(", ").join(pairs))
    return sql.SQL("CASE WHEN old.odoo_id IS NOT NULL THEN {} END").format(found)


def _moved(model: type[Mirrored], fields: Sequence[str]) -> sql.Composable:
    """SQL of what the remembered columns of an updated row were and are, as JSON by column; NULL where none was changed."""
    remembered = [name for name in model.remembered if name in fields]
    if not remembered:
        return sql.SQL("NULL")
    pairs = [
        sql.SQL("{}, CASE WHEN old.{column} <> new.{column} THEN jsonb_build_array(old.{column}, new.{column}) END").format(
            sql.Literal(name), column=sql.Identifier(name)
        )
        for name in remembered
    ]
    found = sql.SQL("NULLIF(jsonb_strip_nulls(jsonb_build_object({})), '{{}}')::text").format(sql.SQL(", ").join(pairs))
    return sql.SQL("CASE WHEN old.odoo_id IS NOT NULL THEN {} END").format(found)


def _names(model: type[Mirrored], fields: Sequence[str] = ()) -> dict[str, sql.Composable]:
    """The names that the statements speak of."""
    table, columns = model._meta.db_table, [sql.Identifier(name) for name in fields]
    return {
        "table": sql.Identifier(table),
        "staging": sql.Identifier(f"staging_{table}"),
        "columns": sql.SQL(", ").join(columns),
        "excluded": sql.SQL(", ").join(sql.SQL("excluded.{}").format(column) for column in columns),
        "left": _left(model, fields),
        "moved": _moved(model, fields),
        "current": sql.SQL(", ").join(sql.SQL("m.{}").format(column) for column in columns),
    }


@cache
def _stage(model: type[Mirrored]) -> str:
    """The statement that makes the model's staging table where the session has none yet."""
    named = {"odoo_id", "create_date", "write_date", *model.odoo_fields(), *model.per_company()}
    staged = [one for one in model._meta.concrete_fields if one.name in named]
    definitions = [sql.SQL("{} {}").format(sql.Identifier(one.attname), sql.SQL(str(one.db_type(database)))) for one in staged]
    checks = [
        sql.SQL(f"COALESCE({check}, TRUE)").format(sql.Identifier(one.attname))
        for one in staged
        for kind, check in CHECKS.items()
        if isinstance(one, kind)
    ]
    statement = sql.SQL(STAGE).format(
        staging=sql.Identifier(f"staging_{model._meta.db_table}"),
        definitions=sql.SQL(", ").join(definitions),
        checks=sql.SQL(" AND ").join(checks),
    )
    return statement.as_string()

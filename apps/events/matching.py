"""Which record an event is about, by the references that other systems use.

What a person once matched a reference with holds for what comes later with it. Else the reference is looked for in the
model's columns in their order; the first column in which records have it decides. Where none has it as it is written, it is
looked for as people write such references: without regard to capitals, spaces, dashes, leading zeros and words such as "PO",
and among several tracking numbers in one field (the database functions ``reference_key`` and ``tracking_keys``). Of several
records those that have not ended count. Where there is still more than one, a person decides.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import connection as database
from psycopg import sql

from apps.core import statements
from apps.core.indexes import PREFIX_LENGTH
from apps.events import registry
from apps.events.declare import OF_SEVERAL
from apps.mirror import registry as mirror

PREFIX = sql.Literal(PREFIX_LENGTH)
NONE_FOUND = "No record has this reference yet."
SEVERAL_FOUND = "Several records have this reference."

FOUND = """
SELECT w.connection_id, w.reference, m.odoo_id, {rank} AS rank, NOT COALESCE(m.{state} = ANY(%(ended)s), FALSE) AS is_open
  FROM wanted w JOIN {table} m ON m.connection_id = w.connection_id AND left(m.{column}, {prefix}) = left(w.reference, {prefix})
   AND m.{column} = w.reference
 WHERE m.{column} <> '' AND m.deleted_at IS NULL
"""

# As people write it. What is left of a reference must tell something: "12" may be anybody's.
ALIKE = """
SELECT w.connection_id, w.reference, m.odoo_id, {rank} AS rank, NOT COALESCE(m.{state} = ANY(%(ended)s), FALSE) AS is_open
  FROM wanted w JOIN {table} m ON m.connection_id = w.connection_id AND reference_key(m.{column}) = reference_key(w.reference)
 WHERE length(reference_key(w.reference)) >= 3 AND m.deleted_at IS NULL
"""
AMONG_SEVERAL = """
SELECT w.connection_id, w.reference, m.odoo_id, {rank} AS rank, NOT COALESCE(m.{state} = ANY(%(ended)s), FALSE) AS is_open
  FROM wanted w JOIN {table} m
    ON m.connection_id = w.connection_id AND tracking_keys(m.{column}) @> ARRAY[tracking_key(w.reference)]
 WHERE length(tracking_key(w.reference)) >= 3 AND m.deleted_at IS NULL
"""

# A person said so before; that outranks all columns.
SETTLED = """
SELECT DISTINCT w.connection_id, w.reference, p.odoo_id, -1 AS rank, TRUE AS is_open
  FROM wanted w JOIN events_event p ON p.connection_id = w.connection_id AND p.model = %(model)s
   AND left(p.reference, {prefix}) = left(w.reference, {prefix}) AND p.reference = w.reference
 WHERE p.status = 'matched' AND p.settled_at IS NOT NULL
"""

# Driven by the events that wait, of which there are few, and only by those that a changed record may be meant by.
AWAITED = """
SELECT e.id FROM {table} m JOIN events_event e
    ON e.connection_id = m.connection_id AND e.model = %(model)s AND e.status = 'unmatched'
   AND (left(e.reference, {prefix}) IN ({prefixes}) AND e.reference IN ({columns}) OR {alike})
 WHERE m.connection_id = %(connection)s AND m.odoo_id = ANY(%(ids)s)
"""


def match(event_ids: Collection[int]) -> None:
    """Match those of the events that are not matched, in the caller's transaction."""
    for model, reference in registry.references().items():
        table, state = sql.Identifier(mirror.models()[model]._meta.db_table), sql.Identifier(reference.state)
        found = [
            sql.SQL(statement).format(
                rank=sql.Literal(rank), table=table, column=sql.Identifier(column), state=state, prefix=PREFIX
            )
            for rank, (statement, column) in enumerate(
                [
                    *((FOUND, column) for column in reference.columns),
                    *((AMONG_SEVERAL if column in OF_SEVERAL else ALIKE, column) for column in reference.columns),
                ]
            )
        ]
        found.append(sql.SQL(SETTLED).format(prefix=PREFIX))
        facts: dict[str, Any] = {
            "ids": sorted(event_ids),
            "model": model,
            "none": NONE_FOUND,
            "several": SEVERAL_FOUND,
            "ended": list(reference.ended),
        }
        with database.cursor() as cursor:
            cursor.execute(statements.compose(__file__, "match_events", found=sql.SQL(" UNION ALL ").join(found)), facts)


def match_again(connection_id: int, changed: Mapping[str, Mapping[int, datetime]]) -> None:
    """Match events that wait for a reference which one of the ``changed`` records may bring, in their transaction."""
    references = registry.references()
    for model in references.keys() & changed.keys():
        columns = [sql.SQL("m.{}").format(sql.Identifier(column)) for column in references[model].columns]
        prefixes = [sql.SQL("left({}, {})").format(column, PREFIX) for column in columns]
        table = sql.Identifier(mirror.models()[model]._meta.db_table)
        with database.cursor() as cursor:
            cursor.execute(
                sql.SQL(AWAITED).format(
                    table=table,
                    columns=sql.SQL(", ").join(columns),
                    prefixes=sql.SQL(", ").join(prefixes),
                    prefix=PREFIX,
                    alike=sql.SQL(" OR ").join(map(_alike, references[model].columns)),
                ),
                {"connection": connection_id, "model": model, "ids": sorted(changed[model])},
            )
            if awaited := [event_id for (event_id,) in cursor.fetchall()]:
                match(awaited)


def _alike(column: str) -> sql.Composable:
    """Whether record ``m`` may be meant by event ``e``, going by what people write in ``column``."""
    of = sql.Identifier(column)
    if column in OF_SEVERAL:
        return sql.SQL("tracking_key(e.reference) = ANY(tracking_keys(m.{}))").format(of)
    return sql.SQL("reference_key(e.reference) = reference_key(m.{})").format(of)

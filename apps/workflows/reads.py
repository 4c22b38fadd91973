"""What facts read of other records, and whether a change there reaches the record.

A record is evaluated again when it changes itself, when time has made it due, and when a record changes that one of the
workflow's dependencies leads from. What else is read goes stale. So each mirrored table that a fact reads has a dependency, or the
fact says which columns go without and why (:class:`apps.workflows.declare.Unwatched`).

Nobody writes down what is read: the SQL says it. The tables are told by its text, as every workflow loads; the columns by
PostgreSQL, which notes for each view what it rests on (:func:`columns_read`): in tests, and in the check of the database for
what extensions declare.

Blockers, lines and suggested actions are asked for as a page is drawn and are never stale. Of the tower's own tables, an event, a
parameter and the record's own position wake the record wherever they are written.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache

import psycopg
from django.db import connection as database
from django.db import transaction
from django.db.backends.utils import CursorWrapper

from apps.mirror import registry as mirror
from apps.mirror.declare import OWN_COLUMNS
from apps.workflows.declare import Fact, Unwatched, Workflow

# What no fact need say: whoever reads it.
NEVER_WATCHED = (
    Unwatched(
        model="res.company",
        columns=["currency_id", "parent_id"],
        because="Odoo refuses another currency for a company with journal entries, and another parent for any.",
    ),
    Unwatched(
        model="res.currency",
        columns=["name", "rounding", "decimal_places"],
        because="A code is ISO's, and Odoo refuses fewer decimals once there are journal entries.",
    ),
    Unwatched(model="product.product", columns=["product_tmpl_id"], because="A variant stays with its template."),
)
# Functions of the database that read the mirror, and why what they read wakes nothing.
FUNCTIONS = {
    "company_zone": "What is due was worked out in the former zone, and is worked out anew when it comes: hours late at the most.",
}
MIRRORED = re.compile(r"mirror_\w+")
# What tells which record and that it is there: who joins by it depends on the record, not on the column.
OF_EACH_ROW = {*OWN_COLUMNS, "connection_id"} - {"create_date", "write_date"}

COLUMNS_OF_VIEW = """
SELECT DISTINCT t.relname, a.attname
  FROM pg_rewrite w
  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
   AND d.refobjsubid > 0
  JOIN pg_class t ON t.oid = d.refobjid
  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
 WHERE w.ev_class = %s::regclass
"""
FUNCTIONS_OF_VIEW = """
SELECT DISTINCT f.proname, f.prosrc
  FROM pg_rewrite w
  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_proc'::regclass
  JOIN pg_proc f ON f.oid = d.refobjid
 WHERE w.ev_class = %s::regclass
"""


def problems(workflow: Workflow) -> Iterator[str]:
    """Yield which tables its facts read of which a change would not be seen, and which reasons are none, with the remedy."""
    watched, models = {dependency.model for dependency in workflow.dependencies}, _models()
    for fact in _parts(workflow):
        read = _models_in(fact.sql, models)
        excused = {one.model for one in fact.unwatched}
        for name in sorted(read - watched - excused - _never_watched().keys()):
            yield _missing(workflow, fact, name)
        for one in fact.unwatched:
            if not one.because.strip():
                yield f"{_of(workflow, fact)} gives no reason why {one.model} is not watched. Say it."
            elif one.model in watched:
                yield f"{_of(workflow, fact)} says that {one.model} is not watched, and a dependency is on it. Leave one out."
            elif one.model not in read:
                yield f"{_of(workflow, fact)} says that {one.model} is not watched, and reads nothing of it. Leave that out."


def problems_of_columns(workflow: Workflow) -> Iterator[str]:
    """Yield the same by column, as PostgreSQL understands the SQL; the tables have to be there."""
    watched = {dependency.model for dependency in workflow.dependencies}
    for fact, read in columns_read(workflow):
        for name in sorted(read.keys() - watched):
            declared = {column for one in fact.unwatched if one.model == name for column in one.columns}
            excused = declared | _never_watched().get(name, set())
            if missing := read[name] - excused:
                yield _missing(workflow, fact, name, missing)
            if surplus := sorted(declared - read[name]):
                yield f"{_of(workflow, fact)} does not read {', '.join(surplus)} of {name}. Leave that out of what is not watched."


def columns_read(workflow: Workflow) -> list[tuple[Fact, Mapping[str, set[str]]]]:
    """Return each fact with the columns that it reads of mirrored models, beside those of the record that it is about.

    Each is made a view for a moment, over an empty table in place of the record and of each fact before it.
    """
    table = mirror.models()[workflow.odoo_model]._meta.db_table
    found = []
    with transaction.atomic(), database.cursor() as cursor:
        quoted = psycopg.ClientCursor(cursor.connection)
        cursor.execute(f"CREATE TEMP TABLE reads_record (LIKE {table})")
        before = ["reads_record AS r"]
        for number, fact in enumerate(_parts(workflow)):
            statement = quoted.mogrify(fact.sql, {"connection": 0, "ids": [], "now": datetime(2000, 1, 1, tzinfo=UTC)})
            joined = " CROSS JOIN ".join([*before, f"LATERAL ({statement}) AS f"])
            cursor.execute(f"CREATE TEMP VIEW reads_view AS SELECT f.* FROM {joined}")
            found.append((fact, _read_by_view(cursor)))
            cursor.execute(f"CREATE TEMP TABLE reads_fact_{number} AS SELECT * FROM reads_view WITH NO DATA")
            cursor.execute("DROP VIEW reads_view")
            before.append(f'reads_fact_{number} AS "{fact.name}"')
        transaction.set_rollback(True)
    return found


def _read_by_view(cursor: CursorWrapper) -> Mapping[str, set[str]]:
    models = _models()
    found: dict[str, set[str]] = defaultdict(set)
    cursor.execute(COLUMNS_OF_VIEW, ["reads_view"])
    for table, column in cursor.fetchall():
        if table in models and column not in OF_EACH_ROW:
            found[models[table]].add(column)
    cursor.execute(FUNCTIONS_OF_VIEW, ["reads_view"])
    for name, source in cursor.fetchall():
        if name not in FUNCTIONS:
            for model in _models_in(source, models):
                found[model].add(f"whatever {name}() reads")
    return found


def _parts(workflow: Workflow) -> list[Fact]:
    """The facts, and which records belong: where that rests on other records it has to be seen at once, without exception."""
    belongs = Fact(name="belongs", columns=["belongs"], sql=f"SELECT ({workflow.belongs_sql or 'TRUE'}) AS belongs")
    return [*workflow.facts, belongs]


def _missing(workflow: Workflow, fact: Fact, model: str, columns: set[str] | None = None) -> str:
    what = f"{', '.join(sorted(columns))} of {model}" if columns else model
    excuse = f"unwatched=[Unwatched(model={model!r}, columns={sorted(columns or [])}, because=...)]"
    return (
        f"{_of(workflow, fact)} reads {what}, and a change there wakes no record of {workflow.name}. Add a Dependency on {model}"
        + (f", or say in the fact why it may be: {excuse}." if fact in workflow.facts else ".")
    )


def _of(workflow: Workflow, fact: Fact) -> str:
    return f"Workflow {workflow.name}: fact {fact.name}"


def _models_in(text: str, models: Mapping[str, str]) -> set[str]:
    return {models[table] for table in MIRRORED.findall(text.lower()) if table in models}


def _models() -> Mapping[str, str]:
    """Odoo's name of each mirrored model, by its table."""
    return {model._meta.db_table: name for name, model in mirror.models().items()}


@cache
def _never_watched() -> Mapping[str, set[str]]:
    return {one.model: set(one.columns) for one in NEVER_WATCHED}

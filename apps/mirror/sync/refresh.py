"""Reading records again by their ids: what a webhook hinted at, what a command touched, what a comparison found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.intake import dead_letters
from apps.intake.dead_letters import STORING
from apps.mirror import registry, upsert
from apps.mirror.declare import Mirrored
from apps.mirror.sync import companies, reading, storing
from apps.mirror.upsert import Changes
from apps.mirror.validation import Refused
from apps.odoo.client import OdooClient

# Odoo answers a read of a thousand rows in some 60 ms; larger batches gain little and hold its worker longer.
BATCH = 1_000

# Whether a record that is not found is gone, or hidden by a rule, can only be asked one by one.
ASKED_ONE_BY_ONE = 20

OnChanges = Callable[[list[Changes]], None]


@dataclass(frozen=True, kw_only=True)
class Read:
    """What one read of one model gave: rows, the ids that Odoo no longer has, and the records that it fails to read."""

    model: type[Mirrored]
    read_at: datetime
    rows: list[dict[str, Any]] = field(default_factory=list)
    absent: set[int] = field(default_factory=set)
    refused: list[Refused] = field(default_factory=list)


def read(client: OdooClient, model: type[Mirrored], ids: Sequence[int], *, now: datetime) -> list[Read]:
    """Read ``ids`` of ``model``, archived ones too, with the rows that belong to them. Calls Odoo, writes nothing.

    An id that Odoo does not give back, asked twice and the second time on its primary, is gone: the search leaves out
    neither archived records nor those of the other companies that the login may see. A record that vanishes between
    two calls shows up as absent, never as an error. What an access rule hides is not gone: it stays as it was last seen,
    for the comparison to judge, which knows how much is hidden at once.
    """
    rows: list[dict[str, Any]] = []
    refused: list[Refused] = []
    fields = fields_to_read(client, model)
    for start in range(0, len(ids), BATCH):
        some = reading.read(client, model, ids[start : start + BATCH], fields)
        rows, refused = rows + some.rows, refused + some.refused
    absent = set(ids) - _ids_of(rows) - {one.odoo_id for one in refused}
    if absent:
        some = _read_on_primary(client, model, absent, fields)
        rows, refused = rows + some.rows, refused + some.refused
        absent -= _ids_of(some.rows) | {one.odoo_id for one in some.refused}
        if hidden(client, model, sorted(absent)[:ASKED_ONE_BY_ONE]):
            absent = set()
    companies.add_values(client, model, rows)
    reads = [Read(model=model, read_at=now, rows=rows, absent=absent, refused=refused)]
    for child_name, link in model.children:
        if not client.connection.lacks(child_name):
            reads.append(_read_children(client, registry.models()[child_name], link, ids, now))
    return reads


def fields_to_read(client: OdooClient, model: type[Mirrored]) -> list[str]:
    """The fields that this connection's Odoo has, with those that every record has."""
    return ["id", "create_date", "write_date", *model.fields_at(client.connection)]


def write(
    reads: Sequence[Read], *, connection_id: int, on_changes: OnChanges, now: datetime, rebuild: bool = False
) -> list[Changes]:
    """Write what was read, in the caller's transaction, and hand on what really changed.

    ``rebuild`` also takes rows whose ``write_date`` went back.
    """
    changes: list[Changes] = []
    for one in reads:
        for start in range(0, len(one.rows), BATCH):
            rows = one.rows[start : start + BATCH]
            changes += storing.store(
                one.model, connection_id=connection_id, rows=rows, read_at=one.read_at, now=now, rebuild=rebuild
            )
        storing.refuse(one.model, connection_id, one.refused, now=now)
        changes.append(
            upsert.mark_deleted(one.model, connection_id=connection_id, odoo_ids=one.absent, read_at=one.read_at, now=now)
        )
        # What is gone fails no more.
        if one.absent:
            dead_letters.resolve(STORING, connection_id, one.model.odoo_model, one.absent, now=now)
    changes = [change for change in changes if change]
    if changes:
        on_changes(changes)
    return changes


def hidden(client: OdooClient, model: type[Mirrored], ids: Sequence[int]) -> bool:
    """Whether any of ``ids``, which no search finds, is there after all, hidden from the login by a rule."""
    return any(client.hides(model.odoo_model, odoo_id) for odoo_id in ids)


def _read_on_primary(client: OdooClient, model: type[Mirrored], ids: set[int], fields: Sequence[str]) -> reading.Rows:
    """Those of ``ids`` that are there after all: a replica may not have them yet."""
    found = reading.Rows()
    ordered = sorted(ids)
    for start in range(0, len(ordered), BATCH):
        some = reading.read(client, model, ordered[start : start + BATCH], fields, primary=True)
        found.rows += some.rows
        found.refused += some.refused
    return found


def _ids_of(rows: Sequence[dict[str, Any]]) -> set[int]:
    return {row["id"] for row in rows if isinstance(row.get("id"), int)}


def _read_children(client: OdooClient, child: type[Mirrored], link: str, parents: Sequence[int], now: datetime) -> Read:
    """The rows of ``child`` whose ``link`` is one of ``parents``, and those that no longer are anywhere."""
    rows: list[dict[str, Any]] = []
    refused: list[Refused] = []
    fields = fields_to_read(client, child)
    for start in range(0, len(parents), BATCH):
        some, last = list(parents[start : start + BATCH]), 0
        while True:
            domain = [(link, "in", some), ("id", ">", last)]
            page = reading.page(client, child, domain, fields, limit=BATCH)
            rows, refused = rows + page.rows, refused + page.refused
            if page.last is None:
                break
            last = page.last
    known = child.objects.filter(connection=client.connection, deleted_at=None, **{f"{link}__in": list(parents)})
    missing = set(known.values_list("odoo_id", flat=True)) - _ids_of(rows) - {one.odoo_id for one in refused}
    # What left this parent may have gone to another: only what Odoo does not have at all is gone.
    elsewhere = _read_on_primary(client, child, missing, fields)
    companies.add_values(client, child, [*rows, *elsewhere.rows])
    there = _ids_of(elsewhere.rows) | {one.odoo_id for one in elsewhere.refused}
    return Read(model=child, read_at=now, rows=rows + elsewhere.rows, absent=missing - there, refused=refused + elsewhere.refused)

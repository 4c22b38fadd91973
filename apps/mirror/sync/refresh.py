"""Reading records again by their ids: what a webhook hinted at, what a command touched, what a comparison found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.mirror import registry, upsert
from apps.mirror.declare import Mirrored
from apps.mirror.upsert import Changes
from apps.odoo.client import OdooClient

# Odoo answers a read of a thousand rows in some 60 ms; larger batches gain little and hold its worker longer.
BATCH = 1_000

# Whether a record that is not found is gone, or hidden by a rule, can only be asked one by one.
ASKED_ONE_BY_ONE = 20

OnChanges = Callable[[list[Changes]], None]


@dataclass(frozen=True, kw_only=True)
class Read:
    """What one read of one model gave: rows, and the ids that Odoo no longer has."""

    model: type[Mirrored]
    read_at: datetime
    rows: list[dict[str, Any]] = field(default_factory=list)
    absent: set[int] = field(default_factory=set)


def read(client: OdooClient, model: type[Mirrored], ids: Sequence[int], *, now: datetime) -> list[Read]:
    """Read ``ids`` of ``model``, archived ones too, with the rows that belong to them. Calls Odoo, writes nothing.

    An id that Odoo does not give back, asked twice and the second time on its primary, is gone: the search leaves out
    neither archived records nor those of the other companies that the login may see. A record that vanishes between
    two calls shows up as absent, never as an error. What an access rule hides is not gone: it stays as it was last seen,
    for the comparison to judge, which knows how much is hidden at once.
    """
    rows: list[dict[str, Any]] = []
    fields = fields_to_read(client, model)
    for start in range(0, len(ids), BATCH):
        rows += client.read(model.odoo_model, ids[start : start + BATCH], fields)
    absent = set(ids) - {row["id"] for row in rows}
    if absent:
        rows += _read_on_primary(client, model, absent, fields)
        absent -= {row["id"] for row in rows}
        if hidden(client, model, sorted(absent)[:ASKED_ONE_BY_ONE]):
            absent = set()
    reads = [Read(model=model, read_at=now, rows=rows, absent=absent)]
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
            changes.append(upsert.apply(one.model, connection_id=connection_id, rows=rows, read_at=one.read_at, rebuild=rebuild))
        changes.append(upsert.bury(one.model, connection_id=connection_id, odoo_ids=one.absent, read_at=one.read_at, now=now))
    changes = [change for change in changes if change]
    if changes:
        on_changes(changes)
    return changes


def hidden(client: OdooClient, model: type[Mirrored], ids: Sequence[int]) -> bool:
    """Whether any of ``ids``, which no search finds, is there after all, hidden from the login by a rule."""
    return any(client.hides(model.odoo_model, odoo_id) for odoo_id in ids)


def _read_on_primary(client: OdooClient, model: type[Mirrored], ids: set[int], fields: Sequence[str]) -> list[dict[str, Any]]:
    """Those of ``ids`` that are there after all: a replica may not have them yet."""
    rows: list[dict[str, Any]] = []
    ordered = sorted(ids)
    for start in range(0, len(ordered), BATCH):
        rows += client.read(model.odoo_model, ordered[start : start + BATCH], fields, primary=True)
    return rows


def _read_children(client: OdooClient, child: type[Mirrored], link: str, parents: Sequence[int], now: datetime) -> Read:
    """The rows of ``child`` whose ``link`` is one of ``parents``, and those that no longer are anywhere."""
    rows: list[dict[str, Any]] = []
    fields = fields_to_read(client, child)
    for start in range(0, len(parents), BATCH):
        some, last = list(parents[start : start + BATCH]), 0
        while True:
            domain = [(link, "in", some), ("id", ">", last)]
            page = client.search_read(child.odoo_model, domain, fields, limit=BATCH, order="id")
            rows += page
            if len(page) < BATCH:
                break
            last = page[-1]["id"]
    known = child.objects.filter(connection=client.connection, deleted_at=None, **{f"{link}__in": list(parents)})
    missing = set(known.values_list("odoo_id", flat=True)) - {row["id"] for row in rows}
    # What left this parent may have gone to another: only what Odoo does not have at all is gone.
    elsewhere = _read_on_primary(client, child, missing, fields)
    return Read(model=child, read_at=now, rows=rows + elsewhere, absent=missing - {row["id"] for row in elsewhere})

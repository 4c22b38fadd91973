"""Reading what Odoo kept of the past: ``mail.tracking.value``, with its messages for date, author and record.

Only the fields that are asked for, and of those only the ones that Odoo tracks; by ascending id, a committed batch at a
time, so that a read that breaks off goes on where it stopped.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection as database
from django.db import transaction

from apps.core.clock import Clock
from apps.intake.dead_letters import storable
from apps.mirror.models import SyncState
from apps.mirror.sync import locks
from apps.mirror.sync.backfill import BATCH, Progress
from apps.mirror.sync.times import known_moment
from apps.odoo.client import OdooClient
from apps.odoo.errors import ForbiddenError, UnsupportedError
from apps.odoo.models import Connection

MODEL = "mail.tracking.value"
Key = tuple[str, str]
# (model, field) → the words that people read, in every language of that Odoo → the value they stand for.
Words = Mapping[Key, Mapping[str, str]]

KEEP = """
INSERT INTO mirror_trackedchange (connection_id, tracking_id, message_id, model, odoo_id, field, old, new, told, author, at)
SELECT %(connection)s, t.*
  FROM unnest(%(tracking_id)s::bigint[], %(message_id)s::bigint[], %(model)s::text[], %(odoo_id)s::bigint[],
              %(field)s::text[], %(old)s::text[], %(new)s::text[], %(told)s::text[], %(author)s::text[],
              %(at)s::timestamptz[]) AS t
ON CONFLICT (connection_id, tracking_id) DO NOTHING
"""
KEPT = ("tracking_id", "message_id", "model", "odoo_id", "field", "old", "new", "told", "author", "at")


VALUES = ("old_value_char", "new_value_char", "old_value_integer", "new_value_integer")


@dataclass(frozen=True, kw_only=True)
class _Field:
    """A tracked field: what it is called, and whether Odoo keeps its values in the words that people read."""

    key: Key
    label: str
    is_in_words: bool


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """What was read of the past.

    Attributes:
        fields: model → those of the fields asked for that Odoo tracks; of no others is anything known about the past.
        rows: changes read now.
        total: changes that there were when it began.
    """

    fields: Mapping[str, Sequence[str]]
    rows: int
    total: int


def run(
    client: OdooClient,
    wanted: Mapping[str, Sequence[str]],
    *,
    connection: Connection,
    clock: Clock,
    progress: Progress | None = None,
    anew: bool = False,
) -> Tracked | None:
    """Read the tracked changes of the ``wanted`` fields (model → names) that are not here yet.

    Returns:
        None where they were all read before, or where this Odoo or this login does not show them; then the state of
        ``mail.tracking.value`` says so in words.

    Raises:
        OdooError: what was read stays; the next run goes on from there.
        SyncBusyError: another process reads the past right now.
    """
    with locks.alone(connection, MODEL) as state:
        if state.backfill_done_at and not anew:
            return None
        if anew:
            state.backfill_cursor, state.backfill_done_at = 0, None
        try:
            return _read(client, wanted, state=state, clock=clock, progress=progress)
        except (ForbiddenError, UnsupportedError):
            SyncState.objects.filter(pk=state.pk).update(
                problem=f"The past cannot be read by '{connection.login}', so history begins with the first read. Give the "
                "login Odoo's Settings right and check the connection again to have it."
            )
            return None


def done(connection: Connection, *, clock: Clock) -> None:
    """Note that what was read has been made use of: it is not read again."""
    SyncState.objects.filter(connection=connection, odoo_model=MODEL).update(backfill_done_at=clock(), problem="")


def _read(
    client: OdooClient, wanted: Mapping[str, Sequence[str]], *, state: SyncState, clock: Clock, progress: Progress | None
) -> Tracked:
    # Called "field" before Odoo 17.
    link = "field_id" if "field_id" in client.fields_get(MODEL, ["type"]) else "field"
    tracked = _tracked(client, wanted)
    words = _words(client, {one.key for one in tracked.values() if one.is_in_words})
    known = {field_id: one for field_id, one in tracked.items() if one.key in words or not one.is_in_words}
    fields: dict[str, list[str]] = defaultdict(list)
    for model, name in sorted(one.key for one in known.values()):
        fields[model].append(name)
    of_them = [(link, "in", sorted(known))]
    state.backfill_total = client.search_count(MODEL, of_them)
    state.save()
    rows = 0
    while True:
        batch = client.search_read(
            MODEL,
            [*of_them, ("id", ">", state.backfill_cursor)],
            ["mail_message_id", link, *VALUES],
            limit=BATCH,
            order="id",
        )
        if not batch:
            return Tracked(fields=fields, rows=rows, total=state.backfill_total)
        messages = {
            row["id"]: row
            for row in client.read(
                "mail.message", sorted({row["mail_message_id"] for row in batch}), ["date", "author_id", "model", "res_id"]
            )
        }
        names = _authors(client, {row["author_id"] for row in messages.values() if row["author_id"]})
        told = [
            _change(row, known[row[link]], messages[row["mail_message_id"]], names, words)
            for row in batch
            # A message can be hidden from the login, with the record that it is about.
            if row["mail_message_id"] in messages and messages[row["mail_message_id"]]["model"] == known[row[link]].key[0]
        ]
        # What has no time is no part of a history.
        changes = [change for change in told if change["at"]]
        state.backfill_cursor = batch[-1]["id"]
        with transaction.atomic():
            with database.cursor() as cursor:
                values = {name: [change[name] for change in changes] for name in KEPT}
                cursor.execute(KEEP, {"connection": state.connection_id, **values})
            SyncState.objects.filter(pk=state.pk).update(backfill_cursor=state.backfill_cursor)
        rows += len(batch)
        if progress:
            progress(rows, state.backfill_total)


def _tracked(client: OdooClient, wanted: Mapping[str, Sequence[str]]) -> dict[int, _Field]:
    """Every tracked field among the wanted ones, by its id in that Odoo."""
    domain = [
        ("model", "in", sorted(wanted)),
        ("name", "in", sorted({name for names in wanted.values() for name in names})),
        ("ttype", "in", ["selection", "boolean"]),
        ("tracking", "!=", False),
        ("tracking", "!=", 0),
    ]
    rows = client.search_read("ir.model.fields", domain, ["model", "name", "ttype", "field_description"])
    return {
        row["id"]: _Field(key=(row["model"], row["name"]), label=row["field_description"], is_in_words=row["ttype"] == "selection")
        for row in rows
        if row["name"] in wanted[row["model"]]
    }


def _words(client: OdooClient, fields: set[Key]) -> dict[Key, dict[str, str]]:
    """What the words of each selection stand for, in every language in which somebody may have read them.

    A word that stands for two values is left out: what it meant cannot be told.
    """
    try:
        languages = [row["code"] for row in client.search_read("res.lang", [("active", "=", True)], ["code"])]
    except (ForbiddenError, UnsupportedError):
        languages = []
    found: dict[Key, dict[str, set[str]]] = {}
    # Odoo's own words last: a term that was never translated is told as it stands in the source.
    for language in [*languages, "en_US"]:
        for model in sorted({model for model, _ in fields}):
            described = client.call(
                model,
                "fields_get",
                allfields=sorted(name for one, name in fields if one == model),
                attributes=["selection"],
                context={"lang": language},
            )
            for name, attributes in described.items():
                meant = found.setdefault((model, name), defaultdict(set))
                for value, word in attributes.get("selection") or ():
                    meant[word].add(value)
    return {
        key: {word: next(iter(values)) for word, values in meant.items() if len(values) == 1}
        for key, meant in found.items()
        if meant
    }


def _authors(client: OdooClient, partners: set[int]) -> dict[int, str]:
    return {row["id"]: row["name"] or "" for row in client.read("res.partner", sorted(partners), ["name"])}


def _change(
    row: Mapping[str, Any], field: _Field, message: Mapping[str, Any], names: Mapping[int, str], words: Words
) -> dict[str, Any]:
    told, values = [], []
    for when in ("old", "new"):
        if field.is_in_words:
            word = row[f"{when}_value_char"] or ""
            told.append(word or "nothing")
            values.append(words[field.key].get(word) if word else "")  # an empty value has no word
        else:
            told.append("yes" if row[f"{when}_value_integer"] else "no")
            values.append("true" if row[f"{when}_value_integer"] else "false")
    return {
        "tracking_id": row["id"],
        "message_id": message["id"],
        "model": field.key[0],
        "odoo_id": message["res_id"],
        "field": field.key[1],
        "old": values[0],
        "new": values[1],
        "told": storable(f"{field.label}: {told[0]} → {told[1]}"),
        "author": storable(names.get(message["author_id"], "")),
        "at": known_moment(message["date"]),
    }

"""Writing what was read, where one odd record stops nothing.

A set goes in whole. Where it fails, its rows are looked at one by one, what cannot be stored becomes a dead letter that names
the record, the field and the remedy, and all others go in.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.core import isolation
from apps.intake import dead_letters
from apps.intake.dead_letters import STORING, DeadLetter
from apps.mirror import upsert, validation
from apps.mirror.declare import Mirrored
from apps.mirror.upsert import Changes
from apps.mirror.validation import Refused

logger = logging.getLogger(__name__)

Rows = Sequence[Mapping[str, Any]]


def store(
    model: type[Mirrored], *, connection_id: int, rows: Rows, read_at: datetime, now: datetime, rebuild: bool = False
) -> list[Changes]:
    """Write ``rows`` into the mirror, in the caller's transaction; what really changed.

    A row that cannot be written is a dead letter, and what the mirror holds of the record stays as it was. One that is
    written resolves the record's dead letter. The arguments are those of :func:`upsert.apply`.

    Raises:
        OperationalError, InterfaceError: the database failed, and no row is to blame.
    """
    if not rows:
        return []
    refused: list[Refused] = []
    try:
        with transaction.atomic():
            changes = [upsert.apply(model, connection_id=connection_id, rows=rows, read_at=read_at, rebuild=rebuild)]
    except Exception as error:
        if isolation.is_of_the_server(error):
            raise
        logger.warning("Rows of %s of connection %s are taken singly: %s", model.odoo_model, connection_id, error)
        changes, refused = _singly(model, connection_id, rows, read_at, rebuild)
    refuse(model, connection_id, refused, now=now)
    stored = {row["id"] for row in rows if isinstance(row.get("id"), int)} - {one.odoo_id for one in refused}
    dead_letters.resolve(STORING, connection_id, model.odoo_model, stored, now=now)
    return changes


def refuse(model: type[Mirrored], connection_id: int, refused: Sequence[Refused], *, now: datetime) -> None:
    """Make dead letters of the records that cannot be mirrored, in the caller's transaction."""
    for one in refused:
        logger.warning("%s", one.problem)
    letters = [DeadLetter(model=model.odoo_model, odoo_id=one.odoo_id, problem=one.problem) for one in refused]
    dead_letters.add(STORING, connection_id, letters, now=now)


def _singly(
    model: type[Mirrored], connection_id: int, rows: Rows, read_at: datetime, rebuild: bool
) -> tuple[list[Changes], list[Refused]]:
    """Write the rows that can be written, by halves; the changes, and what was refused."""
    good, refused = validation.examined(model, rows)
    changes: list[Changes] = []

    def take(some: Rows) -> None:
        changes.append(
            upsert.apply(model, connection_id=connection_id, rows=some, read_at=read_at, rebuild=rebuild, is_examined=True)
        )

    def refuse(row: Mapping[str, Any], error: Exception) -> None:
        refused.append(Refused(odoo_id=row["id"], problem=_problem(model, row, error)))

    isolation.taken(good, take, refuse)
    return changes, refused


def _problem(model: type[Mirrored], row: Mapping[str, Any], error: Exception) -> str:
    """The sentence for a row that only the database refuses: most likely its longest text is to blame."""
    texts = {name: value for name, value in row.items() if isinstance(value, str)}
    longest = max(texts, key=lambda name: len(texts[name]), default="")
    what = f"cannot be stored: {validation.shown(error)}"
    if longest and len(texts[longest]) >= validation.LONG_TEXT:
        return validation.problem(
            model.odoo_model,
            row["id"],
            validation.name_of(row),
            longest,
            f"has {len(texts[longest])} characters and {what}",
            "Shorten it in Odoo",
        )
    return validation.problem(model.odoo_model, row["id"], validation.name_of(row), "", what)

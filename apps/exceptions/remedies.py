"""Ways out of an exception: what its type offers now, and what became of those that were taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection as database

from apps.exceptions.models import ExceptionCase, Status
from apps.outbox.models import Command
from apps.workflows import registry
from apps.workflows.declare import Remedy

# So many options of one remedy are shown.
SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Option:
    """One way out that can be taken now.

    Attributes:
        key: tells it from the remedy's other options.
        columns: what the calls speak of.
    """

    key: str
    text: str
    columns: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A remedy with at least one option."""

    remedy: Remedy
    options: Sequence[Option]


def decision_of(case: ExceptionCase, remedy: str, option: str) -> str:
    """How the commands of a remedy name what they follow from."""
    return f"exception:{case.pk}:{remedy}:{option}"


def commands_of(case: ExceptionCase) -> list[Command]:
    """What Odoo was told because somebody took a way out of this exception."""
    return list(Command.objects.filter(decision__startswith=f"exception:{case.pk}:").order_by("sequence"))


def options_of(case: ExceptionCase, remedy: Remedy, *, now: datetime) -> list[Option]:
    """What the remedy offers now, the best first."""
    with database.cursor() as cursor:
        cursor.execute(
            f"{remedy.sql} LIMIT {SHOWN}", {"connection": case.connection_id, "record": case.odoo_id, "now": now}
        )
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [Option(key=str(row["option"]), text=str(row["text"]), columns=row) for row in rows]


def offered(case: ExceptionCase, *, now: datetime) -> list[Offer]:
    """The ways out of an exception that is not resolved; what was taken already is not offered again."""
    found = registry.exception_types().get(case.type)
    if found is None or case.status == Status.RESOLVED:
        return []
    taken = {command.decision for command in commands_of(case)}
    offers = []
    for remedy in found[1].remedies:
        options = [
            option for option in options_of(case, remedy, now=now)
            if decision_of(case, remedy.name, option.key) not in taken
        ]  # fmt: skip
        if options:
            offers.append(Offer(remedy=remedy, options=options))
    return offers

"""Why a record does not move on: the kind, the record that holds it up, since when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection as database
from django.utils.translation import gettext

from apps.core import sentences
from apps.workflows import registry
from apps.workflows.models import Position


@dataclass(frozen=True, kw_only=True)
class Blocker:
    """One thing that holds a record up.

    Attributes:
        kind: what the stage or the workflow's blockers declare, such as credit_hold or stock_shortage.
        model, odoo_id, name: the record that holds it up.
        told: why, as a sentence.
    """

    kind: str
    since: datetime | None
    model: str
    odoo_id: int
    name: str
    told: Any

    @property
    def text(self) -> str:
        """Why, with the numbers, in the active language."""
        return sentences.said(self.told)


@cache
def _statement(workflow_name: str) -> str:
    """One statement for all blockers that the workflow declares, in their order; empty where it declares none."""
    rules = registry.workflows()[workflow_name].blockers
    return "\nUNION ALL\n".join(
        f"(SELECT '{rule.kind}' AS kind, b.since, b.model, b.odoo_id, b.name, to_jsonb(b.text) AS told FROM ({rule.sql}) AS b"
        " ORDER BY b.since, b.odoo_id, b.text)"
        for rule in rules
    )


def of_stage(position: Position) -> list[Blocker]:
    """What its stage alone says holds the record up; costs no query."""
    if not position.is_open:
        return []
    stage = registry.workflows()[position.workflow].stage(position.stage)
    if stage.blocker is None:
        return []
    kind, why = stage.blocker
    return [
        Blocker(
            kind=kind,
            model=position.model,
            odoo_id=position.odoo_id,
            name=position.name,
            since=position.since,
            told=f"{gettext(stage.title)}: {gettext(why)}",
        )
    ]


def blockers_of(position: Position, *, now: datetime) -> list[Blocker]:
    """What holds the record up now, its stage first; nothing for a record whose stage is closed. One query at most."""
    if not position.is_open:
        return []
    statement = _statement(position.workflow)
    if not statement:
        return of_stage(position)
    values: Mapping[str, Any] = {"connection": position.connection_id, "record": position.odoo_id, "now": now}
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        return of_stage(position) + [Blocker(**row) for row in sentences.rows_of(cursor)]

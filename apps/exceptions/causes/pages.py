"""What the page of a cause group shows: what is to blame, whom it holds up, and how it ended."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext

from apps.accounts.access import AccessScope
from apps.exceptions import resolutions
from apps.exceptions.models import UNRESOLVED, CauseGroup, ExceptionCase
from apps.exceptions.queue.orders import ENDED, ORDERS
from apps.exceptions.queue.screens import Row, rows_of
from apps.odoo.models import Connection
from apps.workflows.cause_notes import CauseNote, RecordKey

SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class CausePage:
    """A cause group as its page shows it.

    Attributes:
        own: the exceptions of the record that is to blame itself; their suggested actions help all.
        others: those that wait for it, the costliest first; at most :data:`SHOWN`.
        also_held: how many others wait for it too, and for another cause first.
        endings: how its exceptions ended, each with how many, the most frequent first.
    """

    group: CauseGroup
    own: Sequence[Row]
    others: Sequence[Row]
    also_held: int
    endings: Sequence[tuple[str, int]]
    is_on_a_record_page: bool

    @property
    def count(self) -> int:
        """How many are listed."""
        return len(self.own) + len(self.others)


def page_of(group: CauseGroup, access_scope: AccessScope, *, record_models: frozenset[str]) -> CausePage:
    """Return what the page of ``group`` shows to whoever sees ``access_scope``."""
    cases = ExceptionCase.objects.filter(access_scope.of_records(), group=group)
    open_cases = cases.filter(UNRESOLVED)
    listed, order = (open_cases, ORDERS["cost"]) if group.ended_at is None else (cases, ENDED)
    rows = rows_of(list(order.page(listed, "", size=SHOWN, access_scope=access_scope)))
    is_cause = {(group.model, group.odoo_id)}
    held = ExceptionCase.objects.filter(
        access_scope.of_records(), UNRESOLVED, connection=group.connection_id, further_roots__contains=[group.root_key]
    )
    return CausePage(
        group=group,
        own=[row for row in rows if (row.case.model, row.case.odoo_id) in is_cause],
        others=[row for row in rows if (row.case.model, row.case.odoo_id) not in is_cause],
        also_held=held.exclude(group=group).count() if group.ended_at is None else 0,
        endings=[
            (resolutions.told(way["resolution"]) if way["resolution"] else gettext("Without a word"), way["count"])
            for way in group.ending.get("ways", [])
        ],
        is_on_a_record_page=group.model in record_models,
    )


# Looked through for the largest cause: the costliest of a stage.
LOOKED_THROUGH = 500


def largest_of_stage(workflow: str, stage: str, access_scope: AccessScope, only: Q) -> tuple[CauseGroup, int] | None:
    """Return the cause that holds up most of the records of a stage, and how many; None where none holds up several.

    Args:
        only: which exceptions are looked at, of those in sight.
    """
    costliest = (
        ExceptionCase.objects.filter(access_scope.of_records(), UNRESOLVED, only, workflow=workflow, stage=stage, is_grouped=True)
        .order_by("rank", "id")
        .values_list("group", "connection", "odoo_id")[:LOOKED_THROUGH]
    )
    records: dict[int, set[tuple[int, int]]] = {}
    for group_id, connection_id, odoo_id in costliest:
        records.setdefault(group_id, set()).add((connection_id, odoo_id))
    if not records:
        return None
    largest = max(records, key=lambda pk: (len(records[pk]), -pk))
    group = CauseGroup.objects.filter(pk=largest).first()
    return (group, len(records[largest])) if group and len(records[largest]) > 1 else None


def notes_of(records: Collection[RecordKey], access_scope: AccessScope) -> dict[RecordKey, CauseNote]:
    """Return what the cause of each of ``records`` is, where it holds up several; one query."""
    wanted = dict.fromkeys(records)
    held = ExceptionCase.objects.filter(
        access_scope.of_records(),
        UNRESOLVED,
        is_grouped=True,
        connection__in={connection_id for connection_id, _, _ in wanted},
        odoo_id__in={odoo_id for _, _, odoo_id in wanted},
    )
    found: dict[RecordKey, CauseNote] = {}
    for case in held.select_related("group").defer("evidence").order_by("rank", "id"):
        key = (case.connection_id, case.model, case.odoo_id)
        if key in wanted and key not in found and case.group is not None:
            found[key] = CauseNote(
                title=case.group.title,
                name=", ".join(filter(None, [case.group.name, case.group.about])),
                count=case.group.cases_count,
                path=reverse("exceptions:cause", args=[case.group.pk]),
            )
    return found


def open_groups_of(connection: Connection, model: str, odoo_id: int, access_scope: AccessScope) -> list[CauseGroup]:
    """Return the causes that hold up a record, or that it is itself, where they hold up several."""
    of_record = ExceptionCase.objects.filter(UNRESOLVED, connection=connection, model=model, odoo_id=odoo_id, is_grouped=True)
    found = CauseGroup.objects.filter(access_scope.of_records(), pk__in=of_record.values("group"), ended_at=None)
    return list(found.order_by("rank", "id"))

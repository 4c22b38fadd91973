"""What is read of outside events."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext, gettext_noop

from apps.accounts.access import AccessScope
from apps.events import registry
from apps.events.models import OutsideEvent, Status
from apps.intake.models import Sender
from apps.mirror import registry as mirror

SHOWN = 100
RECORD_WORDS = {
    "stock.picking": gettext_noop("transfer"),
    "purchase.order": gettext_noop("purchase order"),
    "sale.order": gettext_noop("sales order"),
}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An event as a page shows it, with the name of the record that it is about."""

    event: OutsideEvent
    record_name: str

    @property
    def kind(self) -> str:
        """What people call what happened."""
        return gettext(registry.kinds().get(self.event.kind, self.event.kind))

    @property
    def record_word(self) -> str:
        """What people call a record of its model."""
        return gettext(RECORD_WORDS.get(self.event.model, self.event.model))


def events(access_scope: AccessScope) -> QuerySet[OutsideEvent]:
    """The events of whole connections in sight: one that no record was found for may be any company's."""
    return OutsideEvent.objects.filter(access_scope.of_whole_connections()).select_related("connection", "settled_by")


def unmatched(access_scope: AccessScope) -> list[Shown]:
    """The newest events that wait for a person to say which record they are about."""
    return shown(events(access_scope).filter(status=Status.UNMATCHED).order_by("-id")[:SHOWN])


def latest(access_scope: AccessScope) -> list[Shown]:
    """The newest events that were matched or dismissed."""
    return shown(events(access_scope).exclude(status=Status.UNMATCHED).order_by("-id")[:SHOWN])


def sources(access_scope: AccessScope) -> list[Sender]:
    """Who may send to a connection in sight."""
    return list(Sender.objects.filter(access_scope.of_whole_connections()).select_related("connection").order_by("name"))


def shown(found: Iterable[OutsideEvent]) -> list[Shown]:
    """The events with the names of their records, one query a model."""
    rows = list(found)
    names: dict[tuple[int, str, int | None], str] = {}
    for model, reference in registry.references().items():
        ids = {event.odoo_id for event in rows if event.model == model and event.odoo_id is not None}
        if ids:
            records = mirror.models()[model].objects.filter(
                odoo_id__in=ids, connection_id__in={event.connection_id for event in rows}
            )
            for connection_id, odoo_id, name in records.values_list("connection_id", "odoo_id", reference.name):
                names[connection_id, model, odoo_id] = name or ""
    return [Shown(event=event, record_name=names.get((event.connection_id, event.model, event.odoo_id), "")) for event in rows]

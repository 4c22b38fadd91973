"""Deliveries into events, and matched events into the records that have to be evaluated for them."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import connection as database

from apps.core import live
from apps.events import matching, reading, registry
from apps.events.models import OutsideEvent, Status
from apps.intake.models import Delivery, Sender

# Matched events whose records are evaluated together in one transaction.
ABSORBED_AT_ONCE = 5_000
WAITING = OutsideEvent.objects.filter(status=Status.MATCHED, is_absorbed=False)

TAKE = """
UPDATE events_event SET is_absorbed = TRUE
 WHERE id IN (SELECT id FROM events_event
               WHERE connection_id = %s AND status = 'matched' AND NOT is_absorbed ORDER BY id LIMIT %s)
RETURNING id, model, odoo_id, occurred_at
"""


def store(connection_id: int, delivery_ids: Collection[int]) -> None:
    """Read deliveries of a connection into events and match them, in the caller's transaction.

    Raises:
        UnreadableError: one of them cannot be read; take them one by one to find it.
    """
    deliveries = list(Delivery.objects.filter(connection_id=connection_id, id__in=delivery_ids).order_by("id"))
    adapter_of = dict(Sender.objects.values_list("name", "adapter"))
    events = []
    for delivery in deliveries:
        name = adapter_of.get(delivery.source, "")
        if name not in registry.adapters():
            raise reading.UnreadableError(f"The source {delivery.source} has no adapter. Add its folder, or remove the source.")
        adapter = registry.adapters()[name]
        events += [
            OutsideEvent(
                connection_id=connection_id,
                source=delivery.source,
                message=delivery.key,
                position=told.position,
                kind=told.kind,
                reference=told.reference,
                occurred_at=told.occurred_at,
                expected_at=told.expected_at,
                text=told.text,
                data=told.data,
                received_at=delivery.received_at,
                model=adapter.model,
                status=Status.UNMATCHED,
                problem=matching.NONE_FOUND,
            )
            for told in reading.read(adapter, delivery.body, received_at=delivery.received_at)
        ]
    OutsideEvent.objects.bulk_create(events, ignore_conflicts=True)
    stored = OutsideEvent.objects.filter(
        connection_id=connection_id, source__in={event.source for event in events}, message__in={e.message for e in events}
    )
    matching.match(list(stored.filter(status=Status.UNMATCHED).values_list("id", flat=True)))
    live.announce(["health"])


def take_matched(
    connection_id: int, changed: Mapping[str, Mapping[int, datetime]]
) -> tuple[dict[str, dict[int, datetime]], list[int]]:
    """The ``changed`` records and those that an event is about which was not evaluated yet, each with the moment; and those events.

    Events that waited for one of the changed records are matched first. In the caller's transaction, which evaluates the
    records: the events count as absorbed with its commit.
    """
    matching.match_again(connection_id, changed)
    merged = {model: dict(records) for model, records in changed.items()}
    with database.cursor() as cursor:
        cursor.execute(TAKE, [connection_id, ABSORBED_AT_ONCE])
        taken = cursor.fetchall()
    for _, model, odoo_id, occurred_at in taken:
        of_model = merged.setdefault(model, {})
        of_model[odoo_id] = max(occurred_at, of_model.get(odoo_id, occurred_at))
    if taken:
        live.announce(["health"])
    return merged, [row[0] for row in taken]


def connections_waiting() -> list[int]:
    """The connections with matched events whose records were not evaluated yet."""
    return list(WAITING.order_by().values_list("connection_id", flat=True).distinct())


def unmatched_of(connection_id: int) -> list[int]:
    """The events of a connection that wait for a record."""
    waiting = OutsideEvent.objects.filter(connection_id=connection_id, status=Status.UNMATCHED)
    return list(waiting.values_list("id", flat=True))

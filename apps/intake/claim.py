"""Taking deliveries from the table in batches: claimed under a lease, settled in the transaction of their effect."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection as database
from django.db.models import F

from apps.intake.models import Delivery, Status

# A worker that dies gives its deliveries back when the lease ends.
LEASE = timedelta(seconds=90)
GIVE_UP_AFTER = 8

TAKE = """
UPDATE intake_delivery
   SET status = 'claimed', claimed_until = %(until)s
 WHERE id IN (
   SELECT id FROM intake_delivery
    WHERE (status = 'pending' AND not_before <= %(now)s) OR (status = 'claimed' AND claimed_until < %(now)s)
    ORDER BY id
    LIMIT %(limit)s
      FOR UPDATE SKIP LOCKED)
RETURNING id, connection_id, model, odoo_id, source
"""


@dataclass(kw_only=True)
class Part:
    """The deliveries of a batch that belong to one connection: many hints of one record are one read."""

    connection_id: int
    records: dict[str, set[int]] = field(default_factory=dict)
    deliveries: dict[tuple[str, int], list[int]] = field(default_factory=dict)

    @property
    def delivery_ids(self) -> list[int]:
        """The ids of the deliveries."""
        return [number for numbers in self.deliveries.values() for number in numbers]

    def singly(self) -> Iterator["Part"]:
        """The same, a record each, to find the one that spoils the batch."""
        for (model, odoo_id), numbers in self.deliveries.items():
            yield Part(connection_id=self.connection_id, records={model: {odoo_id}},
                       deliveries={(model, odoo_id): numbers})  # fmt: skip


def take(*, limit: int, now: datetime) -> list[Part]:
    """Claim up to ``limit`` deliveries that wait; one part a connection, nothing where nothing waits."""
    with database.cursor() as cursor:
        cursor.execute(TAKE, {"limit": limit, "now": now, "until": now + LEASE})
        rows = cursor.fetchall()
    parts: dict[int, Part] = {}
    for number, connection_id, model, odoo_id, _ in rows:
        part = parts.setdefault(connection_id, Part(connection_id=connection_id))
        part.records.setdefault(model, set()).add(odoo_id)
        part.deliveries.setdefault((model, odoo_id), []).append(number)
    return list(parts.values())


def settle(part: Part, *, now: datetime) -> None:
    """Mark the deliveries as processed, in the transaction of their effect."""
    Delivery.objects.filter(id__in=part.delivery_ids).update(
        status=Status.DONE, processed_at=now, claimed_until=None, problem=""
    )


def put_off(part: Part, *, problem: str, now: datetime) -> None:
    """Give the deliveries back through no fault of theirs (Odoo is down); they wait as long as it takes."""
    Delivery.objects.filter(id__in=part.delivery_ids).update(
        status=Status.PENDING, not_before=now + timedelta(seconds=10), claimed_until=None, problem=problem[:2000]
    )


def fail(part: Part, *, problem: str, now: datetime) -> None:
    """Count a failed attempt: again later, or after eight a dead letter that a person has to look at."""
    rows = Delivery.objects.filter(id__in=part.delivery_ids)
    rows.update(attempts=F("attempts") + 1, problem=problem[:2000], claimed_until=None, status=Status.PENDING)
    for row in rows.all():
        row.not_before = now + timedelta(seconds=2**row.attempts)
        if row.attempts >= GIVE_UP_AFTER:
            row.status, row.processed_at = Status.DEAD, now
        row.save(update_fields=["not_before", "status", "processed_at"])


def bury(part: Part, *, problem: str, now: datetime) -> None:
    """Make dead letters of deliveries that nothing can be done with."""
    Delivery.objects.filter(id__in=part.delivery_ids).update(
        status=Status.DEAD, problem=problem[:2000], processed_at=now, claimed_until=None
    )

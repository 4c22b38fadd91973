"""Taking deliveries from the table in batches: claimed under a lease, settled in the transaction of their effect."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database

from apps.intake import tally
from apps.intake.dead_letters import EVALUATING
from apps.intake.models import EVENT, Delivery, Status
from apps.intake.transitions import DELIVERIES

# A worker that dies gives its deliveries back when its session with the database ends, which is at once; one that hangs,
# when the lease ends.
LEASE = timedelta(seconds=90)
GIVE_UP_AFTER = 8

# A delivery whose worker was lost this often may be what ends workers. The more often, the fewer are taken together: so
# the innocent ones are told from it in a few steps, and need not go one by one.
SUSPECT_AFTER = 2
SUSPECTS_TOGETHER = {2: 200, 3: 20}

IS_LOST = """
status = 'claimed' AND (claimed_until < %(now)s OR claimed_by <> ALL(ARRAY(SELECT pid FROM pg_stat_activity)))
"""
MOST_SUSPECT = f"SELECT max(attempts) FROM intake_delivery WHERE {IS_LOST} AND attempts >= %(suspect)s"

# A lost worker counts as an attempt: what kills its worker has no other way to be counted.
TAKE = f"""
UPDATE intake_delivery
   SET status = CASE WHEN status = 'claimed' AND attempts + 1 >= %(give_up)s THEN 'dead' ELSE 'claimed' END,
       problem = CASE WHEN status = 'claimed' THEN %(lost)s ELSE problem END,
       processed_at = CASE WHEN status = 'claimed' AND attempts + 1 >= %(give_up)s THEN %(now)s ELSE NULL END,
       attempts = attempts + CASE WHEN status = 'claimed' THEN 1 ELSE 0 END,
       claimed_until = %(until)s, claimed_by = pg_backend_pid()
 WHERE id = ANY(ARRAY(
   SELECT id FROM intake_delivery
    WHERE (status = 'pending' AND not_before <= %(now)s OR {IS_LOST})
      AND (connection_id IS NULL OR NOT connection_id = ANY(%(unreachable)s) OR model = %(event)s)
      AND {{which}}
    ORDER BY id
    LIMIT %(limit)s
      FOR UPDATE SKIP LOCKED))
RETURNING id, connection_id, model, odoo_id, source, status
"""
TAKE_SUSPECTS = TAKE.format(which="status = 'claimed' AND attempts = %(most)s")
TAKE_OTHERS = TAKE.format(which="NOT (status = 'claimed' AND attempts >= %(suspect)s)")
LOST = "The worker that had taken it was lost, or took too long."

FAIL = f"""
UPDATE intake_delivery
   SET attempts = attempts + 1, problem = %(problem)s, claimed_until = NULL,
       status = CASE WHEN attempts + 1 >= %(give_up)s THEN 'dead' ELSE 'pending' END,
       processed_at = CASE WHEN attempts + 1 >= %(give_up)s THEN %(now)s::timestamptz END,
       not_before = %(now)s::timestamptz + interval '1 second' * power(2, attempts + 1)
 WHERE id = ANY(%(ids)s) AND status IN ({DELIVERIES.sql_sources("fail")})
"""


@dataclass(kw_only=True)
class ClaimedBatch:
    """The deliveries of a batch that belong to one connection: many hints of one record are one read.

    Events are a part of their own, in which each delivery stands for itself. ``to_evaluate`` are the records that could not be
    evaluated before: they are, though nothing of them has changed.
    """

    connection_id: int
    records: dict[str, set[int]] = field(default_factory=dict)
    deliveries: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    to_evaluate: dict[str, set[int]] = field(default_factory=dict)

    @property
    def is_of_events(self) -> bool:
        """Whether it tells of events outside of Odoo, and not of records that changed in it."""
        return EVENT in self.records

    @property
    def delivery_ids(self) -> list[int]:
        """The ids of the deliveries."""
        return [number for numbers in self.deliveries.values() for number in numbers]

    def by_model(self) -> Iterator["ClaimedBatch"]:
        """The same, a model each, to find the one that Odoo does not give."""
        for model, ids in self.records.items():
            to_evaluate = {model: self.to_evaluate[model]} if model in self.to_evaluate else {}
            yield ClaimedBatch(
                connection_id=self.connection_id,
                records={model: ids},
                to_evaluate=to_evaluate,
                deliveries={key: numbers for key, numbers in self.deliveries.items() if key[0] == model},
            )

    def singly(self) -> Iterator["ClaimedBatch"]:
        """The same, a record each, to find the one that spoils the batch."""
        for (model, odoo_id), numbers in self.deliveries.items():
            to_evaluate = {model: {odoo_id}} if odoo_id in self.to_evaluate.get(model, ()) else {}
            yield ClaimedBatch(
                connection_id=self.connection_id,
                records={model: {odoo_id}},
                deliveries={(model, odoo_id): numbers},
                to_evaluate=to_evaluate,
            )


def take(*, limit: int, now: datetime, unreachable: Collection[int] = ()) -> list[ClaimedBatch]:
    """Claim up to ``limit`` deliveries that wait; one part a connection, nothing where nothing waits.

    Those of connections that are ``unreachable``, since their Odoo does not answer, stay where they lie; events
    need no Odoo.

    One whose worker was lost time and again comes with ever fewer others and then alone, so that it takes none with it,
    and is a dead letter in the end.
    """
    facts: dict[str, Any] = {
        "now": now,
        "until": now + LEASE,
        "give_up": GIVE_UP_AFTER,
        "suspect": SUSPECT_AFTER,
        "lost": LOST,
        "unreachable": list(unreachable),
        "event": EVENT,
    }
    with database.cursor() as cursor:
        rows: list[tuple[int, int, str, int, str, str]] = []
        while not rows:
            cursor.execute(MOST_SUSPECT, facts)
            (most,) = cursor.fetchone()
            if most is None:
                break
            together = min(SUSPECTS_TOGETHER.get(most, 1), limit)
            cursor.execute(TAKE_SUSPECTS, facts | {"limit": together, "most": most})
            taken = cursor.fetchall()
            if not taken:
                break
            rows = [row for row in taken if row[-1] != Status.DEAD]
            tally.of_deliveries([row[0] for row in taken if row[-1] == Status.DEAD], "dead", now=now)
        if not rows:
            cursor.execute(TAKE_OTHERS, facts | {"limit": limit})
            rows = cursor.fetchall()
    parts: dict[tuple[int, bool], ClaimedBatch] = {}
    for number, connection_id, model, named_id, source, _ in rows:
        part = parts.setdefault((connection_id, model == EVENT), ClaimedBatch(connection_id=connection_id))
        odoo_id = number if model == EVENT else named_id
        part.records.setdefault(model, set()).add(odoo_id)
        part.deliveries.setdefault((model, odoo_id), []).append(number)
        if source == EVALUATING:
            part.to_evaluate.setdefault(model, set()).add(odoo_id)
    return list(parts.values())


def complete(part: ClaimedBatch, *, now: datetime) -> None:
    """Mark the deliveries as processed, in the transaction of their effect."""
    tally.settle(part.delivery_ids, now=now)


def reschedule(part: ClaimedBatch, *, problem: str, now: datetime) -> None:
    """Give the deliveries back through no fault of theirs (Odoo is down); they wait as long as it takes."""
    rows = Delivery.objects.filter(id__in=part.delivery_ids)
    not_before = now + timedelta(seconds=10)
    DELIVERIES.make_all("reschedule", rows, not_before=not_before, claimed_until=None, problem=problem[:2000])


def fail(part: ClaimedBatch, *, problem: str, now: datetime) -> None:
    """Count a failed attempt: again later, or after eight a dead letter that a person has to look at."""
    facts: dict[str, Any] = {"problem": problem[:2000], "now": now, "give_up": GIVE_UP_AFTER, "ids": part.delivery_ids}
    with database.cursor() as cursor:
        cursor.execute(FAIL, facts)
    tally.of_deliveries(part.delivery_ids, "failed", now=now)
    tally.of_deliveries(part.delivery_ids, "dead", now=now, status=Status.DEAD)


def dead_letter(part: ClaimedBatch, *, problem: str, now: datetime) -> None:
    """Make dead letters of deliveries that nothing can be done with."""
    rows = Delivery.objects.filter(id__in=part.delivery_ids)
    DELIVERIES.make_all("give_up", rows, problem=problem[:2000], processed_at=now, claimed_until=None)
    tally.of_deliveries(part.delivery_ids, "dead", now=now)

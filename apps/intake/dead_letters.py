"""Dead letters that the tower writes itself: of a record that cannot be stored as it is, or that cannot be evaluated.

There is one a record and step. It is taken again when the record changes, every hour, and when a person replays it, and is
resolved by itself once the record goes through.
"""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection as database

from apps.core import live
from apps.intake import tally
from apps.intake.models import Delivery, Status
from apps.intake.transitions import DELIVERIES

# What stands in the place of a source: the step at which the record failed.
STORING, EVALUATING = "mirror", "evaluation"
LONGEST_PROBLEM = 2_000
LONGEST_KEY = 64
RETRIED_AT_ONCE = 1_000
LARGEST_ID = 2**63 - 1

ADD = """
INSERT INTO intake_delivery AS d
  (source, connection_id, key, model, odoo_id, body, received_at, status, not_before, attempts, problem, processed_at)
SELECT %(source)s, held.id, key, model, odoo_id, '', %(now)s, 'dead', %(now)s, 1, problem, %(now)s
  FROM (SELECT id FROM odoo_connection WHERE id = %(connection)s FOR KEY SHARE) AS held,
       unnest(%(keys)s::text[], %(models)s::text[], %(ids)s::bigint[], %(problems)s::text[]) AS given(key, model, odoo_id, problem)
ON CONFLICT (source, connection_id, key) DO UPDATE
   SET status = 'dead', problem = excluded.problem, processed_at = excluded.processed_at, attempts = d.attempts + 1,
       received_at = CASE WHEN d.status = 'done' THEN excluded.received_at ELSE d.received_at END, claimed_until = NULL
 WHERE d.status <> 'dead' OR d.problem <> excluded.problem
RETURNING id
"""

RESOLVE = f"""
UPDATE intake_delivery SET status = 'done', processed_at = %(now)s, problem = '', claimed_until = NULL
 WHERE connection_id = %(connection)s AND source = %(source)s AND key = ANY(%(keys)s)
   AND status IN ({DELIVERIES.sql_sources("resolve")})
RETURNING id
"""


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """One record that failed. ``step`` tells apart what may fail on its own: a workflow that evaluates it."""

    model: str
    odoo_id: int
    problem: str
    step: str = ""


def add(source: str, connection_id: int, letters: Iterable[DeadLetter], *, now: datetime) -> None:
    """Keep dead letters of a connection's records, in the caller's transaction; one that is there already is updated."""
    by_key = {key_of(letter.model, letter.odoo_id, letter.step): letter for letter in letters}
    if not by_key:
        return
    facts: dict[str, Any] = {
        "source": source,
        "connection": connection_id,
        "now": now,
        "keys": list(by_key),
        "models": [letter.model[:80] for letter in by_key.values()],
        "ids": [letter.odoo_id if 0 <= letter.odoo_id <= LARGEST_ID else 0 for letter in by_key.values()],
        "problems": [storable(letter.problem)[:LONGEST_PROBLEM] for letter in by_key.values()],
    }
    with database.cursor() as cursor:
        cursor.execute(ADD, facts)
        added = [number for (number,) in cursor.fetchall()]
    if added:
        tally.of_deliveries(added, "dead", now=now)
        live.announce(["health"])


def waiting(source: str, connection_id: int) -> set[str]:
    """Return the keys of the connection's dead letters of ``source``. Index deliveries_dead."""
    found = Delivery.objects.filter(status=Status.DEAD, connection_id=connection_id, source=source)
    return set(found.values_list("key", flat=True))


def records(source: str, connection_id: int, model: str) -> set[int]:
    """Return the ids of the connection's records of ``model`` that have a dead letter of ``source``, the oldest thousand."""
    found = Delivery.objects.filter(status=Status.DEAD, connection_id=connection_id, source=source, model=model, odoo_id__gt=0)
    return set(found.order_by("id").values_list("odoo_id", flat=True)[:RETRIED_AT_ONCE])


def resolve(source: str, connection_id: int, model: str, odoo_ids: Collection[int], *, now: datetime, step: str = "") -> None:
    """Resolve what is there of the records, which went through, in the caller's transaction. One small read where there is none."""
    known = waiting(source, connection_id)
    if not known:
        return
    keys = sorted(known & {key_of(model, odoo_id, step) for odoo_id in odoo_ids})
    if not keys:
        return
    with database.cursor() as cursor:
        cursor.execute(RESOLVE, {"now": now, "connection": connection_id, "source": source, "keys": keys})
    live.announce(["health"])


def key_of(model: str, odoo_id: int, step: str = "") -> str:
    """Return what tells the dead letter of one record and step from all others."""
    key = f"{model}:{odoo_id}:{step}"
    return key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode(errors="replace")).hexdigest()


def storable(text: str) -> str:
    """Return ``text`` with a mark in the place of what PostgreSQL cannot hold: NUL, and halves of characters."""
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()

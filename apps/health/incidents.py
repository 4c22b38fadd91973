"""What is wrong with the integration right now, found as states: each is an exception in the queue while it lasts.

Looked for every half minute, in a fixed number of statements however many connections, records and rows there are.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import connection as database
from django.db import transaction

from apps.approvals.policies import guard_policy, policy
from apps.core import isolation, live
from apps.exceptions.cases import incident_reconcile
from apps.exceptions.cases.incident_reconcile import Incident
from apps.exceptions.integration import TOWER
from apps.exceptions.models import Severity
from apps.health import link_incidents, queries, workers
from apps.health.queries import Overview
from apps.mirror import registry as mirror
from apps.odoo.guards import ASK
from apps.odoo.models import Connection, ConnectionState
from apps.timers import sla
from apps.workflows import registry as workflows

logger = logging.getLogger(__name__)

# Beyond this many records with failed commands the queue says no more than it says already.
FAILED_RECORDS = 500

FAILED = """
SELECT DISTINCT ON (c.lane) c.lane, c.connection_id, c.company_id, c.title, c.says, c.problem, c.attempts, c.done_at,
       count(*) OVER (PARTITION BY c.lane) AS stopped, c.status
  FROM outbox_command c
 WHERE c.status IN ('refused', 'dead')
 ORDER BY c.lane, c.sequence DESC
 LIMIT %(limit)s
"""


# Asks that stand open in Odoo longer than a request takes to open, and that no request of their record has taken up. One that
# waits behind another decision about the same record is not forgotten. A decision is an answer while it is carried out, or stopped
# (which is an incident of its own), and until Odoo has been read again. Indexes asks_open, commands_by_decision.
UNANSWERED = """
SELECT a.connection_id, a.x_res_model AS model, a.x_res_id AS record, a.x_kind AS kind, a.x_requested_at AS asked_at,
       a.x_count AS attempts, COALESCE(u.name, '') AS asked_by,
       COALESCE(bool_or(q.kind = a.x_kind), FALSE) AS is_taken_up, count(q.id) > 0 AS is_in_hand
  FROM mirror_x_ct_request a
  LEFT JOIN mirror_res_users u ON u.connection_id = a.connection_id AND u.odoo_id = a.x_requested_uid
  LEFT JOIN approvals_request q
    ON q.connection_id = a.connection_id AND q.model = a.x_res_model AND q.odoo_id = a.x_res_id
   AND (q.status = 'pending' OR q.decided_at >= GREATEST(a.x_requested_at, %(read_since)s)
        OR q.decided_at >= a.x_requested_at AND EXISTS (
             SELECT FROM outbox_command c
              WHERE c.decision = concat('approval:', q.id) AND c.status IN ('queued', 'unknown', 'refused', 'dead')))
 WHERE a.x_state = 'open' AND a.deleted_at IS NULL AND a.x_requested_at < %(before)s
 GROUP BY a.id, u.name
HAVING COALESCE(bool_or(q.kind = a.x_kind), FALSE) IS FALSE
 ORDER BY a.x_requested_at
 LIMIT %(limit)s
"""
UNANSWERED_AFTER, READ_WITHIN = timedelta(minutes=1), timedelta(minutes=10)
MOST_UNANSWERED = 200


def detect_incidents(*, now: datetime) -> int:
    """Bring the queue in line with what is wrong now; how many exceptions were opened. Nothing, while another looks.

    A search that fails is logged, and the others find what there is to find.
    """
    try:
        return _look(now, singly=False)
    except Exception as error:
        if isolation.is_of_the_server(error):
            raise
        logger.exception("Looking for what is wrong failed; each search is tried on its own")
        return _look(now, singly=True)


@transaction.atomic
def _look(now: datetime, *, singly: bool) -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(7002, 0)")
        if not cursor.fetchone()[0]:
            return 0
    opened = incident_reconcile.reconcile(list(found(now=now, singly=singly)), now=now)
    if opened:
        live.announce(["health"])
    return len(opened)


def found(*, now: datetime, singly: bool = False) -> Iterator[Incident]:
    """All that is wrong now. Where the reason is known, what follows from it is not said too.

    Args:
        singly: each search in a savepoint of its own, so that one that fails stops none of the others.
    """
    overview = queries.overview(now=now)
    links = [link for link in overview.links if link.connection.is_active]
    active = {link.connection.pk: link.connection for link in links}
    answering = {link.connection.pk: link.connection for link in links if link.connection.state != ConnectionState.FAILING}
    searches = [
        *(partial(link_incidents.of_link, link, overview, now) for link in links),
        partial(link_incidents.of_jobs, answering, now),
        partial(_failed_commands, active),
        partial(_outdated_guards, answering, now),
        partial(_unanswered_asks, answering, now),
        partial(link_incidents.dead_letters, active),
        partial(link_incidents.held, active, now),
    ]
    if links:
        # What is of the tower and of no connection is kept with the first one.
        searches += [partial(_of_tower, overview, links[0].connection, now), partial(_of_calendars, links[0].connection, now)]
    for search in searches:
        yield from _safely(search) if singly else search()


def _safely(search: Callable[[], Iterator[Incident]]) -> list[Incident]:
    """What one search finds. One that fails is logged, and the others find what there is to find."""
    try:
        with transaction.atomic():
            return list(search())
    except Exception as error:
        if isolation.is_of_the_server(error):
            raise
        logger.exception("One search for what is wrong failed")
        return []


def _of_calendars(kept_with: Connection, now: datetime) -> Iterator[Incident]:
    for team, problem in sla.unusable(now=now):
        yield Incident(
            kind="integration.calendar_unusable",
            connection_id=kept_with.pk,
            model=TOWER,
            name=str(team),
            cause=team.slug,
            since=now,
            severity=Severity.MEDIUM,
            evidence={"team_name": str(team), "problem_name": problem},
        )


def _failed_commands(connections: dict[int, Connection]) -> Iterator[Incident]:
    for row in queries.rows(FAILED, {"limit": FAILED_RECORDS}):
        if row["connection_id"] not in connections:
            continue
        _, model, odoo_id = row["lane"].split(":")
        yield Incident(
            kind="integration.command_failed",
            connection_id=row["connection_id"],
            model=model,
            odoo_id=int(odoo_id),
            company_id=row["company_id"],
            name=row["title"],
            since=row["done_at"],
            severity=Severity.HIGH,
            evidence={
                "stopped_count": row["stopped"],
                "command_name": row["says"] or row["title"],
                "attempts_count": row["attempts"],
                "stopped_at": row["done_at"],
                "problem_name": row["problem"],
            },
        )


def _outdated_guards(connections: dict[int, Connection], now: datetime) -> Iterator[Incident]:
    for connection_id, found in guard_policy.problems().items():
        if connection_id in connections:
            yield Incident(
                kind="integration.guards_outdated",
                connection_id=connection_id,
                name=connections[connection_id].name,
                since=now,
                severity=Severity.HIGH,
                evidence={"problem_name": " ".join(found)},
            )


def _unanswered_asks(connections: dict[int, Connection], now: datetime) -> Iterator[Incident]:
    moments = {"before": now - UNANSWERED_AFTER, "read_since": now - READ_WITHIN}
    for row in queries.rows(UNANSWERED, {**moments, "limit": MOST_UNANSWERED}):
        connection = connections.get(row["connection_id"])
        if connection is None:
            continue
        model, kind, odoo_id = row["model"] or "", row["kind"] or "", int(row["record"] or 0)
        problem = _why_unanswered(connection, model, odoo_id, kind)
        if row["is_in_hand"] and not problem:
            continue
        yield Incident(
            kind="integration.ask_unanswered",
            connection_id=connection.pk,
            model=model[:80] or TOWER,
            odoo_id=odoo_id,
            cause=kind,
            name=f"{connection.name}: {model} {odoo_id}"[:200],
            since=row["asked_at"] + UNANSWERED_AFTER,
            severity=Severity.HIGH,
            evidence={
                "record_name": f"{model} {odoo_id}",
                "kind_name": kind,
                "asked_by_name": row["asked_by"],
                "asked_at": row["asked_at"],
                "attempts_count": row["attempts"],
                "problem_name": problem or _NOT_OPENED.format(name=connection.name),
            },
        )


_WITHDRAW = f"or set the state of its row in {ASK} to withdrawn (Odoo, Settings, Technical)."
_NOT_OPENED = "The record is mirrored, and nothing was opened for it. Run manage.py reconcile {name}, " + _WITHDRAW


def _why_unanswered(connection: Connection, model: str, odoo_id: int, kind: str) -> str:
    """Why no request can be opened, and the remedy; empty where nothing is known to be in the way."""
    mirrored = mirror.models().get(model)
    if mirrored is None or not any(workflow.odoo_model == model for workflow in workflows.workflows().values()):
        return f"No workflow of this tower is over {model or 'a model without a name'}. Update the tower, {_WITHDRAW}"
    if workflows.approval_kind(kind, model) is None:
        return f"This tower knows no approval {kind or 'without a name'} of {model}. Update the tower, {_WITHDRAW}"
    if not mirrored.objects.filter(connection=connection, odoo_id=odoo_id, deleted_at=None).exists():
        return (
            f"The record is not mirrored: it was never saved or is deleted, or a rule hides it from {connection.login}. Give "
            f"the login the right and run manage.py reconcile {connection.name}, {_WITHDRAW}"
        )
    return ""


def _of_tower(overview: Overview, kept_with: Connection, now: datetime) -> Iterator[Incident]:
    unserved = workers.unserved(overview.workers)
    for queue in unserved:
        yield Incident(
            kind="integration.worker_missing",
            connection_id=kept_with.pk,
            model=TOWER,
            name="Control Tower",
            cause=queue,
            since=now,
            severity=Severity.CRITICAL,
            evidence={"queue_name": queue, "workers_count": len(overview.workers)},
        )
    if overview.is_beat_late:
        yield Incident(
            kind="integration.scheduler_silent",
            connection_id=kept_with.pk,
            model=TOWER,
            name="Control Tower",
            since=now,
            severity=Severity.CRITICAL,
            evidence={"heard_at": overview.beat_at},
        )
    for rule, problem in policy.unusable():
        yield Incident(
            kind="integration.policy_unusable",
            connection_id=kept_with.pk,
            model=TOWER,
            name=f"Policy {rule.kind}",
            cause=rule.kind,
            since=rule.created_at,
            severity=Severity.HIGH,
            evidence={
                "policy_name": rule.kind,
                "version_count": rule.version,
                "problem_name": f"{problem} The declared policy is used until a new version is saved.",
            },
        )
    for refused in settings.EXTENSIONS.refused:
        yield Incident(
            kind="integration.extension_refused",
            connection_id=kept_with.pk,
            model=TOWER,
            name=refused.package,
            cause=refused.package,
            since=now,
            severity=Severity.HIGH,
            evidence={"extension_name": refused.package, "origin_name": refused.origin, "problem_name": refused.problem},
        )
    is_any_down = any(link.connection.state == ConnectionState.FAILING for link in overview.links)
    for waiting in overview.queues:
        # What waits for an Odoo that is away, or for a worker that is not there, is told once already.
        waits_for_odoo = waiting.name in (queries.TO_ABSORB, queries.TO_SEND)
        if not waiting.is_late or waiting.oldest_at is None or (waits_for_odoo and is_any_down) or unserved:
            continue
        yield Incident(
            kind="integration.queue_stuck",
            connection_id=kept_with.pk,
            model=TOWER,
            name="Control Tower",
            cause=waiting.name,
            since=waiting.oldest_at + queries.WAITING_LONG,
            severity=link_incidents.by_age(
                waiting.oldest_at, now, high=timedelta(minutes=10), critical=timedelta(hours=1), least=Severity.MEDIUM
            ),
            evidence={"waiting_count": waiting.waiting, "oldest_at": waiting.oldest_at, "queue_name": waiting.name},
        )

"""What is wrong with a connection right now: its answers, its key, its messages, its mirror, Odoo's own jobs."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from apps.exceptions.cases.incident_reconcile import Incident
from apps.exceptions.models import Severity
from apps.health import queries
from apps.health.queries import Link, Overview
from apps.odoo.capabilities import KEY_WARNING
from apps.odoo.models import JOB_LATE, Connection, ConnectionState, ScheduledJob

# Index deliveries_dead.
NAMED = 5

DEAD = """
SELECT DISTINCT ON (d.connection_id) d.connection_id, d.problem, d.processed_at,
       count(*) OVER (PARTITION BY d.connection_id) AS dead,
       min(d.received_at) OVER (PARTITION BY d.connection_id) AS oldest_at
  FROM intake_delivery d
 WHERE d.status = 'dead' AND d.connection_id IS NOT NULL
 ORDER BY d.connection_id, d.id DESC
"""


# The newest comparison of each model, of those made lately.
HELD = """
SELECT * FROM (
  SELECT DISTINCT ON (r.connection_id, r.odoo_model) r.connection_id, r.odoo_model, r.started_at, r.compared, r.note, r.is_held
    FROM mirror_syncrun r
   WHERE r.started_at > %(since)s
   ORDER BY r.connection_id, r.odoo_model, r.started_at DESC) AS newest
 WHERE is_held
"""


def by_age(since: datetime, now: datetime, *, high: timedelta, critical: timedelta, least: Severity) -> Severity:
    age = now - since
    return Severity.CRITICAL if age >= critical else max(Severity.HIGH, least) if age >= high else least


def of_link(link: Link, overview: Overview, now: datetime) -> Iterator[Incident]:
    connection = link.connection
    if connection.state == ConnectionState.FAILING:
        since = connection.state_since or now
        yield Incident(
            kind="integration.connection_down",
            connection_id=connection.pk,
            name=connection.name,
            since=since,
            severity=by_age(since, now, high=timedelta(0), critical=timedelta(hours=1), least=Severity.HIGH),
            evidence={
                "since_at": since,
                "problem_name": connection.problem,
                "waiting_count": sum(queue.waiting for queue in overview.queues[:2]),
            },
        )
        return
    if link.is_late:
        since = link.read_at or connection.created_at
        yield Incident(
            kind="integration.sync_lag",
            connection_id=connection.pk,
            name=connection.name,
            since=since + queries.LINK_LATE,
            severity=by_age(since, now, high=timedelta(minutes=30), critical=timedelta(hours=2), least=Severity.MEDIUM),
            evidence={
                "mirrored_at": link.read_at,
                "model_name": link.behind[0] if link.behind else "",
                "behind_count": len(link.behind),
            },
        )
    elif link.is_silent:
        since = (link.hinted_at or connection.created_at) + queries.SILENT_AFTER
        yield Incident(
            kind="integration.webhooks_silent",
            connection_id=connection.pk,
            name=connection.name,
            since=since,
            severity=by_age(since, now, high=timedelta(hours=24), critical=timedelta(days=365), least=Severity.MEDIUM),
            evidence={"heard_at": link.hinted_at, "address_name": queries.intake_address()},
        )
    if link.intake.hurts:
        since, lately = link.intake.away_since or now, link.intake.lately
        yield Incident(
            kind="integration.intake_slow",
            connection_id=connection.pk,
            name=connection.name,
            since=since,
            severity=Severity.CRITICAL,
            evidence={
                "problem_name": link.intake.words,
                "answered_count": lately.answered,
                "slow_count": lately.slow,
                "turned_away_count": lately.turned_away,
                "away_since_at": link.intake.away_since,
            },
        )
    if connection.hooks_off_at:
        yield Incident(
            kind="integration.hooks_off",
            connection_id=connection.pk,
            name=connection.name,
            since=connection.hooks_off_at,
            severity=by_age(
                connection.hooks_off_at, now, high=timedelta(hours=24), critical=timedelta(days=365), least=Severity.MEDIUM
            ),
            evidence={"off_at": connection.hooks_off_at},
        )
    for model, problem in link.problems:
        yield Incident(
            kind="integration.model_unreadable",
            connection_id=connection.pk,
            name=f"{connection.name}: {model}",
            cause=model,
            since=connection.created_at,
            severity=Severity.MEDIUM,
            evidence={"model_name": model, "read_at": link.read_at, "problem_name": problem},
        )
    ends = connection.capabilities.get("key_expires_at")
    if ends and datetime.fromisoformat(ends) - now < KEY_WARNING:
        ends_at = datetime.fromisoformat(ends)
        days = max((ends_at - now).days, 0)
        yield Incident(
            kind="integration.key_expires",
            connection_id=connection.pk,
            name=connection.name,
            since=ends_at - KEY_WARNING,
            severity=Severity.CRITICAL if days < 1 else Severity.HIGH if days < 3 else Severity.MEDIUM,
            evidence={"left_days": days, "ends_at": ends_at, "login_name": connection.login},
        )


def of_jobs(connections: dict[int, Connection], now: datetime) -> Iterator[Incident]:
    late: dict[int, list[ScheduledJob]] = {}
    active: dict[int, int] = {}
    for job in ScheduledJob.objects.filter(connection_id__in=connections).order_by("next_at", "odoo_id"):
        name = connections[job.connection_id].name
        active[job.connection_id] = active.get(job.connection_id, 0) + job.is_active
        if job.is_late:
            late.setdefault(job.connection_id, []).append(job)
        if job.is_failing:
            yield Incident(
                kind="integration.odoo_job_failing",
                connection_id=job.connection_id,
                model="ir.cron",
                odoo_id=job.odoo_id,
                name=f"{name}: {job.name}",
                since=job.given_up_at or job.first_failed_at or job.last_at or now,
                severity=Severity.HIGH if job.given_up_at or job.failures >= 3 else Severity.MEDIUM,
                evidence={
                    "failures_count": job.failures or None,
                    "first_failed_at": job.first_failed_at,
                    "last_run_at": job.last_at,
                    "next_run_at": job.next_at if job.is_active else None,
                    "given_up_name": "yes" if job.given_up_at else "",
                },
            )
    for connection_id, jobs in late.items():
        first = jobs[0].next_at or now
        yield Incident(
            kind="integration.odoo_job_late",
            connection_id=connection_id,
            name=connections[connection_id].name,
            since=first + JOB_LATE,
            severity=by_age(first, now, high=timedelta(hours=2), critical=timedelta(hours=24), least=Severity.MEDIUM),
            evidence={
                "late_count": len(jobs),
                "known_count": active[connection_id],
                "due_at": first,
                "job_names": ", ".join(job.name for job in jobs[:NAMED]),
            },
        )


def dead_letters(connections: dict[int, Connection]) -> Iterator[Incident]:
    for row in queries.rows(DEAD, {}):
        if row["connection_id"] in connections:
            yield Incident(
                kind="integration.dead_letters",
                connection_id=row["connection_id"],
                name=connections[row["connection_id"]].name,
                since=row["processed_at"],
                severity=Severity.HIGH if row["dead"] >= 100 else Severity.MEDIUM,
                evidence={
                    "dead_count": row["dead"],
                    "oldest_at": row["oldest_at"],
                    "newest_at": row["processed_at"],
                    "problem_name": row["problem"],
                },
            )


def held(connections: dict[int, Connection], now: datetime) -> Iterator[Incident]:
    for row in queries.rows(HELD, {"since": now - timedelta(days=1)}):
        if row["connection_id"] in connections:
            yield Incident(
                kind="integration.deletions_held",
                connection_id=row["connection_id"],
                cause=row["odoo_model"],
                name=f"{connections[row['connection_id']].name}: {row['odoo_model']}",
                since=row["started_at"],
                severity=Severity.HIGH,
                evidence={
                    "model_name": row["odoo_model"],
                    "compared_quantity": row["compared"],
                    "held_at": row["started_at"],
                    "problem_name": row["note"],
                },
            )

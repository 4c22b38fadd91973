"""Odoo's scheduled actions as Odoo keeps them: whether they run in time, and whether they fail.

They are read with every probe and not mirrored like other models: Odoo moves ``nextcall`` and ``failure_count`` by SQL, so
no ``write_date`` tells of it.
"""

from datetime import UTC, datetime

from django.db import transaction

from apps.odoo.client import connect
from apps.odoo.errors import ForbiddenError, UnsupportedError
from apps.odoo.models import Connection, ScheduledJob

MODEL = "ir.cron"
# failure_count and first_failure_date came with 18.
WANTED = ("cron_name", "name", "active", "nextcall", "lastcall", "failure_count", "first_failure_date")
SHOWN_AT_MOST = 1_000


def look(connection: Connection, *, now: datetime) -> int:
    """Read the scheduled actions of ``connection`` and keep them; how many. None are kept where they may not be read.

    Raises OdooError.
    """
    with connect(connection) as client:
        try:
            there = client.fields_get(MODEL, ["type"])
            fields = [name for name in WANTED if name in there]
            rows = client.search_read(MODEL, [], fields, limit=SHOWN_AT_MOST, order="id")
        except (ForbiddenError, UnsupportedError):
            rows = []
    with transaction.atomic():
        known = {job.odoo_id: job for job in ScheduledJob.objects.select_for_update().filter(connection=connection)}
        jobs = [_job(connection, row, known.get(row["id"]), now) for row in rows]
        ScheduledJob.objects.filter(connection=connection).exclude(odoo_id__in=[job.odoo_id for job in jobs]).delete()
        ScheduledJob.objects.bulk_create(
            jobs,
            update_conflicts=True,
            unique_fields=["connection", "odoo_id"],
            update_fields=["name", "is_active", "next_at", "last_at", "failures", "first_failed_at", "given_up_at", "read_at"],
        )
    return len(jobs)


def _job(connection: Connection, row: dict, known: ScheduledJob | None, now: datetime) -> ScheduledJob:  # type: ignore[type-arg]
    is_active, failures = bool(row.get("active")), row.get("failure_count") or 0
    given_up_at = None
    if not is_active and known is not None:
        # Odoo switches off what failed too often, and forgets at once how often it did.
        given_up_at = known.given_up_at or (now if known.is_active and known.failures else None)
    return ScheduledJob(
        connection=connection,
        odoo_id=row["id"],
        name=str(row.get("cron_name") or row.get("name") or row["id"])[:200],
        is_active=is_active,
        next_at=_moment(row.get("nextcall")),
        last_at=_moment(row.get("lastcall")),
        failures=failures,
        first_failed_at=_moment(row.get("first_failure_date")) or (known.first_failed_at if known and given_up_at else None),
        given_up_at=given_up_at,
        read_at=now,
    )


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(str(text)).replace(tzinfo=UTC) if text else None

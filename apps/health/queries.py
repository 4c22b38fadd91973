"""Is the link to Odoo well, and is the work that follows from it being done?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection as database
from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils.translation import gettext, gettext_noop, ngettext

from apps.accounts.access import EVERYTHING, AccessScope
from apps.core import sentences
from apps.health import intake_probe, workers
from apps.health.intake_probe import Intake
from apps.intake.models import Delivery
from apps.intake.models import Status as DeliveryStatus
from apps.mirror import freshness
from apps.mirror.freshness import Freshness, freshness_of
from apps.mirror.models import SyncRun
from apps.notifications.models import Notification
from apps.odoo.models import Connection, ConnectionState
from apps.outbox.models import Command
from apps.outbox.models import Status as CommandStatus
from apps.timers.models import Status as TimerStatus
from apps.timers.models import Timer
from apps.vendors.mail import queries as mail
from apps.vendors.mail import smtp

BEAT_KEY = "health:beat-heard-at"
BEAT_LATE = timedelta(seconds=60)
LINK_LATE = freshness.LATE
SILENT_AFTER = timedelta(minutes=15)
WAITING_LONG = timedelta(seconds=30)
SHOWN = 20
TO_ABSORB, TO_SEND = gettext_noop("Deliveries to process"), gettext_noop("Commands to Odoo")


@dataclass(frozen=True, kw_only=True)
class Link:
    """One connection.

    Attributes:
        read_at: when the changes were last asked for of the model that is furthest behind; all that Odoo had committed
            by then is mirrored.
        hinted_at: when Odoo last sent a webhook by itself.
        hints: webhooks of the last 24 hours; None for who sees some of its companies only, since it counts them all.
        missed: what the reconciliations of the last 24 hours found that neither webhook nor poll had told; None likewise.
        intake: whether Odoo's users wait for the tower.
        behind: the models that are too far behind, the furthest first.
        is_first_read_done: whether every model has been read once; ``is_first_read_open`` if some was and not every one.
        problems: models that cannot be read, are held or have no past, with the reason; ``unread`` those that make what is
            shown old.
    """

    connection: Connection
    read_at: datetime | None
    hinted_at: datetime | None
    hints: int | None
    missed: int | None
    is_first_read_done: bool
    is_first_read_open: bool
    intake: Intake
    behind: list[str]
    problems: list[tuple[str, str]]
    unread: list[tuple[str, str]]
    is_late: bool
    is_silent: bool


@dataclass(frozen=True, kw_only=True)
class Queue:
    """Work that waits in PostgreSQL; ``page`` names where people see what of it has stopped."""

    name: str
    waiting: int
    oldest_at: datetime | None
    stopped: int
    is_late: bool
    page: str = ""


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The health page.

    Attributes:
        workers: those that live.
        worker_heard_at: when any of them was last heard of.
        are_workers_late: whether a queue is served by none of them.
        beat_at: when the scheduler last woke a worker.
        stopped_commands: the newest that a person has to look at; ``queues`` counts them all.
        dead_deliveries: likewise.
        sentence: what to look at first.
        is_well: whether there is nothing to look at.
    """

    at: datetime
    links: list[Link]
    queues: list[Queue]
    workers: list[workers.Worker]
    worker_heard_at: datetime | None
    are_workers_late: bool
    beat_at: datetime | None
    is_beat_late: bool
    stopped_commands: list[Command]
    dead_deliveries: list[Delivery]
    sentence: str
    is_well: bool


def overview(*, now: datetime, access_scope: AccessScope = EVERYTHING) -> Overview:
    """Links, queues, workers and what has stopped, with a sentence that says what to look at first."""
    connections = list(Connection.objects.filter(access_scope.of_connections()).order_by("name"))
    fresh = freshness_of(connections, now=now)
    links = [_link(connection, fresh[connection.pk], access_scope=access_scope, now=now) for connection in connections]
    queues = [_deliveries(access_scope, now), _commands(access_scope, now), _mails(access_scope, now)]
    if access_scope.is_everything:  # these are of the whole tower
        queues += [_timers(now), _messages(now)]
    living, beat_at = workers.alive(now=now), cache.get(BEAT_KEY)
    unserved = workers.unserved(living)
    stopped = _of(access_scope).filter(status__in=[CommandStatus.REFUSED, CommandStatus.DEAD]).select_related("connection")
    dead = Delivery.objects.filter(access_scope.of_whole_connections(), status=DeliveryStatus.DEAD).select_related("connection")
    is_beat_late = beat_at is None or now - beat_at > BEAT_LATE
    sentence, is_well = _silence(living, unserved, is_beat_late=is_beat_late) or _sentence(links, queues)
    return Overview(
        at=now,
        links=links,
        queues=queues,
        workers=living,
        are_workers_late=bool(unserved),
        beat_at=beat_at,
        is_beat_late=is_beat_late,
        worker_heard_at=max((worker.heard_at for worker in living), default=None),
        stopped_commands=list(stopped.order_by("-created_at")[:SHOWN]),
        dead_deliveries=list(dead.order_by("-id")[:SHOWN]),
        sentence=sentence,
        is_well=is_well,
    )


def _link(connection: Connection, fresh: Freshness, *, access_scope: AccessScope, now: datetime) -> Link:
    day = now - timedelta(hours=24)
    is_whole = access_scope.sees_whole(connection.pk)
    hints = Delivery.objects.filter(connection=connection, source="odoo", received_at__gt=day).aggregate(
        count=Count("id"), newest=Max("received_at")
    )
    runs = SyncRun.objects.filter(connection=connection, started_at__gt=day)
    missed = sum(row["found_changed"] + row["found_deleted"] for row in runs.values("found_changed", "found_deleted"))
    is_provisioned = connection.is_provisioned
    return Link(
        connection=connection,
        read_at=fresh.read_at,
        hinted_at=hints["newest"],
        hints=hints["count"] if is_whole else None,
        missed=missed if is_whole else None,
        behind=fresh.behind,
        is_first_read_done=fresh.is_first_read_done,
        is_first_read_open=fresh.is_first_read_open,
        intake=intake_probe.intake_of(connection, now=now),
        problems=fresh.problems,
        unread=fresh.unread,
        is_late=fresh.is_late,
        # The heartbeat that is provisioned in Odoo sends a webhook every few minutes: without any, none arrive.
        is_silent=connection.is_active
        and is_provisioned
        and connection.hooks_wanted
        and not connection.hooks_off_at
        and (hints["newest"] is None or now - hints["newest"] > SILENT_AFTER),
    )


def intake_address() -> str:
    """Where Odoo sends its webhooks, without the part that is secret."""
    return f"{settings.INTAKE_URL}/hooks/odoo/…"


def rows(sql: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a statement gives, each row by the names of its columns."""
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        return sentences.rows_of(cursor)


def _deliveries(access_scope: AccessScope, now: datetime) -> Queue:
    mine = Delivery.objects.filter(access_scope.of_whole_connections())
    waiting = mine.filter(status__in=[DeliveryStatus.PENDING, DeliveryStatus.CLAIMED], not_before__lte=now)
    found = waiting.aggregate(count=Count("id"), oldest=Min("received_at"))
    dead = mine.filter(status=DeliveryStatus.DEAD).count()
    return _queue(TO_ABSORB, found["count"], found["oldest"], dead, now)


def _of(access_scope: AccessScope) -> QuerySet[Command]:
    return Command.objects.filter(access_scope.of_records())


def _commands(access_scope: AccessScope, now: datetime) -> Queue:
    found = (
        _of(access_scope)
        .filter(status__in=[CommandStatus.QUEUED, CommandStatus.UNKNOWN])
        .aggregate(count=Count("id"), oldest=Min("not_before", filter=Q(not_before__lte=now)))
    )
    stopped = _of(access_scope).filter(status__in=[CommandStatus.REFUSED, CommandStatus.DEAD]).count()
    return _queue(TO_SEND, found["count"], found["oldest"], stopped, now)


def _timers(now: datetime) -> Queue:
    found = Timer.objects.filter(status=TimerStatus.PENDING, due_at__lte=now).aggregate(count=Count("id"), oldest=Min("due_at"))
    return _queue(gettext_noop("Due timers"), found["count"], found["oldest"], 0, now)


def _messages(now: datetime) -> Queue:
    found = Notification.objects.filter(email_due=True).aggregate(
        count=Count("id"), oldest=Min("created_at"), stopped=Count("id", filter=~Q(email_problem=""))
    )
    return _queue(gettext_noop("E-mails to send"), found["count"], found["oldest"], found["stopped"], now)


def _mails(access_scope: AccessScope, now: datetime) -> Queue:
    mine = mail.mails(access_scope).order_by()
    found = mine.filter(status__in=smtp.WAITING).aggregate(
        count=Count("id"), oldest=Min("not_before", filter=Q(not_before__lte=now))
    )
    stopped = mine.filter(status__in=mail.TO_DECIDE).count()
    name = gettext_noop("Mail to vendors and customers")
    return _queue(name, found["count"], found["oldest"], stopped, now, page="vendors:mails")


def _queue(name: str, waiting: int, oldest_at: datetime | None, stopped: int, now: datetime, *, page: str = "") -> Queue:
    is_late = oldest_at is not None and now - oldest_at > WAITING_LONG
    return Queue(name=name, waiting=waiting, oldest_at=oldest_at, stopped=stopped, is_late=is_late, page=page)


def _silence(living: list[workers.Worker], unserved: list[str], *, is_beat_late: bool) -> tuple[str, bool] | None:
    if not living:
        return gettext("No worker is running: nothing is read from or written to Odoo. Start one."), False
    if unserved:
        return gettext("No worker on queue %(known)s: its tasks are not processed. Start one.") % {
            "known": " and ".join(unserved)
        }, False
    if is_beat_late:
        return gettext("No heartbeat from the scheduler (celery beat): timers fire late or not at all. Start it."), False
    return None


def _sentence(links: list[Link], queues: list[Queue]) -> tuple[str, bool]:
    # As in the header: what is switched off, or being deleted, is no trouble.
    links = [link for link in links if link.connection.is_active]
    for link in links:
        if link.connection.state == ConnectionState.FAILING:
            return gettext("%(name)s cannot be reached: %(problem)s") % {
                "name": link.connection.name,
                "problem": link.connection.problem,
            }, False
    for link in links:
        if link.is_late:
            return gettext("%(name)s has not been read recently; its data may be out of date.") % {
                "name": link.connection.name
            }, False
        if link.is_silent:
            return gettext("No webhooks from %(name)s; changes are found by polling only, a little later.") % {
                "name": link.connection.name
            }, False
    for link in links:
        if link.unread:
            model, problem = link.unread[0]
            return gettext("%(model)s of %(name)s is not up to date: %(problem)s") % {
                "model": model,
                "name": link.connection.name,
                "problem": problem,
            }, False
    for link in links:
        if link.is_first_read_open:
            return gettext("The initial sync of %(name)s is not complete; its data are partial.") % {
                "name": link.connection.name
            }, False
    for link in links:
        if link.intake.hurts:
            told = gettext("Saving in %(name)s is delayed by webhooks.")
            return told % {"name": link.connection.name}, False
    for link in links:
        if link.connection.hooks_off_at:
            told = gettext("The webhooks of %(name)s are switched off; changes are found by polling alone.")
            return told % {"name": link.connection.name}, False
    for queue in queues:
        if queue.is_late:
            return gettext("%(queue)s: %(waiting)s overdue.") % {
                "queue": gettext(queue.name),
                "waiting": queue.waiting,
            }, False
    stopped = sum(queue.stopped for queue in queues)
    if stopped:
        return ngettext(
            "All systems operational; %(n)s failed operation needs action.",
            "All systems operational; %(n)s failed operations need action.",
            stopped,
        ) % {"n": stopped}, False
    if not links:
        return gettext("All systems operational. No Odoo is connected yet."), True
    return gettext("All systems operational."), True

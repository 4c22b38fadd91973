"""The tower's figures for Prometheus: taken from PostgreSQL and the cache, and so the same from every process.

Counters and histograms come from the tally and from Odoo's answering times, which only ever grow; gauges are what is so now.
Every query has its index or its bound, so that a scrape costs the same however much history there is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Sum
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from apps.accounts.access import EVERYTHING
from apps.approvals.models import Request
from apps.approvals.models import Status as RequestStatus
from apps.core import clock
from apps.exceptions.models import ExceptionCase
from apps.exceptions.models import Status as CaseStatus
from apps.health import figures, queries, workers
from apps.health.queries import Overview
from apps.intake import tally
from apps.intake.models import Delivery, Tally
from apps.intake.models import Status as DeliveryStatus
from apps.odoo import timing
from apps.odoo.models import Connection, ConnectionState
from apps.outbox.models import Command
from apps.outbox.models import Status as CommandStatus
from apps.workflows.models import Position

NOT_SETTLED = [CommandStatus.QUEUED, CommandStatus.UNKNOWN, CommandStatus.REFUSED, CommandStatus.DEAD]


def text() -> bytes:
    """The figures in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector())
    return generate_latest(registry)


class _Collector:
    """What Prometheus' library asks for the figures."""

    def collect(self) -> Iterator[Metric]:
        now = clock.now()
        overview = queries.overview(now=now)
        connections = [link.connection for link in overview.links]
        names = {connection.pk: connection.name for connection in connections}
        yield from _now(overview, now)
        yield from _links(connections, now)
        yield from _workflows(now)
        yield from _tallied(names)
        yield from _calls(connections)


def _gauge(name: str, text: str, labels: Sequence[str]) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"controltower_{name}", text, labels=labels)


def _counted(name: str, text: str, labels: Sequence[str], rows: Any) -> GaugeMetricFamily:
    """A gauge by what ``rows`` are grouped by, the count last."""
    gauge = _gauge(name, text, labels)
    for *values, count in rows:
        gauge.add_metric([str(value) for value in values], count)
    return gauge


def _now(overview: Overview, now: datetime) -> Iterator[Metric]:
    yield _counted(
        "positions",
        "Records in a stage",
        ["workflow", "stage"],
        Position.objects.filter(is_open=True).values_list("workflow", "stage").annotate(n=Count("id")),
    )
    unresolved = ExceptionCase.objects.exclude(status=CaseStatus.RESOLVED)
    yield _counted(
        "exceptions",
        "Unresolved exceptions",
        ["type", "severity"],
        unresolved.values_list("type", "severity").annotate(n=Count("id")),
    )
    yield _counted(
        "approvals",
        "Approval requests that wait",
        ["kind"],
        Request.objects.filter(status=RequestStatus.PENDING).values_list("kind").annotate(n=Count("id")),
    )
    yield _counted(
        "commands",
        "Commands to Odoo that wait or have stopped",
        ["status"],
        Command.objects.filter(status__in=NOT_SETTLED).values_list("status").annotate(n=Count("pk")),
    )
    yield _counted(
        "dead_letters",
        "Deliveries that were given up and wait for a person",
        ["source"],
        Delivery.objects.filter(status=DeliveryStatus.DEAD).values_list("source").annotate(n=Count("id")),
    )
    lag = _gauge("sync_lag_seconds", "Time since all that Odoo had committed was mirrored", ["connection"])
    connected = _gauge("connected", "Whether the connection answers", ["connection"])
    heard = _gauge("webhook_age_seconds", "Time since Odoo last sent a webhook by itself", ["connection"])
    for link in overview.links:
        name = link.connection.name
        lag.add_metric([name], (now - link.read_at).total_seconds() if link.read_at else float("nan"))
        connected.add_metric([name], link.connection.state == ConnectionState.CONNECTED)
        heard.add_metric([name], (now - link.hinted_at).total_seconds() if link.hinted_at else float("nan"))
    yield from (lag, connected, heard)
    waiting = _gauge("waiting", "Work that waits in PostgreSQL", ["queue"])
    oldest = _gauge("oldest_waiting_seconds", "Age of the oldest work that waits", ["queue"])
    stopped = _gauge("stopped", "Work that has stopped and needs a person", ["queue"])
    for queue in overview.queues:
        waiting.add_metric([queue.name], queue.waiting)
        oldest.add_metric([queue.name], (now - queue.oldest_at).total_seconds() if queue.oldest_at else 0)
        stopped.add_metric([queue.name], queue.stopped)
    yield from (waiting, oldest, stopped)
    serving = _gauge("workers", "Live workers", ["queue"])
    for name in workers.NEEDED:
        serving.add_metric([name], sum(name in worker.queues for worker in overview.workers))
    yield serving
    beat = _gauge("beat_age_seconds", "Time since the scheduler last woke a worker", [])
    beat.add_metric([], (now - overview.beat_at).total_seconds() if overview.beat_at else float("nan"))
    yield beat


def _links(connections: list[Connection], now: datetime) -> Iterator[Metric]:
    told = _gauge("webhook_share", "Share of the last day's changes that a webhook announced first", ["connection"])
    wait = _gauge("intake_wait_seconds", "How long a webhook of the last day waited for its answer, on average", ["connection"])
    longest = _gauge("intake_wait_longest_seconds", "The longest that a webhook of the last day waited", ["connection"])
    off = _gauge("webhooks_off", "Whether the webhooks were switched off by a person", ["connection"])
    jobs = _gauge("odoo_jobs", "Odoo's own scheduled actions", ["connection", "state"])
    for link in figures.links(connections, now=now):
        told.add_metric([link.connection.name], link.told if link.told is not None else float("nan"))
        mean = link.waited.mean
        wait.add_metric([link.connection.name], mean if mean is not None else float("nan"))
        longest.add_metric([link.connection.name], link.waited.longest)
        off.add_metric([link.connection.name], link.connection.hooks_off_at is not None)
        if link.jobs is not None:
            counts = (("active", link.jobs), ("late", link.jobs_late), ("failing", link.jobs_failing))
            for state, count in counts:
                jobs.add_metric([link.connection.name, state], count)
    yield from (told, wait, longest, off, jobs)


def _workflows(now: datetime) -> Iterator[Metric]:
    found = figures.workflows(now=now, access_scope=EVERYTHING)

    def since(at: datetime | None) -> float:
        return (now - at).total_seconds() if at else 0.0

    shown: list[tuple[str, str, Callable[[figures.WorkflowFigures], float]]] = [
        (
            "workflow_lag_seconds",
            "Sync lag of the model of the workflow that is furthest behind",
            lambda row: since(row.mirrored_until),
        ),
        ("workflow_exceptions_unowned", "Unresolved exceptions that nobody owns", lambda row: row.unowned),
        (
            "workflow_exceptions_unowned_seconds",
            "Age of the oldest exception that nobody owns",
            lambda row: since(row.unowned_since),
        ),
        (
            "workflow_approvals_still_seconds",
            "Time since the approval that has stood still for longest last moved",
            lambda row: since(row.still_since),
        ),
        (
            "workflow_command_success",
            "Share of the last day's commands that took effect in Odoo, of those that ended",
            lambda row: row.succeeded if row.succeeded is not None else float("nan"),
        ),
    ]
    for name, text, value in shown:
        gauge = _gauge(name, text, ["workflow"])
        for row in found:
            gauge.add_metric([row.workflow.name], value(row))
        yield gauge


def _tallied(names: dict[int, str]) -> Iterator[Metric]:
    deliveries = CounterMetricFamily(
        "controltower_deliveries", "Deliveries by what became of them", labels=["connection", "source", "outcome"]
    )
    changes = CounterMetricFamily(
        "controltower_changes", "Changes of records that Odoo tells of, by how they were found", labels=["connection", "way"]
    )
    commands = CounterMetricFamily("controltower_commands_ended", "Commands by how they ended", labels=["connection", "outcome"])
    retries = CounterMetricFamily("controltower_command_retries", "Times that a command was tried again", labels=["connection"])
    took: dict[tuple[str, ...], list[float]] = defaultdict(lambda: [0.0] * (len(tally.BOUNDS) + 1))
    sums: dict[tuple[str, ...], float] = defaultdict(float)
    totals: dict[tuple[str, str, str], int] = defaultdict(int)
    rows = Tally.objects.filter(connection_id__in=names).values_list("connection_id", "source", "what", "bucket")
    for connection_id, source, what, bucket, count, seconds in rows.annotate(n=Sum("count"), s=Sum("seconds")):
        totals[names[connection_id], source, what] += count
        if what == "done":
            took[names[connection_id], source][bucket] += count
            sums[names[connection_id], source] += seconds
    for (connection, source, what), count in sorted(totals.items()):
        if what == "changed":
            changes.add_metric([connection, source], count)
        elif source != tally.COMMANDS:
            deliveries.add_metric([connection, source, what], count)
        elif what == "retried":
            retries.add_metric([connection], count)
        else:
            commands.add_metric([connection, what], count)
    yield from (deliveries, changes, commands, retries)
    absorbed = HistogramMetricFamily(
        "controltower_delivery_seconds", "From the arrival of a delivery to its committed effect", labels=["connection", "source"]
    )
    effect = HistogramMetricFamily(
        "controltower_command_seconds", "From the decision to the effect that Odoo's record shows", labels=["connection"]
    )
    for (connection, source), buckets in sorted(took.items()):
        if source == tally.COMMANDS:
            effect.add_metric([connection], _cumulated(buckets, tally.BOUNDS), sums[connection, source])
        else:
            absorbed.add_metric([connection, source], _cumulated(buckets, tally.BOUNDS), sums[connection, source])
    yield from (absorbed, effect)


def _calls(connections: list[Connection]) -> Iterator[Metric]:
    answers = HistogramMetricFamily("controltower_odoo_call_seconds", "Odoo's answering times", labels=["connection", "kind"])
    errors = CounterMetricFamily("controltower_odoo_call_errors", "Calls that failed", labels=["connection", "error"])
    for connection in connections:
        timed = timing.timing_of(connection.pk)
        for kind, found in timed.answers.items():
            answers.add_metric([connection.name, kind], _cumulated(found.buckets, timing.BOUNDS), found.seconds)
        for name, count in sorted(timed.errors.items()):
            errors.add_metric([connection.name, name], count)
    yield from (answers, errors)


def _cumulated(buckets: Sequence[float], bounds: Sequence[float]) -> list[tuple[str, float]]:
    """Buckets as Prometheus wants them: each with all that lie below it."""
    total, found = 0.0, []
    for bound, count in zip([*map(str, bounds), "+Inf"], buckets, strict=True):
        total += count
        found.append((bound, total))
    return found

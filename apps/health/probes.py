"""Is it alive, is it ready, and in what figures: for load balancers and Prometheus, not for people."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from datetime import timedelta

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.core.cache import caches
from django.db import connection as database
from django.db.models import Count
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from apps.approvals.models import Request
from apps.core import clock
from apps.exceptions.models import ExceptionCase
from apps.health import queries, workers
from apps.intake.models import Delivery
from apps.outbox.models import Command
from apps.workflows.models import Position

BOUND_SECONDS = 2.0
_pool = ThreadPoolExecutor(8, thread_name_prefix="probe")


def _database() -> str:
    try:
        with database.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        database.close()
    return ""


def _broker() -> str:
    caches["default"].get("probe")
    return ""


def _channel_layer() -> str:
    async def round_trip() -> None:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.send(channel, {"type": "probe"})
        await asyncio.wait_for(layer.receive(channel), BOUND_SECONDS)

    async_to_sync(round_trip)()
    return ""


def _workers() -> str:
    missing = workers.unserved(workers.alive(now=clock.now()))
    return f"no worker serves {', '.join(missing)}" if missing else ""


PARTS: dict[str, Callable[[], str]] = {
    "database": _database, "broker": _broker, "channel_layer": _channel_layer, "workers": _workers,
}  # fmt: skip


def readiness() -> dict[str, str]:
    """Each part of the tower with "ok", or what is wrong with it; within two seconds, whatever hangs."""
    deadline = time.monotonic() + BOUND_SECONDS
    running = {name: _pool.submit(probe) for name, probe in PARTS.items()}
    found = {}
    for name, answer in running.items():
        try:
            found[name] = answer.result(timeout=max(0.0, deadline - time.monotonic())) or "ok"
        except TooLate:
            # One that has not begun behind others that hang is not begun any more.
            answer.cancel()
            found[name] = "no answer in time"
        except Exception as error:
            found[name] = type(error).__name__
    return found


def metrics() -> bytes:
    """The figures in Prometheus' text format: taken from PostgreSQL, where they are the same for every process."""
    registry, now = CollectorRegistry(), clock.now()

    def gauge(name: str, text: str, labels: list[str]) -> Gauge:
        return Gauge(f"controltower_{name}", text, labels, registry=registry)

    positions = gauge("positions", "Records in a stage", ["workflow", "stage"])
    for workflow, stage, count in Position.objects.filter(is_open=True).values_list("workflow", "stage").annotate(n=Count("id")):
        positions.labels(workflow, stage).set(count)
    exceptions = gauge("exceptions", "Unresolved exceptions", ["type", "severity"])
    unresolved = ExceptionCase.objects.exclude(status="resolved").values_list("type", "severity").annotate(n=Count("id"))
    for kind, severity, count in unresolved:
        exceptions.labels(kind, severity).set(count)
    approvals = gauge("approvals", "Approval requests", ["kind", "status"])
    for kind, status, count in Request.objects.values_list("kind", "status").annotate(n=Count("id")):
        approvals.labels(kind, status).set(count)
    commands = gauge("commands", "Commands to Odoo", ["status"])
    for status, count in Command.objects.values_list("status").annotate(n=Count("pk")):
        commands.labels(status).set(count)
    deliveries = gauge("deliveries_last_day", "Deliveries received in the last day", ["source", "status"])
    recent = Delivery.objects.filter(received_at__gte=now - timedelta(days=1)).values_list("source", "status")
    for source, status, count in recent.annotate(n=Count("id")):
        deliveries.labels(source, status).set(count)
    found = queries.overview(now=now)
    lag = gauge("sync_lag_seconds", "Time since the connection's changes were last asked for", ["connection"])
    connected = gauge("connected", "Whether the connection answers", ["connection"])
    for link in found.links:
        lag.labels(link.connection.name).set((now - link.read_at).total_seconds() if link.read_at else float("nan"))
        connected.labels(link.connection.name).set(link.connection.state == "connected")
    waiting = gauge("waiting", "Work that waits in PostgreSQL", ["queue"])
    oldest = gauge("oldest_waiting_seconds", "Age of the oldest work that waits", ["queue"])
    for queue in found.queues:
        waiting.labels(queue.name).set(queue.waiting)
        oldest.labels(queue.name).set((now - queue.oldest_at).total_seconds() if queue.oldest_at else 0)
    serving = gauge("workers", "Workers that live", ["queue"])
    for name in workers.NEEDED:
        serving.labels(name).set(sum(name in worker.queues for worker in found.workers))
    beat = gauge("beat_age_seconds", "Time since the scheduler last woke a worker", [])
    beat.set((now - found.beat_at).total_seconds() if found.beat_at else float("nan"))
    return generate_latest(registry)

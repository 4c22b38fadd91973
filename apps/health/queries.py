"""Reading how the integration does: links, lag, deliveries, commands, queues, signs of life."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.cache import caches
from django.db.models import Count, Max, Min, Q

from apps.health.models import Heartbeat
from apps.intake.models import Delivery
from apps.intake.models import Status as DeliveryStatus
from apps.mirror.models import SyncRun, SyncState
from apps.odoo.models import Connection
from apps.outbox.models import Command
from apps.outbox.models import Status as CommandStatus

DAY = timedelta(days=1)
# Polled every 15 s; later than this a person should look.
LAG_IS_LATE = timedelta(minutes=2)
ALIVE_WITHIN = timedelta(seconds=45)
QUEUES = ("decide", "refresh", "notify", "sync", "default")


@dataclass(frozen=True, kw_only=True)
class ModelHealth:
    """How far one model of a connection is mirrored."""

    odoo_model: str
    read_at: datetime | None
    lag_seconds: float | None
    is_late: bool
    backfill_done: bool
    backfill_share: float
    late_count: int
    problem: str


@dataclass(frozen=True, kw_only=True)
class ConnectionHealth:
    """One link and how it does.

    Attributes:
        lag_seconds: age of the oldest state among its models that is certainly mirrored.
        hooks_seen_at: when Odoo's own webhooks last reached the tower.
        hook_share: of the changes of the last day, the share that a webhook announced; None where there were none.
    """

    connection: Connection
    models: list[ModelHealth]
    lag_seconds: float | None
    is_late: bool
    hooks_seen_at: datetime | None
    deliveries: dict[str, int]
    last_run: SyncRun | None
    held: list[SyncRun]


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Everything the health page shows."""

    connections: list[ConnectionHealth]
    commands: dict[str, int]
    oldest_command_at: datetime | None
    refused: list[Command]
    dead_letters: list[Delivery]
    oldest_delivery_at: datetime | None
    queues: dict[str, int | None]
    workers_seen_at: datetime | None
    workers_alive: bool
    troubles: list[str] = field(default_factory=list)


def beat(name: str, *, now: datetime) -> None:
    """Note that the part of the tower called ``name`` works."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": now})


def queue_depths() -> dict[str, int | None]:
    """Messages waiting in each queue; None where the broker cannot be asked."""
    try:
        client = caches["default"]._cache.get_client(None, write=True)
        database = client.connection_pool.connection_kwargs.get("db", 0)
        pipeline = client.pipeline(transaction=False)
        pipeline.execute_command("SELECT", 0)
        for queue in QUEUES:
            pipeline.llen(queue)
        pipeline.execute_command("SELECT", database)
        return dict(zip(QUEUES, pipeline.execute()[1:-1], strict=True))
    except Exception:
        return dict.fromkeys(QUEUES)


def overview(*, now: datetime) -> Overview:
    """How everything does right now."""
    connections = [_connection(connection, now) for connection in Connection.objects.order_by("name")]
    commands = dict(Command.objects.values_list("status").annotate(n=Count("pk")))
    waiting = Command.objects.filter(status__in=[CommandStatus.QUEUED, CommandStatus.UNKNOWN])
    refused = list(
        Command.objects.filter(status__in=[CommandStatus.REFUSED, CommandStatus.DEAD])
        .select_related("connection")
        .order_by("-sequence")[:50]
    )
    dead = list(Delivery.objects.filter(status=DeliveryStatus.DEAD).select_related("connection").order_by("-id")[:50])
    pending = Delivery.objects.filter(status__in=[DeliveryStatus.PENDING, DeliveryStatus.CLAIMED], not_before__lte=now)
    seen = Heartbeat.objects.filter(name="workers").values_list("at", flat=True).first()
    found = Overview(
        connections=connections, commands=commands, refused=refused, dead_letters=dead,
        oldest_command_at=waiting.aggregate(at=Min("created_at"))["at"],
        oldest_delivery_at=pending.aggregate(at=Min("received_at"))["at"],
        queues=queue_depths(), workers_seen_at=seen, workers_alive=bool(seen and now - seen < ALIVE_WITHIN),
    )  # fmt: skip
    found.troubles.extend(_troubles(found))
    return found


def _connection(connection: Connection, now: datetime) -> ConnectionHealth:
    models = [
        ModelHealth(
            odoo_model=state.odoo_model, read_at=state.increment_at, problem=state.problem,
            lag_seconds=(now - state.increment_at).total_seconds() if state.increment_at else None,
            is_late=bool(state.increment_at is None or now - state.increment_at > LAG_IS_LATE),
            backfill_done=state.backfill_done_at is not None, late_count=state.late_count,
            backfill_share=_share(state),
        )
        for state in SyncState.objects.filter(connection=connection).order_by("odoo_model")
    ]  # fmt: skip
    lags = [model.lag_seconds for model in models if model.lag_seconds is not None]
    recent = Delivery.objects.filter(connection=connection, received_at__gte=now - DAY)
    by_status = dict(recent.filter(source="odoo").values_list("status").annotate(n=Count("id")))
    runs = SyncRun.objects.filter(connection=connection).order_by("-started_at")
    newest_of = runs.order_by("odoo_model", "-started_at").distinct("odoo_model")
    return ConnectionHealth(
        connection=connection, models=models, lag_seconds=max(lags, default=None),
        is_late=connection.is_active and any(model.is_late for model in models if model.backfill_done),
        hooks_seen_at=Delivery.objects.filter(connection=connection, source="odoo").aggregate(at=Max("received_at"))["at"],
        deliveries={status: by_status.get(status, 0) for status in DeliveryStatus.values},
        last_run=runs.first(), held=[run for run in newest_of if run.is_held],
    )  # fmt: skip


def _share(state: SyncState) -> float:
    if state.backfill_done_at:
        return 1.0
    read = state.backfill_cursor / state.backfill_total if state.backfill_total else 0.0
    return min(read, 0.99)


def _troubles(found: Overview) -> list[str]:
    """What is wrong, each with what to do, worst first."""
    said = []
    if not found.workers_alive:
        said.append("No worker has reported for a while: nothing is read, decided or written. Look at the workers' log.")
    for link in found.connections:
        name = link.connection.name
        if link.connection.problem:
            said.append(link.connection.problem)
        elif link.is_late:
            said.append(f"{name} has not been read for {int(link.lag_seconds or 0)} s; what is shown of it may be old.")
        said += [run.note for run in link.held]
    if found.refused:
        said.append(f"{len(found.refused)} commands were refused by Odoo or given up. Read why below, mend it, retry.")
    if found.dead_letters:
        said.append(f"{len(found.dead_letters)} deliveries could not be processed. Read why below, then replay them.")
    if all(depth is None for depth in found.queues.values()):
        said.append("Valkey cannot be reached: boards do not move by themselves, and work waits for the next sweep.")
    return said


def command_totals() -> dict[str, int]:
    """Commands by status."""
    found = Command.objects.aggregate(
        **{status: Count("pk", filter=Q(status=status)) for status in CommandStatus.values}
    )
    return {str(name): int(count) for name, count in found.items()}

"""Making things happen later: setting, cancelling and firing timers.

Handlers register themselves by name, so that this floor knows none of them. Timers are claimed in sets with SKIP LOCKED
inside the transaction that handles them: two pollers never fire one twice, and a poller that dies leaves them pending.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from apps.timers.models import Status, Timer
from apps.timers.transitions import TIMERS

logger = logging.getLogger(__name__)

Handler = Callable[[Sequence[Timer], datetime], None]
HANDLERS: dict[str, Handler] = {}
BATCH = 500
# A timer whose handler fails is pushed on, so that one poisonous row never stops the others.
PUSH_ON = timedelta(minutes=10)


def handles(kind: str) -> Callable[[Handler], Handler]:
    """Register the decorated function as what happens when timers of ``kind`` are due. It gets them in order of due time."""

    def register(handler: Handler) -> Handler:
        HANDLERS[kind] = handler
        return handler

    return register


def set_timer(*, kind: str, key: str, due_at: datetime, now: datetime, payload: dict[str, Any] | None = None) -> None:
    """Call the handler of ``kind`` for ``key`` at ``due_at``; a pending timer of the same kind and key is moved there."""
    Timer.objects.bulk_create(
        [Timer(kind=kind, key=key, due_at=due_at, payload=payload or {}, created_at=now)],
        ignore_conflicts=True,
    )
    Timer.objects.filter(kind=kind, key=key, status=Status.PENDING).update(due_at=due_at, payload=payload or {})


def cancel(*, kind: str, keys: Sequence[str]) -> int:
    """Cancel the pending timers of ``kind`` for ``keys``; how many there were."""
    return TIMERS.make_all("cancel", Timer.objects.filter(kind=kind, key__in=keys))


def revive(*, kind: str, keys: Sequence[str]) -> int:
    """Make the last timer that was cancelled for each of ``keys`` pending again, at its own time; how many.

    One that fired, or was never set, stays as it is. A key that has a pending timer keeps that one.
    """
    of_kind = Timer.objects.filter(kind=kind, key__in=keys)
    pending = of_kind.filter(status=Status.PENDING).values("key")
    last = of_kind.exclude(key__in=pending).order_by("key", "-id").distinct("key").values_list("pk", flat=True)
    return TIMERS.make_all("revive", Timer.objects.filter(pk__in=list(last)))


def last_cancelled(*, kind: str, key: str) -> datetime | None:
    """When the timer was due that was cancelled last for ``key``, if the last one was cancelled."""
    last = Timer.objects.filter(kind=kind, key=key).order_by("-id").first()
    return last.due_at if last and last.status == Status.CANCELLED else None


def fire_due(*, now: datetime, limit: int = BATCH) -> int:
    """Fire what is due, one set; how many were claimed. Call again at once while it returns ``limit``.

    1. Claim the due timers in order of due time, skipping what another poller holds.
    2. Mark them fired.
    3. Call each kind's handler with its set, in the same transaction.
    4. A set whose handler fails is tried timer by timer; one that still fails is pushed on.
    """
    with transaction.atomic():
        due = list(
            Timer.objects.select_for_update(skip_locked=True)
            .filter(status=Status.PENDING, due_at__lte=now)
            .order_by("due_at", "id")[:limit]
        )
        by_kind: dict[str, list[Timer]] = {}
        for timer in due:
            by_kind.setdefault(timer.kind, []).append(timer)
        for kind, timers in by_kind.items():
            _fire(kind, timers, now)
    return len(due)


def next_due() -> datetime | None:
    """When the next of the pending timers is due, be it past; None where there is none."""
    pending = Timer.objects.filter(status=Status.PENDING).order_by("due_at")
    return pending.values_list("due_at", flat=True).first()


def _fire(kind: str, timers: list[Timer], now: datetime) -> None:
    handler = HANDLERS.get(kind)
    if handler is None:
        logger.error("No handler is registered for timers of kind %s; %s of them wait", kind, len(timers))
        Timer.objects.filter(id__in=[timer.id for timer in timers]).update(due_at=now + PUSH_ON)
        return
    try:
        with transaction.atomic():
            TIMERS.make_all("fire", Timer.objects.filter(id__in=[timer.id for timer in timers]), fired_at=now)
            handler(timers, now)
    except Exception:
        if len(timers) > 1:
            for timer in timers:
                _fire(kind, [timer], now)
            return
        logger.exception("Timer %s %s failed and is pushed on", kind, timers[0].key)
        Timer.objects.filter(id=timers[0].id).update(due_at=now + PUSH_ON)

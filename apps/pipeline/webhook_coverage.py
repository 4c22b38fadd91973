"""By which way changes reach the mirror: that is how reliable webhooks are here.

Only models of which Odoo is told to send webhooks count, and of each way only the records that really had changed.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cache

from apps.intake import tally
from apps.intake.claim import ClaimedBatch
from apps.intake.models import Delivery
from apps.intake.tally import Counted
from apps.mirror.upsert import Changes
from apps.odoo import guards
from apps.odoo.blueprint import HookRule
from apps.workflows.blueprint import of_catalogue

CHANGED = "changed"
WEBHOOK, OURSELVES, POLL, RECONCILE = "webhook", "tower", "poll", "reconcile"


@cache
def hooked() -> frozenset[str]:
    """The models of which Odoo tells the tower by itself, but for its heartbeat: that would always speak well of it."""
    return frozenset(item.model for item in of_catalogue().items if isinstance(item, HookRule)) - {guards.HEARTBEAT}


def by_hint(part: ClaimedBatch, changes: Iterable[Changes], *, now: datetime) -> None:
    """Count what a batch of deliveries changed: what Odoo announced itself, and what the tower hinted to itself."""
    changed = {
        (change.model, odoo_id)
        for change in changes
        if change.model in hooked()
        for odoo_id in change.ids & part.records.get(change.model, set())
    }
    if not changed:
        return
    told = Delivery.objects.filter(id__in=part.delivery_ids, source="odoo").values_list("model", "odoo_id")
    announced = len(changed & set(told))
    _count(part.connection_id, {WEBHOOK: announced, OURSELVES: len(changed) - announced}, now)


def by_looking(connection_id: int, way: str, found: int, *, now: datetime) -> None:
    """Count what polling or reconciling found that nobody had told."""
    _count(connection_id, {way: found}, now)


def _count(connection_id: int, ways: dict[str, int], now: datetime) -> None:
    tally.add([Counted(connection_id=connection_id, source=way, what=CHANGED, count=count) for way, count in ways.items()], now=now)

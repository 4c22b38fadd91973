"""Another system that tells of events, beside a small company."""

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from apps.core.actor import system
from apps.events import moves
from apps.intake.models import EVENT, Delivery
from apps.pipeline import batch
from tests.world import World

Tell = Callable[..., None]
numbers = count(1)


@pytest.fixture
def world(db: None) -> World:
    made = World()
    made.write("res.partner", 60, name="Nordic Timber", commercial_partner_id=60)
    for name, adapter in [("carrier", "carrier_tracking"), ("portal", "supplier_portal"), ("bazaar", "marketplace")]:
        moves.add_source(name, adapter=adapter, connection="main", by=system("test"), now=made.now)
    return made


@pytest.fixture
def tell(world: World) -> Tell:
    """Have a source's message arrive, as the intake process stores it, and be worked off."""

    def arrive(source: str, message: Any, *, key: str = "") -> None:
        Delivery.objects.create(
            source=source,
            connection=world.connection,
            key=key or f"message-{next(numbers)}",
            model=EVENT,
            odoo_id=0,
            body=json.dumps(message),
            received_at=world.now,
            not_before=world.now,
        )
        while batch.process(clock=lambda: world.now):
            pass

    return arrive


def scan(code: str, reference: str, *, at: str = "2026-11-23T09:00:00Z", **event: Any) -> dict[str, Any]:
    """A carrier's message."""
    return {"shipment": {"tracking_number": reference, "carrier": "Northbound"}, "event": {"code": code, "timestamp": at, **event}}


def said(kind: str, order: str, *, at: str = "2026-11-23T09:00:00Z", **data: Any) -> dict[str, Any]:
    """A supplier portal's message."""
    return {"type": f"order.{kind}", "timestamp": at, "data": {"purchase_order": order, "supplier": "Nordic Timber", **data}}

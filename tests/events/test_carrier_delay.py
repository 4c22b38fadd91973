"""What a carrier says of a shipment becomes an exception, and holds the order up, until the goods are there."""

from datetime import timedelta
from typing import Any

import pytest

from apps.exceptions.models import ExceptionCase
from apps.workflows import blockers
from apps.workflows.models import Position
from tests.events.conftest import Tell, scan
from tests.world import World, odoo_time


@pytest.fixture
def shipped(world: World) -> World:
    """A confirmed order whose goods left yesterday, promised for the 26th."""
    promised = odoo_time(world.now + timedelta(days=3))
    world.order(42, state="sale", amount=1_000, delivery_status="partial", commitment_date=promised)
    world.write(
        "stock.picking",
        7,
        name="WH/OUT/00007",
        state="done",
        picking_type_code="outgoing",
        sale_id=42,
        partner_id=50,
        company_id=1,
        carrier_tracking_ref="1Z999",
        date_deadline=promised,
        scheduled_date=promised,
        date_done=odoo_time(world.now),
    )
    return world


def case() -> ExceptionCase:
    return ExceptionCase.objects.get(type="fulfilment.carrier_delay")


def holding_up(world: World) -> list[dict[str, Any]]:
    position = Position.objects.get(workflow="order_to_cash", odoo_id=42)
    found = blockers.blockers_of(position, now=world.now)
    return [{"record": one.name, "text": one.text} for one in found if one.kind == "carrier_delay"]


def test_a_later_date_is_named_with_what_the_carrier_said(shipped: World, tell: Tell) -> None:
    tell("carrier", scan("DELAYED", "1Z999", estimated_delivery="2026-11-30T10:00:00Z", description="Snow in the pass"))
    found = case()
    assert (found.status, found.model, found.odoo_id, found.team.slug) == ("open", "stock.picking", 7, "warehouse")
    assert {name: value for name, value in found.evidence.items() if name.startswith("carrier")} == {
        "carrier_expected_at": "2026-11-30T10:00:00+00:00",
        "carrier_late_days": 4,
        "carrier_said_by": "carrier",
        "carrier_said_at": "2026-11-23T09:00:00+00:00",
        "carrier_text_name": "Snow in the pass",
    }
    assert holding_up(shipped) == [
        {"record": "WH/OUT/00007", "text": "carrier expects WH/OUT/00007 on 2026-11-30, 4 days late: Snow in the pass"}
    ]


def test_a_date_within_the_promise_is_none(shipped: World, tell: Tell) -> None:
    tell("carrier", scan("ETA_CHANGED", "1Z999", estimated_delivery="2026-11-26T22:00:00Z"))
    assert not ExceptionCase.objects.exists()
    assert holding_up(shipped) == []


def test_in_time_after_all_or_delivered_ends_it(shipped: World, tell: Tell) -> None:
    tell("carrier", scan("DELAYED", "1Z999", estimated_delivery="2026-11-30T10:00:00Z"))
    tell("carrier", scan("ETA_CHANGED", "1Z999", estimated_delivery="2026-11-25T10:00:00Z", at="2026-11-23T10:00:00Z"))
    assert case().status == "resolved"
    tell("carrier", scan("DELAYED", "1Z999", estimated_delivery="2026-12-02T10:00:00Z", at="2026-11-23T11:00:00Z"))
    assert ExceptionCase.objects.filter(type="fulfilment.carrier_delay", status="open").count() == 1
    tell("carrier", scan("DELIVERED", "1Z999", at="2026-11-23T11:30:00Z"))
    assert not ExceptionCase.objects.filter(type="fulfilment.carrier_delay", status="open").exists()
    assert holding_up(shipped) == []


def test_an_older_message_that_comes_late_does_not_win(shipped: World, tell: Tell) -> None:
    tell("carrier", scan("DELIVERED", "1Z999", at="2026-11-23T11:30:00Z"))
    tell("carrier", scan("DELAYED", "1Z999", estimated_delivery="2026-12-02T10:00:00Z", at="2026-11-23T11:00:00Z"))
    assert not ExceptionCase.objects.exists()

"""A supplier portal says what became of one line: the proposal for the line that it names, or none."""

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from apps.core.actor import system
from apps.events import moves as events
from apps.events.models import OutsideEvent
from apps.intake.models import EVENT, Delivery
from apps.outbox.models import Command
from apps.vendors.models import Proposal
from apps.vendors.proposals import lines
from tests.events.conftest import said
from tests.vendors.conftest import worked_off
from tests.world import World


@pytest.fixture
def portal(world: World) -> Callable[..., list[lines.ProposedLine]]:
    """A supplier portal that says what became of one line of the order; the lines of the open proposal after it."""
    events.add_source("portal", adapter="supplier_portal", connection="main", by=system("test"), now=world.now)
    keys = count(1)

    def tell(*, new_date: str = "", **line: Any) -> list[lines.ProposedLine]:
        more = {"new_date": new_date} if new_date else {}
        message = said("line_changed", "P00080", line=line, comment="Short", **more)
        Delivery.objects.create(
            source="portal",
            connection=world.connection,
            key=str(next(keys)),
            model=EVENT,
            odoo_id=0,
            body=json.dumps(message),
            received_at=world.now,
            not_before=world.now,
        )
        worked_off(world)
        proposal = Proposal.objects.filter(status="open").first()
        return lines.read(proposal.lines) if proposal else []

    return tell


type Portal = Callable[..., list[lines.ProposedLine]]


def test_a_changed_line_is_found_by_what_it_is_called_and_the_others_keep_what_was_said(world: World, portal: Portal) -> None:
    world.write("purchase.order.line", 801, name="[NT-77] Lamp\nblack", qty_received=2)
    (line,) = portal(item="nt-77", quantity=7)
    assert (line.line_id, line.old_quantity, line.new_quantity, line.reason) == (801, 8, 5, "Short")
    assert line.new_day == line.old_day
    first, second = portal(item=" desk  0 ", date="2026-12-05")
    assert (first.line_id, first.new_quantity, str(first.new_day)) == (800, 10, "2026-12-05")
    assert (second.line_id, second.new_quantity) == (801, 5)
    assert set(Proposal.objects.values_list("status", flat=True)) == {"superseded", "open"}
    assert not Command.objects.exists()


@pytest.mark.parametrize("quantity", [0, 2, 1.5])
def test_a_line_of_which_nothing_is_left_to_come_is_refused(world: World, portal: Portal, quantity: float) -> None:
    world.write("purchase.order.line", 801, name="[NT-77] Lamp", qty_received=2)
    (line,) = portal(item="NT-77", quantity=quantity)
    assert line.says == "refused" and line.line_id == 801


@pytest.mark.parametrize(
    "said_of",
    [
        {"item": "Desk", "quantity": 3},  # both lines are of this product
        {"item": "Chair", "quantity": 3},
        {"quantity": 3},
        {"item": "Desk 0"},
        {"item": "Desk 0", "quantity": "many"},
        {"item": "Desk 0", "quantity": -1},
        {"item": "Desk 0", "quantity": True},
        {"item": "Desk 0", "quantity": 1e300},
        {"item": {"sku": "Desk 0"}, "quantity": 3},
        {"item": "Desk 0", "quantity": 10},  # what the order says already
    ],
)
def test_what_names_no_line_or_says_nothing_new_of_it_proposes_and_acknowledges_nothing(
    world: World, portal: Portal, said_of: dict[str, Any]
) -> None:
    assert portal(**said_of) == [] and not Proposal.objects.exists() and not Command.objects.exists()
    assert OutsideEvent.objects.get().status == "matched"


def test_a_changed_line_of_an_order_that_was_received_lapses(world: World, portal: Portal) -> None:
    for line in (800, 801):
        world.write("purchase.order.line", line, qty_received=10)
    assert portal(item="Desk 0", quantity=3) == []
    assert Proposal.objects.get().status == "lapsed"

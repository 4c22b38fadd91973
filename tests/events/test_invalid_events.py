"""Odd values in what other systems tell: each message is read and stored, or a dead letter that says why; none stops another."""

import json
import random
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.events import sources
from apps.events.models import OutsideEvent
from apps.intake.models import EVENT, Delivery, Status
from apps.pipeline import batch
from tests.events.conftest import scan
from tests.world import World

EXAMPLES = sorted(Path(sources.__path__[0]).glob("*/examples/*.json"))
NAMES = {"carrier_tracking": "carrier", "supplier_portal": "portal", "marketplace": "bazaar"}
# Random, so that no compression makes an index row fit.
LONG = "".join(random.Random(7).choices(string.ascii_letters + string.digits, k=40_000))
ODD: list[Any] = [
    LONG,
    "a\x00b",
    "half \ud800 of it",
    "",
    " ",
    None,
    True,
    False,
    0,
    -1,
    2**63,
    10**25,
    1e300,
    float("nan"),
    float("inf"),
    [],
    {},
    ["a", 1, None],
    {"en_US": "Desk"},
    [[[[{"a": [1]}]]]],
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "2026-13-45T99:99:99Z",
    "infinity",
    "now",
    "2026-11-23",
    "2026-11-23T09:00:00",
    "12,5",
    "'; DROP x; --",
    "\u202e\u200f",
    "%s %(x)s {x}",
]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a message: each value, and what holds it."""
    if path:
        yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))


def with_value(message: Any, path: tuple[Any, ...], odd: Any) -> Any:
    """The message with ``odd`` at ``path``."""
    made = json.loads(json.dumps(message))
    place = made
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = odd
    return made


def send(world: World, source: str, message: Any, key: str) -> None:
    Delivery.objects.create(
        source=source,
        connection=world.connection,
        key=key,
        model=EVENT,
        odoo_id=0,
        body=json.dumps(message),
        received_at=world.now,
        not_before=world.now,
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_whatever_a_message_holds_no_other_waits_for_it(world: World, example: Path) -> None:
    message = json.loads(example.read_text())["message"]
    source = NAMES[example.parent.parent.name]
    world.write(
        "stock.picking",
        70,
        name="WH/OUT/70",
        state="assigned",
        carrier_tracking_ref="GOOD-1",
        company_id=1,
        picking_type_code="outgoing",
    )
    number = 0
    for path in leaves(message):
        for odd in ODD:
            number += 1
            send(world, source, with_value(message, path, odd), f"odd-{number}")
    for odd in ODD:
        number += 1
        send(world, source, odd, f"odd-{number}")
    send(world, "carrier", scan("DELIVERED", "GOOD-1"), "good")
    while batch.process(clock=lambda: world.now):
        pass
    assert set(Delivery.objects.values_list("status", flat=True)) <= {Status.DONE, Status.DEAD}
    assert not Delivery.objects.filter(status=Status.DEAD, problem="")
    assert Delivery.objects.get(key="good").status == Status.DONE
    assert OutsideEvent.objects.filter(reference="GOOD-1", status="matched", odoo_id=70).exists()
    unforeseen = Delivery.objects.filter(status=Status.DEAD, problem__startswith="The message cannot be stored")
    assert list(unforeseen.values_list("problem", flat=True)) == []

"""Whatever dies while the tower works, it is whole again by itself, and what it has promised is done exactly once."""

import os
from collections.abc import Iterator

import pytest

from tests.faults.fire import SESSIONS, Fire
from tests.tower import Tower

pytestmark = pytest.mark.long

# Each dies while what died before it has just come back; at last all that hold or do the work die at once.
ROUNDS = [
    ["fast workers"],
    ["beat", "worker for people"],
    ["Valkey"],
    ["PostgreSQL"],
    ["web", "intake"],
    [SESSIONS],
    [SESSIONS],
    ["PostgreSQL", "Valkey", "fast workers", "web"],
]
RATE = float(os.environ.get("FAULT_RATE", "20"))


@pytest.fixture
def fire() -> Iterator[Fire]:
    tower = Tower("demo")
    try:
        yield Fire(tower=tower, rate=RATE, seed=7)
    finally:
        tower.stop()


def test_nothing_that_was_promised_is_lost_or_doubled_whatever_dies(fire: Fire) -> None:
    fire.light(notes=12, every=3)
    for parts in ROUNDS:
        fire.burn(*parts)
    fire.put_out()
    fire.settle()
    assert fire.losses() == {}
    assert len(fire.accepted) > 100
    assert fire.snoozed
    fire.tower.manage("audit_verify")

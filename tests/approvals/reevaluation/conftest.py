"""All that is told the time is told the time of the world."""

import pytest

from apps.core import clock
from tests.world import World


@pytest.fixture(autouse=True)
def _clock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: world.now)

import pytest

from apps.accounts.models import Role, Team
from apps.core import clock
from tests.world import World, person


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    for slug in ["finance", "sales", "warehouse", "purchasing"]:
        Team.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    person("olga", Role.OPERATOR, team="finance")
    person("adam", Role.APPROVER, limit=50_000, team="finance")
    person("mia", Role.MANAGER, limit=250_000, team="finance")
    made = World()
    # Pages ask the clock, and show the last thirty days.
    monkeypatch.setattr(clock, "now", lambda: made.now)
    return made

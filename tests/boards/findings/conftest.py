import pytest

from apps.accounts.models import User
from tests.world import World


@pytest.fixture
def mia(world: World) -> User:
    return User.objects.get(username="mia")

"""The workflow whose flow is told, and whose orders somebody sees."""

from apps.accounts.access import EVERYTHING, AccessScope
from tests.world import World

NAME = "order_to_cash"

HISTORY_DAYS = 60


def scope_of(company: int | None, world: World) -> AccessScope:
    return EVERYTHING if company is None else AccessScope(frozenset({(world.connection.pk, company)}))

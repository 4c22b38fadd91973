"""Where the tower has the records, and sums as the checks compare them."""

from decimal import Decimal
from typing import TYPE_CHECKING

from apps.workflows import registry as workflows
from apps.workflows.models import Position

if TYPE_CHECKING:
    from tests.walk.walk import Walk

BEFORE_DELIVERY = {"waiting_for_stock", "ready_to_pick", "partly_delivered"}


def positions(walk: "Walk", workflow: str) -> dict[int, Position]:
    """Where the tower has the records of the workflow, by their id in Odoo."""
    found = Position.objects.filter(connection=walk.tower.connection, workflow=workflow)
    if walk.scope is not None:
        found = found.filter(odoo_id__in=walk.scope.get(workflows.workflows()[workflow].odoo_model, ()))
    return {one.odoo_id: one for one in found}


def money(value: float | Decimal, digits: int) -> Decimal:
    """The sum to so many decimals, without what floats add."""
    return round(Decimal(str(value)), digits)

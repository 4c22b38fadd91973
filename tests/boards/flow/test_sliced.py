"""A board of a part says, figure by figure, what the whole board says once there is nothing else."""

import pytest
from django.core.cache import cache

from apps.boards.boards import blocked_reasons, forecast, queries
from apps.boards.boards.kpi_slices import Part
from apps.mirror.models.sale_order import SaleOrder
from apps.workflows import registry
from apps.workflows.models import Position, Transition
from tests.boards.flow.orders import NAME, scope_of
from tests.world import NOW, World

NORTH, SOUTH = 1, 2


@pytest.mark.parametrize("company", [None, 2])
def test_a_part_counts_as_the_whole_does_without_the_rest(
    world: World, history: tuple[list[Position], list[Transition]], company: int | None
) -> None:
    north = {one.odoo_id for one in history[0] if one.odoo_id % 3}
    SaleOrder.objects.bulk_create(
        SaleOrder(
            connection=world.connection,
            odoo_id=one.odoo_id,
            name=one.name,
            company_id=one.company_id,
            warehouse_id=NORTH if one.odoo_id in north else SOUTH,
            read_at=NOW,
        )
        for one in history[0]
    )
    workflow, access_scope = registry.workflows()[NAME], scope_of(company, world)
    part = Part(connection_id=world.connection.pk, numbers={"warehouse": NORTH})
    sliced = queries.board(workflow, now=NOW, access_scope=access_scope, part=part)
    hours = queries.flow_by_hour(workflow, now=NOW, access_scope=access_scope, part=part)
    due = [stage.due for stage in forecast.forecast_of(workflow, now=NOW, access_scope=access_scope, part=part).stages]
    waits = blocked_reasons.reasons_of(workflow, access_scope=access_scope, part=part)
    whole = queries.board(workflow, now=NOW, access_scope=access_scope)
    assert 0 < sliced.open_count < whole.open_count and sliced.over_target

    for rows in (Position, Transition):
        rows.objects.filter(workflow=NAME).exclude(odoo_id__in=north).delete()
    cache.clear()

    assert sliced == queries.board(workflow, now=NOW, access_scope=access_scope)
    assert hours == queries.flow_by_hour(workflow, now=NOW, access_scope=access_scope) and any(one.arrived for one in hours)
    assert due == [stage.due for stage in forecast.forecast_of(workflow, now=NOW, access_scope=access_scope).stages]
    assert waits == blocked_reasons.reasons_of(workflow, access_scope=access_scope)

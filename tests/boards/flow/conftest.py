"""Six hundred orders that went their ways in two companies."""

import random
from datetime import timedelta

import pytest
from django.core.cache import cache

from apps.workflows import registry, tallies
from apps.workflows.models import Position, Transition
from tests.boards.flow.orders import HISTORY_DAYS, NAME
from tests.world import NOW, World


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    cache.clear()


@pytest.fixture
def history(world: World) -> tuple[list[Position], list[Transition]]:
    """Six hundred orders that went their ways in two companies, some of them back and forth."""
    dice = random.Random(8)
    stages = registry.workflows()[NAME].stages
    opened, ends = [one for one in stages if one.is_open], [one for one in stages if not one.is_open]
    places, moves = [], []
    for number in range(5_000, 5_600):
        at, before, company = NOW - timedelta(days=dice.uniform(0, HISTORY_DAYS)), "", dice.choice([1, 2])
        path = [*(one for one in opened if dice.random() < 0.6), dice.choice(ends)]
        if dice.random() < 0.3 and len(path) > 2:
            path.insert(2, path[0])
        here = None
        for stage in path:
            if at > NOW:
                break
            moves.append(
                Transition(
                    connection=world.connection,
                    workflow=NAME,
                    model="sale.order",
                    odoo_id=number,
                    from_stage=before,
                    to_stage=stage.name,
                    at=at,
                    seen_at=at,
                    company_id=company,
                    amount=number,
                )
            )
            here, since, before = stage, at, stage.name
            at += (stage.target or timedelta(hours=9)) * dice.lognormvariate(-0.4, 0.8)
        if here:
            places.append(
                Position(
                    connection=world.connection,
                    workflow=NAME,
                    model="sale.order",
                    odoo_id=number,
                    name=f"S{number}",
                    stage=here.name,
                    since=since,
                    is_open=here.is_open,
                    amount=number,
                    currency="EUR",
                    company_id=company,
                    due_at=since + here.target if here.is_open and here.target else None,
                )
            )
    Position.objects.bulk_create(places)
    Transition.objects.bulk_create(moves)
    tallies.fold()
    return places, moves

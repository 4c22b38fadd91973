"""Days of charts and trends are those of the company, whose midnight is not that of UTC."""

from datetime import date, datetime, timedelta

import pytest

from apps.accounts.access import EVERYTHING
from apps.boards.analytics import analysis
from apps.boards.boards import figures, kpis
from apps.workflows import registry, tallies
from apps.workflows.models import Transition
from tests.world import NOW, World

NAME = "order_to_cash"
# 01:00 on the 24th in Auckland, noon of the 23rd in UTC; 04:00 in San Francisco.
PLACES = {"Pacific/Auckland": date(2026, 11, 24), "America/Los_Angeles": date(2026, 11, 23), "": date(2026, 11, 23)}


@pytest.fixture(params=sorted(PLACES))
def place(request: pytest.FixtureRequest, world: World) -> str:
    world.connection.time_zone = request.param
    world.connection.save()
    return str(request.param)


def moved(world: World, number: int, at: datetime, *, from_stage: str = "", to_stage: str = "to_invoice") -> None:
    Transition.objects.create(
        connection=world.connection,
        workflow=NAME,
        model="sale.order",
        odoo_id=number,
        from_stage=from_stage,
        to_stage=to_stage,
        at=at,
        seen_at=at,
        company_id=1,
        amount=1,
    )


def test_what_came_last_night_is_of_the_companys_day(world: World, place: str) -> None:
    for number, hours in enumerate((0.5, 2, 13, 20, 30)):
        moved(world, 9_000 + number, NOW - timedelta(hours=hours))
    tallies.fold()
    told = analysis.analysis_of(registry.workflows()[NAME], now=NOW, days=7, access_scope=EVERYTHING)
    expected = {
        "Pacific/Auckland": {date(2026, 11, 24): 1, date(2026, 11, 23): 3, date(2026, 11, 22): 1},
        "America/Los_Angeles": {date(2026, 11, 23): 2, date(2026, 11, 22): 2, date(2026, 11, 21): 1},
        "": {date(2026, 11, 23): 2, date(2026, 11, 22): 3},
    }[place]
    assert {day.day: day.arrived for day in told.throughput if day.arrived} == expected
    assert len(told.throughput) == 7 and told.throughput[-1].day == PLACES[place]
    assert told.zone == (place or "UTC")


def test_the_level_at_a_days_end_is_that_of_the_companys_midnight(world: World, place: str) -> None:
    moved(world, 9_000, NOW - timedelta(hours=2))
    tallies.fold()
    workflow = registry.workflows()[NAME]
    moments, found = figures.levels(workflow, {"to_invoice": 1}, now=NOW, days=2, access_scope=EVERYTHING)
    # It came at 23:00 in Auckland, so that it stood there when the day ended; elsewhere it came today.
    assert found["to_invoice"] == ([0, 1, 1] if place == "Pacific/Auckland" else [0, 0, 1])
    assert moments[-2].date() == PLACES[place] and moments[-2] <= NOW


def test_a_figures_trend_is_by_the_companys_day(world: World, place: str) -> None:
    world.write("stock.location", 8, name="Customers", usage="customer")
    world.write(
        "stock.picking",
        70,
        name="WH/OUT/1",
        state="done",
        picking_type_code="outgoing",
        company_id=1,
        location_dest_id=8,
        date_deadline="2026-11-23 10:00:00",
        date_done="2026-11-23 11:30:00",
    )
    (figure,) = [one for one in kpis.figures(now=NOW, access_scope=EVERYTHING) if one.kpi.name == "shipped_on_time"]
    assert [point.day for point in figure.trend] == [PLACES[place]]


def test_what_goes_back_is_neither_shipped_nor_received(world: World) -> None:
    done = {"state": "done", "company_id": 1, "date_deadline": "2026-11-23 10:00:00", "date_done": "2026-11-23 09:00:00"}
    world.write("stock.location", 8, name="Customers", usage="customer")
    world.write("stock.location", 4, name="Vendors", usage="supplier")
    world.write("stock.picking", 70, name="WH/OUT/1", picking_type_code="outgoing", location_dest_id=8, **done)
    world.write("stock.picking", 71, name="WH/IN/1", picking_type_code="incoming", location_id=8, **done)
    world.write("stock.picking", 72, name="WH/OUT/2", picking_type_code="outgoing", location_dest_id=4, **done)
    world.write("stock.picking", 73, name="WH/OUT/3", picking_type_code="outgoing", location_dest_id=4, return_id=60, **done)
    found = {one.kpi.name: one.count for one in kpis.figures(now=NOW, access_scope=EVERYTHING)}
    assert (found["shipped_on_time"], found.get("received_on_time")) == (1, None)

"""The checks of a walk can fail: what is wrong is named, and due times are counted in another way than the tower counts them."""

from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection as database

from apps.accounts.models import Role, Team
from apps.approvals.models import Request
from apps.core import clock
from apps.exceptions.models import ExceptionCase
from apps.timers import calendars
from apps.timers.models import Timer, WorkingCalendar
from apps.workflows.models import Position
from tests.walk.oracle.asks import no_ask_without_a_request
from tests.walk.oracle.due import cases_are_due_by_their_teams_hours, due_by_the_minute, due_times_stand
from tests.walk.oracle.figures import boards_show_what_stands_there, home_counts_what_waits
from tests.world import World, person

pytestmark = pytest.mark.django_db
ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland", "Asia/Kathmandu"]
SHIFTS = [
    [["08:00", "17:00"]],
    [["08:00", "12:00"], ["13:00", "17:30"]],
    [["22:00", "06:00"]],
    [["18:00", "24:00"]],
    [["06:00", "14:00"], ["14:00", "22:00"]],
]


def walk_over(world: World) -> Any:
    manager = person("mia", Role.MANAGER, limit=10**6)
    tower = SimpleNamespace(connection=world.connection, people=[manager], present=lambda: [manager])
    return SimpleNamespace(tower=tower, scope=None, last_case=0, due_of={}, dues={})


def test_time_counted_by_the_minute_is_the_towers_in_any_calendar() -> None:
    random, team = Random(7), Team.objects.create(slug="night", name="Night")
    for number in range(40):
        # Clocks change in Europe, America and New Zealand in these weeks.
        start = datetime(2026, random.choice([3, 4, 9, 10, 11]), random.randint(1, 28), random.randint(0, 23), 17, 31, 250_000, UTC)
        days = random.sample(range(7), random.choice([2, 5, 7]))
        hours = {str(day): random.choice(SHIFTS) for day in days}
        zone, working = random.choice(ZONES), timedelta(minutes=random.choice([15, 240, 480, 1_440]))
        WorkingCalendar.objects.update_or_create(team=team, defaults={"time_zone": zone, "hours": hours})
        expected = due_by_the_minute(start, working, zone, hours)
        assert calendars.due_after(working, start=start, team=team) == expected, (number, start, zone, hours, working)


def test_a_case_that_is_due_at_another_time_is_named() -> None:
    world = World()
    walk = walk_over(world)
    world.held_order(amount=9_000)
    case = ExceptionCase.objects.get()
    assert cases_are_due_by_their_teams_hours(walk) == due_times_stand(walk) == []
    walk.last_case = 0
    ExceptionCase.objects.filter(pk=case.pk).update(due_at=case.due_at + timedelta(minutes=1))
    assert case.record_name in cases_are_due_by_their_teams_hours(walk)[0]
    told = due_times_stand(walk)
    assert "was due" in told[0]
    assert "its timer" in told[1]


def test_a_due_time_without_a_timer_is_named() -> None:
    world = World()
    world.held_order(amount=9_000)
    Timer.objects.filter(kind="exceptions.breach").delete()
    assert "its timer None" in due_times_stand(walk_over(world))[0]


def test_a_board_that_counts_another_number_is_named() -> None:
    world = World()
    walk = walk_over(world)
    for odoo_id in (42, 43, 44):
        world.order(odoo_id, amount=100)
    assert boards_show_what_stands_there(walk) == []
    with database.cursor() as cursor:
        cursor.execute("UPDATE workflows_standingtally SET count = count + 1, amount = amount + 5 WHERE count > 0")
    told = boards_show_what_stands_there(walk)
    assert any("stand there; counted are 3" in one for one in told)
    assert any("counted are 300" in one for one in told)
    Position.objects.filter(odoo_id=44).delete()
    assert boards_show_what_stands_there(walk) != told


def test_a_first_page_that_counts_another_number_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    walk = walk_over(world)
    world.held_order(amount=9_000)
    assert home_counts_what_waits(walk) == []
    monkeypatch.setattr(
        "apps.exceptions.queue.screens.counts", lambda **_: {"mine": 7, "team": 0, "unowned": 0, "due": 0, "all": 7}
    )
    assert "counted are" in home_counts_what_waits(walk)[0]


def test_an_ask_that_nobody_is_asked_about_is_named_at_once_however_often_it_is_tried() -> None:
    world = World()
    walk = walk_over(world)
    walk.tower.polled_at = clock.now()
    written = clock.now().strftime("%Y-%m-%d %H:%M:%S")
    ask = {"x_res_model": "sale.order", "x_res_id": 42, "x_kind": "credit_override", "write_date": written}
    walk.rows, walk.has = lambda *_: [ask], lambda *_: True
    world.held_order(amount=9_000)
    assert no_ask_without_a_request(walk) == []
    Request.objects.update(status="approved", decided_at=clock.now())
    assert "nobody is: approved" in no_ask_without_a_request(walk)[0]
    # Nobody has to decide: the next poll withdraws it, and the one after that is too late.
    world.order(42, amount=9_000, state="cancel")
    assert no_ask_without_a_request(walk) == []
    walk.tower.polled_at += timedelta(minutes=1)
    assert "nobody is: " in no_ask_without_a_request(walk)[0]

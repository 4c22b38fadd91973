"""A team's working hours are set on a page, over REST and by command; each change is audited, and due times say whose they are."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from apps.accounts.models import Role, Scope, Team, User
from apps.audit.models import Entry
from apps.exceptions.models import ExceptionCase
from apps.timers.models import WorkingCalendar
from tests.api.callers import caller
from tests.world import World, person

BAVARIA = {"time_zone": "Europe/Berlin", "hours": {"0": [["08:00", "12:00"], ["13:00", "17:00"]]}, "holidays_of": "DE-BY"}


@pytest.fixture
def world(db: None) -> World:
    for slug in ["finance", "sales", "warehouse", "purchasing"]:
        Team.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    person("olga", Role.OPERATOR, team="finance")
    person("adam", Role.APPROVER, limit=50_000, team="finance")
    person("mia", Role.MANAGER, limit=250_000, team="finance")
    return World()


def put(username: str, address: str, body: Any) -> Any:
    return caller(username, Scope.ADMIN).client.put(f"/api/v1/{address}", body, "application/json")


def test_over_rest(world: World) -> None:
    assert caller("olga", "read").get("calendars/finance/").json()["time_zone"] is None
    assert put("olga", "calendars/finance/", BAVARIA).status_code == 403
    assert put("mia", "calendars/nobody/", BAVARIA).status_code == 404
    answer = put("mia", "calendars/finance/", BAVARIA)
    assert answer.status_code == 200, answer.content
    assert {name: answer.json()[name] for name in BAVARIA} == BAVARIA
    assert put("mia", "calendars/finance/", BAVARIA).status_code == 200
    (entry,) = Entry.objects.filter(action="calendar.set")
    assert (entry.subject, entry.data["to"]) == ("team:finance", BAVARIA)
    listed = caller("olga", "read").get("calendars/").json()["results"]
    assert {row["team"]: row["holidays_of"] for row in listed}["finance"] == "DE-BY"
    assert caller("mia", Scope.ADMIN).client.delete("/api/v1/calendars/finance/").status_code == 204
    assert not WorkingCalendar.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "x" * 61},
        {"hours": {}},
        {"hours": {"0": [["17:00", "25:00"]]}},
        {"hours": "08:00-17:00"},
        {"holidays_of": "DE-XX"},
        {"holidays_of": "x" * 11},
        {"hours": {"0": [[["08:00"], "17:00"]]}},
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy_and_nothing_changes(world: World, wrong: dict[str, Any]) -> None:
    answer = put("mia", "calendars/finance/", BAVARIA | wrong)
    assert answer.status_code in (400, 422), answer.content
    assert answer.json()["detail"]
    assert not WorkingCalendar.objects.exists() and not Entry.objects.filter(action="calendar.set").exists()


def test_on_the_page(world: World) -> None:
    client = Client()
    client.force_login(User.objects.get(username="mia"))
    given = {"time_zone": "Europe/Berlin", "day_0": "22:00-06:00", "day_5": "13:00-17:00, 08:00-12:00", "holidays_of": "us-ca"}
    assert client.get("/calendars/finance/").status_code == 200
    assert client.post("/calendars/finance/", given).status_code == 302
    stored = WorkingCalendar.objects.get()
    assert stored.hours == {"0": [["22:00", "06:00"]], "5": [["08:00", "12:00"], ["13:00", "17:00"]]}
    assert stored.holidays_of == "US-CA"
    assert "22:00-06:00" in client.get("/calendars/").content.decode()
    refused = client.post("/calendars/finance/", given | {"day_1": "25:00-26:00"})
    assert refused.status_code == 422 and "25:00" in refused.content.decode()
    assert client.post("/calendars/finance/", {"remove": "1"}).status_code == 302
    assert not WorkingCalendar.objects.exists()
    client.force_login(User.objects.get(username="olga"))
    assert client.get("/calendars/").status_code == 200
    assert client.post("/calendars/finance/", given).status_code == 403


def test_by_command(world: World) -> None:
    said = io.StringIO()
    call_command(
        "team_calendar",
        "finance",
        "--zone",
        "Europe/Paris",
        "--hours",
        "mon-fri=08:00-12:00,13:00-17:00",
        "--hours",
        "sat=22:00-06:00",
        "--holidays",
        "FR",
        stdout=said,
    )
    stored = WorkingCalendar.objects.get()
    assert (stored.time_zone, stored.holidays_of, sorted(stored.hours)) == ("Europe/Paris", "FR", list("012345"))
    assert "Europe/Paris" in said.getvalue()
    for wrong in (["nobody"], ["finance", "--hours", "always"], ["finance", "--hours", "mon=9-17"]):
        with pytest.raises(CommandError):
            call_command("team_calendar", *wrong)
    call_command("team_calendar", "finance", "--remove", stdout=said)
    assert not WorkingCalendar.objects.exists()
    assert Entry.objects.filter(action__startswith="calendar.").count() == 2


def test_a_due_time_says_whose_it_is(world: World) -> None:
    put("mia", "calendars/finance/", BAVARIA)
    world.held_order()
    case = ExceptionCase.objects.get()
    told = caller("olga", "read").get(f"exceptions/{case.pk}/").json()["due_calendar"]
    assert told == {"team": "finance", "team_name": "Finance", "time_zone": "Europe/Berlin", "holidays_of": "DE-BY"}
    assert set(caller("olga", "read").get("approvals/").json()["results"][0]["due_calendar"]) == set(told)
    client = Client()
    client.force_login(User.objects.get(username="olga"))
    assert "working hours of Finance, Europe/Berlin" in client.get(f"/exceptions/{case.pk}/").content.decode()


def test_a_calendar_that_cannot_be_stops_nothing_that_waits_for_it(world: World) -> None:
    WorkingCalendar.objects.create(team=Team.objects.get(slug="finance"), time_zone="Mars/Olympus", hours={"0": [["x", "y"]]})
    world.held_order()
    assert ExceptionCase.objects.get().due_at

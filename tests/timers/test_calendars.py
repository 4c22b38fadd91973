"""Working time, also where the clock is changed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.accounts.models import Team
from apps.timers import calendars, sla
from apps.timers.models import WorkingCalendar

WEEKDAYS = {str(day): [["08:00", "12:00"], ["13:00", "17:00"]] for day in range(5)}


def calendar(**changes: object) -> WorkingCalendar:
    return WorkingCalendar(**{"time_zone": "Europe/Berlin", "hours": WEEKDAYS} | changes)


@pytest.fixture
def team(db: None) -> Team:
    team, _ = Team.objects.get_or_create(slug="credit", defaults={"name": "Credit control"})
    return team


def test_a_team_without_a_calendar_works_round_the_clock(team: Team) -> None:
    start = datetime(2026, 11, 21, 3, tzinfo=UTC)
    assert calendars.due_after(timedelta(hours=4), start=start, team=team) == start + timedelta(hours=4)


def test_the_night_and_the_weekend_do_not_count(team: Team) -> None:
    WorkingCalendar.objects.create(team=team, time_zone="Europe/Berlin", hours=WEEKDAYS)
    friday_afternoon = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # 16:00 in Berlin
    due = calendars.due_after(timedelta(hours=4), start=friday_afternoon, team=team)
    assert due == datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # one hour on Friday, three on Monday from 08:00


def test_a_public_holiday_does_not_count(team: Team) -> None:
    WorkingCalendar.objects.create(team=team, time_zone="Europe/Berlin", hours=WEEKDAYS, holidays_of="DE")
    before_new_year = datetime(2026, 12, 31, 15, 30, tzinfo=UTC)
    due = calendars.due_after(timedelta(hours=1), start=before_new_year, team=team)
    assert due == datetime(2027, 1, 4, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "opens"),
    [
        (datetime(2026, 3, 27, 20, tzinfo=UTC), datetime(2026, 3, 30, 6, tzinfo=UTC)),  # summer time begins
        (datetime(2026, 10, 23, 20, tzinfo=UTC), datetime(2026, 10, 26, 7, tzinfo=UTC)),  # and ends
    ],
)
def test_the_wall_clock_counts_over_a_change_of_summer_time(start: datetime, opens: datetime) -> None:
    assert next(calendars.openings(calendar(), start))[0] == opens


def test_a_calendar_that_never_opens_is_refused_by_name(team: Team) -> None:
    WorkingCalendar.objects.create(team=team, hours={})
    with pytest.raises(calendars.ClosedCalendarError, match="Credit control"):
        calendars.due_after(timedelta(hours=1), start=datetime(2026, 1, 1, tzinfo=UTC), team=team)


class WorkingTimeAddsUp(TestCase):
    @settings(max_examples=60, deadline=None)
    @given(
        start=st.integers(0, 365 * 24 * 60).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)),
        first=st.integers(1, 5_000),
        second=st.integers(1, 5_000),
    )
    def test_two_stretches_end_where_their_sum_does(self, start: datetime, first: int, second: int) -> None:
        team = Team.objects.create(slug="any", name="Any")
        WorkingCalendar.objects.create(team=team, time_zone="America/New_York", hours=WEEKDAYS)
        halfway = calendars.due_after(timedelta(minutes=first), start=start, team=team)
        in_two = calendars.due_after(timedelta(minutes=second), start=halfway, team=team)
        at_once = calendars.due_after(timedelta(minutes=first + second), start=start, team=team)
        assert in_two == at_once


def spans(hours: object, start: datetime, *, days: int = 3, **more: object) -> list[tuple[str, str]]:
    found = []
    for opens, closes in calendars.openings(calendar(time_zone="UTC", hours=hours, **more), start):
        if opens >= start + timedelta(days=days):
            break
        found.append((f"{opens:%a %H:%M}", f"{closes:%a %H:%M}"))
    return found


MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


def test_a_night_shift_ends_on_the_next_day() -> None:
    nights = {"0": [["22:00", "06:00"]], "1": [["22:00", "06:00"]]}
    assert spans(nights, MONDAY) == [("Mon 22:00", "Tue 06:00"), ("Tue 22:00", "Wed 06:00")]
    # In the middle of the night of the day before.
    assert spans(nights, MONDAY + timedelta(days=1, hours=3), days=1) == [("Tue 03:00", "Tue 06:00"), ("Tue 22:00", "Wed 06:00")]


def test_a_sunday_night_reaches_into_monday(team: Team) -> None:
    WorkingCalendar.objects.create(team=team, hours={"6": [["22:00", "06:00"]]})
    assert calendars.due_after(timedelta(hours=2), start=MONDAY, team=team) == MONDAY + timedelta(hours=2)


def test_twenty_four_hours_is_the_end_of_the_day_and_days_that_touch_are_one() -> None:
    whole = {str(day): [["00:00", "24:00"]] for day in range(2)}
    assert spans(whole, MONDAY) == [("Mon 00:00", "Wed 00:00")]
    assert spans({"0": [["18:00", "24:00"]], "1": [["00:00", "06:00"]]}, MONDAY) == [("Mon 18:00", "Tue 06:00")]


def test_hours_that_overlap_count_once_in_whatever_order(team: Team) -> None:
    hours = {"0": [["13:00", "17:00"], ["08:00", "12:00"], ["11:00", "14:00"]]}
    assert spans(hours, MONDAY, days=1) == [("Mon 08:00", "Mon 17:00")]
    WorkingCalendar.objects.create(team=team, hours=hours)
    week = MONDAY + timedelta(days=1)
    assert calendars.time_between(MONDAY, week, team=team) == timedelta(hours=9)
    assert calendars.checked_hours(hours) == {"0": [["08:00", "17:00"]]}


def test_a_night_over_the_change_of_summer_time_has_an_hour_less_or_more() -> None:
    """In Berlin the clock goes on from 02:00 to 03:00 on 29 March 2026, and back on 25 October."""
    nights = {"5": [["22:00", "06:00"]]}
    for saturday, hours in ((datetime(2026, 3, 28, tzinfo=UTC), 7), (datetime(2026, 10, 24, tzinfo=UTC), 9)):
        opens, closes = next(calendars.openings(calendar(hours=nights), saturday))
        assert closes - opens == timedelta(hours=hours)


def test_holidays_of_a_state(team: Team) -> None:
    """Epiphany is a holiday in Bavaria and none in Hamburg."""
    start = datetime(2027, 1, 5, 15, 30, tzinfo=UTC)
    due = {}
    for place in ("DE", "DE-HH", "DE-BY"):
        WorkingCalendar.objects.filter(team=team).delete()
        WorkingCalendar.objects.create(team=team, time_zone="Europe/Berlin", hours=WEEKDAYS, holidays_of=place)
        due[place] = calendars.due_after(timedelta(hours=1), start=start, team=team).day
    assert due == {"DE": 6, "DE-HH": 6, "DE-BY": 7}


@pytest.mark.parametrize(
    ("given", "stored"), [("", ""), ("de", "DE"), ("DE-BY", "DE-BY"), (" de_by ", "DE-BY"), ("us-ca", "US-CA"), ("FR", "FR")]
)
def test_places_are_stored_as_they_are_called(given: str, stored: str) -> None:
    assert calendars.checked_place(given) == stored


@pytest.mark.parametrize("given", ["XX", "DE-XX", "Germany", "DE-", "-BY", "D'E", "DE-BY-1"])
def test_a_place_without_holidays_is_refused(given: str) -> None:
    with pytest.raises(calendars.CalendarRefusedError, match=r"There are no holidays of|has no state"):
        calendars.checked_place(given)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"0": []},
        [],
        "08:00-17:00",
        {"7": [["08:00", "17:00"]]},
        {"0": [["25:00", "26:00"]]},
        {"0": [["08:00"]]},
        {"0": [["8", "17"]]},
        {"0": "08:00"},
        {"0": 5},
        {"0": [["24:00", "08:00"]]},
        {"0": [[None, None]]},
        {"0": [["08:00", "08:30"]]},
        {"0": [["08:00", "09:00"]], "mon": [["10:00", "12:00"]]},
        {"0": [["08:00", "09:00"]] * 13},
    ],
)
def test_hours_that_cannot_be_are_refused(given: object) -> None:
    with pytest.raises(calendars.CalendarRefusedError):
        calendars.checked_hours(given)


@pytest.mark.parametrize(
    "stored",
    [
        {"hours": {"0": [["22:00", "06:00"], ["bad", None], 5], "1": "x", "2": None}},
        {"time_zone": "Mars/Olympus", "hours": WEEKDAYS},
        {"holidays_of": "ZZ-TOP", "hours": WEEKDAYS},
        {"hours": ["x"]},
        {"hours": {}},
        {"hours": {"0": [["08:00", "08:01"]]}},
    ],
)
def test_a_calendar_that_cannot_be_stops_nothing(team: Team, stored: dict[str, object]) -> None:
    WorkingCalendar.objects.create(team=team, **stored)
    assert sla.due_after(timedelta(hours=4), start=MONDAY, team=team) >= MONDAY + timedelta(hours=4)
    assert calendars.time_between(MONDAY, MONDAY + timedelta(days=1), team=team) >= timedelta(0)

"""Working time, also where the clock is changed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.accounts.models import Team
from apps.timers import calendars
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

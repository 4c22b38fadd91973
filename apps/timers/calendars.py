"""Working time: when an SLA that counts working hours is due."""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

import holidays

from apps.accounts.models import Team
from apps.timers.models import WorkingCalendar

# Beyond this many days without an opening hour the calendar is taken to be closed for good.
HORIZON_DAYS = 400


class ClosedCalendarError(Exception):
    """A team's calendar has no working hours; the message names the team and the remedy."""


@cache
def _holidays_of(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))


def openings(calendar: WorkingCalendar, start: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The working intervals from ``start`` on, in UTC, in order. Hours are those of the wall clock, also over DST."""
    zone = zoneinfo.ZoneInfo(calendar.time_zone)
    first = start.astimezone(zone).date()
    for day in (first + timedelta(days=number) for number in range(HORIZON_DAYS)):
        if calendar.holidays_of and day in _holidays_of(calendar.holidays_of, day.year):
            continue
        for begins, ends in calendar.hours.get(str(day.weekday()), []):
            opens = datetime.combine(day, time.fromisoformat(begins), zone).astimezone(UTC)
            closes = datetime.combine(day, time.fromisoformat(ends), zone).astimezone(UTC)
            if closes > start and closes > opens:
                yield max(opens, start), closes


def time_between(start: datetime, end: datetime, *, team: Team | None) -> timedelta:
    """How much of the team's working time lies between the two moments; none where ``end`` comes first."""
    calendar = WorkingCalendar.objects.filter(team=team).first() if team else None
    if end <= start:
        return timedelta(0)
    if calendar is None:
        return end - start
    total = timedelta(0)
    for opens, closes in openings(calendar, start):
        if opens >= end:
            break
        total += min(closes, end) - opens
    return total


def due_after(duration: timedelta, *, start: datetime, team: Team | None) -> datetime:
    """The moment when ``duration`` of the team's working time has passed since ``start``.

    A team without a calendar, or no team, works round the clock.

    Raises:
        ClosedCalendarError: the calendar never opens long enough.
    """
    calendar = WorkingCalendar.objects.filter(team=team).first() if team else None
    if calendar is None:
        return start + duration
    left = duration
    for opens, closes in openings(calendar, start):
        if closes - opens >= left:
            return opens + left
        left -= closes - opens
    raise ClosedCalendarError(
        f"The working calendar of team {team} has too few opening hours for an SLA of {duration}. Give it working hours."
    )

"""Working time: when an SLA that counts working hours is due.

Hours are those of the wall clock, also where it is changed. A shift that ends before it begins ends on the next day
(22:00 to 06:00), and 24:00 is the end of its own day. On a holiday no shift begins. What is stored may come from anywhere: of a
calendar that cannot be as it stands, what can be read counts, and nothing that waits for a due time is stopped by it.
"""

import logging
import re
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import holidays
from django.utils.translation import gettext

from apps.accounts.models import Team
from apps.core.refusals import Problem, Refusal
from apps.timers.models import WorkingCalendar

logger = logging.getLogger(__name__)

# Beyond this many days without an opening hour the calendar is taken to be closed for good.
HORIZON_DAYS = 400
MINUTES_A_DAY = 24 * 60
MOST_SHIFTS = 12
# When people are written to by a rule, where the team has no hours of its own.
FROM_HOUR, TO_HOUR, WORKING_WEEKDAYS = 8, 18, range(5)
# The least that a week has to be open, or what is due within days would never be.
LEAST_MINUTES = 60
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")
PLACE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z0-9]{1,6}))?")


class ClosedCalendarError(Exception):
    """A team's calendar has no working hours; the message names the team and the remedy."""


class CalendarRefusedError(Refusal):
    """That cannot be a working calendar; the message says why and what to enter instead."""

    problem = Problem(
        "calendar_invalid",
        422,
        "Invalid working hours",
        meaning="Working hours, holidays or time zone of a team cannot be read, or leave less than an hour a week.",
        remedy="Send what the sentence names: shifts by weekday, a country or state, a time zone.",
    )


def checked_zone(name: str) -> str:
    """``name``, if it is a time zone. Raises CalendarRefusedError."""
    if name not in zoneinfo.available_timezones():
        said = gettext("There is no time zone %(zone)s. Enter one such as Europe/Berlin.")
        raise CalendarRefusedError(said % {"zone": name[:60]})
    return name


def checked_place(name: str) -> str:
    """The country or state whose holidays are free, as it is stored: ``DE``, ``DE-BY``, or nothing. Raises CalendarRefusedError."""
    if not name.strip():
        return ""
    match = PLACE.fullmatch(name.strip())
    known = holidays.list_supported_countries()
    country = match[1].upper() if match else ""
    if match is None or country not in known:
        raise CalendarRefusedError(
            gettext("There are no holidays of %(place)s. Enter a country such as DE, or a state of it such as DE-BY.")
            % {"place": name[:20]}
        )
    if not match[2]:
        return country
    states = {state.upper(): state for state in known[country]}
    if match[2].upper() not in states:
        raise CalendarRefusedError(
            gettext("%(country)s has no state %(state)s. It has: %(states)s.")
            % {"country": country, "state": match[2], "states": ", ".join(known[country]) or "–"}
        )
    return f"{country}-{states[match[2].upper()]}"


def checked_hours(given: Any) -> dict[str, list[list[str]]]:
    """Working hours as they are stored: sorted, those that overlap or touch joined, by weekday. Raises CalendarRefusedError.

    Args:
        given: weekday, Monday is 0 (or ``mon``), to its shifts: ``[["08:00", "12:00"], …]``, or ``"08:00-12:00, 13:00-17:00"``.
    """
    if not isinstance(given, Mapping):
        raise CalendarRefusedError(gettext("Working hours are the shifts of each weekday, from 0 (Monday) to 6."))
    hours: dict[str, list[list[str]]] = {}
    for key, shifts in given.items():
        day = str(WEEKDAYS.index(str(key).lower()[:3])) if str(key).lower()[:3] in WEEKDAYS else str(key)
        if day not in {str(number) for number in range(7)} or day in hours:
            said = gettext("%(day)s is not a weekday, or is listed twice. Monday is 0 and Sunday is 6.")
            raise CalendarRefusedError(said % {"day": str(key)[:20]})
        found = _joined(sorted(_minutes(shift) for shift in _shifts_of(shifts)))
        if found:
            hours[day] = [[_clock(begins), _clock(ends)] for begins, ends in found]
    open_minutes = sum(ends - begins for shifts in hours.values() for begins, ends in map(_minutes, shifts))
    if open_minutes < LEAST_MINUTES:
        raise CalendarRefusedError(
            gettext(
                "A team works at least an hour a week. Enter working hours, or remove the calendar: then it works round the clock."
            )
        )
    return dict(sorted(hours.items()))


def _shifts_of(given: Any) -> Sequence[Any]:
    shifts = [part.split("-") for part in re.split(r"[,;]", given) if part.strip()] if isinstance(given, str) else given
    if not isinstance(shifts, list | tuple) or len(shifts) > MOST_SHIFTS:
        said = gettext("A weekday has at most %(most)s shifts, each with its beginning and its end.")
        raise CalendarRefusedError(said % {"most": MOST_SHIFTS})
    return shifts


def _minutes(shift: Any) -> tuple[int, int]:
    """A shift in minutes since its day began; its end lies on the next day where it is not after its beginning."""
    try:
        first, last = (CLOCK.fullmatch(str(part).strip().replace("–", "-")) for part in shift)
        begins, ends = (int(match[1]) * 60 + int(match[2]) for match in (first, last))  # type: ignore[index]
    except (TypeError, ValueError):
        begins, ends = -1, -1
    if not 0 <= begins < MINUTES_A_DAY or not 0 <= ends <= MINUTES_A_DAY:
        said = gettext("%(shift)s is not a shift. Enter two times such as 08:00-17:00, 22:00-06:00 or 18:00-24:00.")
        raise CalendarRefusedError(said % {"shift": str(shift)[:40]})
    return begins, ends if ends > begins else ends + MINUTES_A_DAY


def _joined(shifts: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for begins, ends in shifts:
        if found and begins <= found[-1][1]:
            found[-1] = found[-1][0], min(max(found[-1][1], ends), found[-1][0] + MINUTES_A_DAY)
        else:
            found.append((begins, ends))
    return found


def _clock(minutes: int) -> str:
    """A time of day, that of the next day where it lies beyond 24:00."""
    minutes = minutes if minutes <= MINUTES_A_DAY else minutes - MINUTES_A_DAY
    return f"{minutes // 60:02}:{minutes % 60:02}"


@cache
def _holidays_of(place: str, year: int) -> frozenset[date]:
    country, _, state = place.partition("-")
    try:
        return frozenset(holidays.country_holidays(country, subdiv=state or None, years=year))
    except (NotImplementedError, KeyError, ValueError, AttributeError):
        logger.error("There are no holidays of %s: none are kept. Correct the calendar.", place)
        return frozenset()


@cache
def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        logger.error("There is no time zone %s: the calendar counts in UTC. Correct it.", name[:60])
        return zoneinfo.ZoneInfo("UTC")


def _stored(hours: Any, day: date) -> list[tuple[int, int]]:
    """The day's shifts, in order; what cannot be read is left out."""
    found = []
    shifts = hours.get(str(day.weekday())) if isinstance(hours, Mapping) else None
    for shift in shifts if isinstance(shifts, list | tuple) else []:
        try:
            found.append(_minutes(shift))
        except CalendarRefusedError:
            continue
    return sorted(found)


def openings(calendar: WorkingCalendar, start: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The working intervals from ``start`` on, in UTC, in order and apart from each other."""
    zone = _zone(calendar.time_zone)
    # A shift of the day before may still run.
    first = start.astimezone(zone).date() - timedelta(days=1)
    running: tuple[datetime, datetime] | None = None
    for day in (first + timedelta(days=number) for number in range(HORIZON_DAYS + 1)):
        if calendar.holidays_of and day in _holidays_of(calendar.holidays_of, day.year):
            continue
        for begins, ends in _stored(calendar.hours, day):
            opens, closes = _moment(day, begins, zone), _moment(day, ends, zone)
            if closes <= start or closes <= opens:
                continue
            opens = max(opens, start)
            if running and opens <= running[1]:
                running = running[0], max(running[1], closes)
                continue
            if running:
                yield running
            running = opens, closes
    if running:
        yield running


def _moment(day: date, minutes: int, zone: zoneinfo.ZoneInfo) -> datetime:
    later, minutes = divmod(minutes, MINUTES_A_DAY)
    at = time(minutes // 60, minutes % 60)
    return datetime.combine(day + timedelta(days=later), at, zone).astimezone(UTC)


def calendar_of(team: Team | None) -> WorkingCalendar | None:
    """The team's working calendar; None where it has none and works round the clock."""
    return WorkingCalendar.objects.filter(team=team).first() if team else None


def described(team: Team | None) -> dict[str, str | None]:
    """Whose working time a due time counts, as the API says it; no zone where that is round the clock."""
    calendar = getattr(team, "calendar", None) if team else None
    return {
        "team": team.slug if team else None,
        "team_name": str(team) if team else None,
        "time_zone": calendar.time_zone if calendar else None,
        "holidays_of": calendar.holidays_of if calendar else None,
    }


def time_between(start: datetime, end: datetime, *, team: Team | None) -> timedelta:
    """How much of the team's working time lies between the two moments; none where ``end`` comes first."""
    calendar = calendar_of(team)
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
    calendar = calendar_of(team)
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


def is_working(team: Team | None, now: datetime) -> bool:
    """True within the team's working hours; of a team without hours of its own, on weekdays by day."""
    calendar = calendar_of(team)
    if calendar is None:
        return now.weekday() in WORKING_WEEKDAYS and FROM_HOUR <= now.hour < TO_HOUR
    opens, closes = next(iter(openings(calendar, now)), (None, None))
    return opens is not None and closes is not None and opens <= now < closes

"""Due times by a team's calendar that never fail: a calendar that cannot be used is named, and time runs round the clock."""

import logging
from datetime import datetime, timedelta

from apps.accounts.models import Team
from apps.core import isolation
from apps.timers import calendars
from apps.timers.models import WorkingCalendar

logger = logging.getLogger(__name__)
# Longer than any SLA, and short of the horizon of calendars.
PROBED = timedelta(hours=8)


def due_after(duration: timedelta, *, start: datetime, team: Team | None) -> datetime:
    """Return when ``duration`` of the team's working time has passed since ``start``; of all time where its calendar fails."""
    try:
        return calendars.due_after(duration, start=start, team=team)
    except Exception as error:
        if isolation.is_of_the_server(error):
            raise
        logger.warning("The working calendar of team %s cannot be used, so time runs round the clock: %s", team, error)
        return start + duration


def time_between(start: datetime, end: datetime, *, team: Team | None) -> timedelta:
    """Return how much of the team's working time lies between two moments; all of it where its calendar fails."""
    try:
        return calendars.time_between(start, end, team=team)
    except Exception as error:
        if isolation.is_of_the_server(error):
            raise
        logger.warning("The working calendar of team %s cannot be used, so time runs round the clock: %s", team, error)
        return max(end - start, timedelta(0))


def unusable(*, now: datetime) -> list[tuple[Team, str]]:
    """Return the teams whose calendar cannot be used as it stands, each with the reason.

    A zone or holidays that are not known leave the hours usable, in UTC and without holidays, and are named as well.
    """
    found = []
    for calendar in WorkingCalendar.objects.select_related("team").order_by("team__slug"):
        try:
            calendars.due_after(PROBED, start=now, team=calendar.team)
            if calendar.time_zone:
                calendars.checked_zone(calendar.time_zone)
            calendars.checked_place(calendar.holidays_of)
        except Exception as error:
            if isolation.is_of_the_server(error):
                raise
            found.append((calendar.team, str(error) or type(error).__name__))
    return found

"""The working hours of teams over some days, as statements take them."""

import logging
from collections.abc import Iterator
from datetime import datetime

from apps.core import isolation
from apps.timers import calendars
from apps.timers.models import WorkingCalendar

logger = logging.getLogger(__name__)


def hours_of_teams(since: datetime, until: datetime) -> dict[str, str]:
    """Return the working hours of each team that has some, as a multirange of seconds of the epoch, by the team's slug.

    A team whose calendar cannot be used is left out: its time is all time.
    """
    found = {}
    for calendar in WorkingCalendar.objects.select_related("team"):
        try:
            found[calendar.team.slug] = "{" + ",".join(_ranges(calendar, since, until)) + "}"
        except Exception as error:
            if isolation.is_of_the_server(error):
                raise
            logger.warning("The working calendar of team %s cannot be used, so time runs round the clock: %s", calendar.team, error)
    return found


def _ranges(calendar: WorkingCalendar, since: datetime, until: datetime) -> Iterator[str]:
    """The hours, however long the time is: a calendar tells those of a year or so at once."""
    start = since
    while start < until:
        last = start
        for opens, closes in calendars.openings(calendar, start):
            if opens >= until:
                return
            yield f"[{int(opens.timestamp())},{int(min(closes, until).timestamp())})"
            last = closes
        if last == start:
            return
        start = last

"""Setting and removing teams' working calendars: on the page, over REST and by command, each change audited."""

from datetime import datetime
from typing import Any

from django.db import transaction

from apps.accounts.models import Team, User
from apps.accounts.permissions import check_may_make_policy
from apps.audit import trail
from apps.core import live
from apps.core.actor import Actor
from apps.timers import calendars
from apps.timers.models import WorkingCalendar


def _recorded(team: Team, action: str, data: dict[str, Any], *, by: User | Actor, now: datetime) -> None:
    actor = by.actor if isinstance(by, User) else by
    trail.record(trail.Event(action=action, actor=actor, subject=f"team:{team.slug}", data=data), now=now)
    live.announce(["figures"])


def _facts(calendar: WorkingCalendar | None) -> dict[str, Any] | None:
    if calendar is None:
        return None
    return {"time_zone": calendar.time_zone, "hours": calendar.hours, "holidays_of": calendar.holidays_of}


@transaction.atomic
def set_calendar(
    team: Team, *, time_zone: str, hours: Any, holidays_of: str = "", by: User | Actor, now: datetime
) -> WorkingCalendar:
    """Have the team work these hours from now on; what is due already stays due then. The same again is no change.

    Raises NotAllowedError, CalendarRefusedError.
    """
    if isinstance(by, User):
        check_may_make_policy(by)
    facts = {
        "time_zone": calendars.checked_zone(time_zone),
        "hours": calendars.checked_hours(hours),
        "holidays_of": calendars.checked_place(holidays_of),
    }
    Team.objects.select_for_update().get(pk=team.pk)
    before = calendars.calendar_of(team)
    if before is not None and _facts(before) == facts:
        return before
    calendar, _ = WorkingCalendar.objects.update_or_create(team=team, defaults=facts)
    _recorded(team, "calendar.set", {"from": _facts(before), "to": facts}, by=by, now=now)
    return calendar


@transaction.atomic
def remove_calendar(team: Team, *, by: User | Actor, now: datetime) -> bool:
    """Have the team work round the clock; whether that is a change. Raises NotAllowedError."""
    if isinstance(by, User):
        check_may_make_policy(by)
    Team.objects.select_for_update().get(pk=team.pk)
    before = calendars.calendar_of(team)
    if before is None:
        return False
    before.delete()
    _recorded(team, "calendar.removed", {"from": _facts(before)}, by=by, now=now)
    return True

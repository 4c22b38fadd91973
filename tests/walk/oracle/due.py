"""When exceptions are due: by their team's working time, counted minute by minute, at their opening and ever after."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from apps.exceptions.models import ExceptionCase
from apps.timers.models import Timer
from apps.workflows import registry as workflows

if TYPE_CHECKING:
    from tests.walk.walk import Walk

MINUTE = timedelta(minutes=1)
ROUND_THE_CLOCK = {str(day): [["00:00", "24:00"]] for day in range(7)}


@cache
def _is_open(zone: str, hours: tuple[tuple[str, tuple[tuple[str, str], ...]], ...], minute: datetime) -> bool:
    """Whether the team works in the minute that begins then. Shifts that end at or before they begin end the day after."""
    local = minute.astimezone(ZoneInfo(zone))
    known = dict(hours)
    told, day, before = local.strftime("%H:%M"), str(local.weekday()), str((local.weekday() - 1) % 7)
    today = any(begins <= told and (told < ends or ends <= begins) for begins, ends in known.get(day, ()))
    return today or any(ends <= begins and told < ends for begins, ends in known.get(before, ()))


def due_by_the_minute(start: datetime, working: timedelta, zone: str, hours: Mapping[str, list[list[str]]]) -> datetime:
    """When so much working time has passed, by looking at every minute."""
    frozen = tuple((day, tuple((begins, ends) for begins, ends in shifts)) for day, shifts in hours.items())
    at = start.replace(second=0, microsecond=0)
    left = working
    first = MINUTE - (start - at)
    while True:
        length = first if at <= start else MINUTE
        if _is_open(zone, frozen, at):
            if left <= length:
                return max(at, start) + left
            left -= length
        at += MINUTE


def cases_are_due_by_their_teams_hours(walk: "Walk") -> list[str]:
    """What opened since the last look is due when its type's time has passed in its team's working hours."""
    found = []
    kinds = {kind.name: kind for workflow in workflows.workflows().values() for kind in workflow.exceptions}
    new = ExceptionCase.objects.filter(pk__gt=walk.last_case, type__in=kinds).select_related("team__calendar").order_by("pk")
    for case in new:
        walk.last_case = case.pk
        calendar = getattr(case.team, "calendar", None)
        length = kinds[case.type].due
        key = (case.opened_at, length, case.team_id)
        if key not in walk.dues:
            zone, hours = (calendar.time_zone, calendar.hours) if calendar else ("UTC", ROUND_THE_CLOCK)
            walk.dues[key] = due_by_the_minute(case.opened_at, length, zone, hours)
        if case.due_at is None or abs(case.due_at - walk.dues[key]) > timedelta(seconds=1):
            found.append(f"{case.type} of {case.record_name} is due {case.due_at}; by {case.team}'s hours {walk.dues[key]}")
    return found


def due_times_stand(walk: "Walk") -> list[str]:
    """No act moves the due time of a case, and a timer waits for each that is to come."""
    found = []
    timers = dict(Timer.objects.filter(kind="exceptions.breach", status="pending").values_list("key", "due_at"))
    for case in ExceptionCase.objects.exclude(status="resolved").only("pk", "type", "record_name", "due_at", "breached_at"):
        first = walk.due_of.setdefault(case.pk, case.due_at)
        if first != case.due_at:
            found.append(f"{case.type} of {case.record_name} was due {first}, and is now {case.due_at}")
        if case.due_at and case.breached_at is None and timers.get(f"exception:{case.pk}") != case.due_at:
            found.append(f"{case.type} of {case.record_name} is due {case.due_at}; its timer {timers.get(f'exception:{case.pk}')}")
    return found

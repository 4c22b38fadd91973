"""When teams work: the calendars in which their due times count."""

import zoneinfo
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts.models import Team
from apps.accounts.permissions import POLICY_MAKERS, check_may_make_policy
from apps.accounts.requests import PersonsRequest
from apps.core import clock
from apps.timers import calendars, team_hours


def written(shifts: list[list[str]]) -> str:
    """A day's shifts as people write them: "08:00-12:00, 13:00-17:00"."""
    return ", ".join("-".join(shift) for shift in shifts)


@login_required
@require_safe
def listing(request: PersonsRequest) -> HttpResponse:
    """Every team and when it works."""
    rows = []
    for team in Team.objects.select_related("calendar").order_by("name"):
        calendar = getattr(team, "calendar", None)
        hours = calendar.hours if calendar and isinstance(calendar.hours, dict) else {}
        days = [(WEEKDAYS[int(day)], written(shifts)) for day, shifts in sorted(hours.items()) if day in "0123456"]
        rows.append((team, calendar, days))
    return render(request, "timers/calendars.html", {"rows": rows, "may_change": request.user.role in POLICY_MAKERS})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: PersonsRequest, name: str) -> HttpResponse:
    """Set, or remove, when one team works."""
    found = get_object_or_404(Team, slug=name)
    check_may_make_policy(request.user)
    given: dict[str, Any]
    problem, now = "", clock.now()
    if request.method == "POST" and request.POST.get("remove"):
        team_hours.remove_calendar(found, by=request.user, now=now)
        messages.success(request, gettext("%(team)s works round the clock now.") % {"team": found}, extra_tags="done")
        return redirect("timers:calendars")
    if request.method == "POST":
        hours = {str(day): request.POST.get(f"day_{day}", "")[:200] for day in range(7)}
        given = {
            "time_zone": request.POST.get("time_zone", "")[:60],
            "hours": hours,
            "holidays_of": request.POST.get("holidays_of", "")[:20],
        }
        try:
            team_hours.set_calendar(found, **given, by=request.user, now=now)
        except calendars.CalendarRefusedError as error:
            problem = str(error)
        else:
            messages.success(request, gettext("The working hours of %(team)s are saved.") % {"team": found}, extra_tags="done")
            return redirect("timers:calendars")
    else:
        calendar = calendars.calendar_of(found)
        stored = calendar.hours if calendar and isinstance(calendar.hours, dict) else {}
        given = {
            "time_zone": calendar.time_zone if calendar else "UTC",
            "hours": {str(day): written(stored.get(str(day), [])) for day in range(7)},
            "holidays_of": calendar.holidays_of if calendar else "",
        }
    days = [(f"day_{day}", WEEKDAYS[int(day)], shifts) for day, shifts in given["hours"].items()]
    context = {
        "team": found,
        "given": given,
        "days": days,
        "problem": problem,
        "zones": sorted(zoneinfo.available_timezones()),
        "has_calendar": calendars.calendar_of(found) is not None,
    }
    return render(request, "timers/calendar.html", context, status=422 if problem else 200)

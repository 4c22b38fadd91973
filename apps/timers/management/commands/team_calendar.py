"""Set, show or remove the working calendar of a team."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.models import Team
from apps.core import clock
from apps.core.actor import system
from apps.timers import calendars, team_hours


class Command(BaseCommand):
    help = "Set when a team works; without --hours, print it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("team", help="short name of the team, such as sales")
        parser.add_argument("--zone", default="UTC", help="time zone, such as Europe/Berlin")
        parser.add_argument(
            "--hours",
            action="append",
            metavar="DAYS=SHIFTS",
            help="such as mon-fri=08:00-12:00,13:00-17:00 or sat=22:00-06:00; may be given several times",
        )
        parser.add_argument("--holidays", default="", help="country or state whose holidays are free, such as DE or DE-BY")
        parser.add_argument("--remove", action="store_true", help="work round the clock")

    def handle(self, **options: Any) -> None:
        team = Team.objects.filter(slug=options["team"]).first()
        if team is None:
            known = ", ".join(Team.objects.order_by("slug").values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no team {options['team']}; there is: {known}.")
        by, now = system("team_calendar"), clock.now()
        if options["remove"]:
            team_hours.remove_calendar(team, by=by, now=now)
        elif options["hours"]:
            try:
                team_hours.set_calendar(
                    team,
                    time_zone=options["zone"],
                    hours=_by_day(options["hours"]),
                    holidays_of=options["holidays"],
                    by=by,
                    now=now,
                )
            except calendars.CalendarRefusedError as error:
                raise CommandError(str(error)) from None
        calendar = calendars.calendar_of(team)
        if calendar is None:
            self.stdout.write(f"{team.slug} works round the clock.")
        else:
            self.stdout.write(
                f"{team.slug}: {calendar.time_zone}, {json.dumps(calendar.hours)}, holidays of {calendar.holidays_of or 'nowhere'}"
            )


def _by_day(given: list[str]) -> dict[str, str]:
    """Raises CalendarRefusedError, through what is left for it to refuse, and CommandError."""
    hours: dict[str, str] = {}
    for one in given:
        days, _, shifts = one.partition("=")
        first, _, last = days.strip().lower().partition("-")
        if first not in calendars.WEEKDAYS or (last or first) not in calendars.WEEKDAYS or not shifts:
            raise CommandError(f"--hours must be such as mon-fri=08:00-17:00, not {one}.")
        start, end = calendars.WEEKDAYS.index(first), calendars.WEEKDAYS.index(last or first)
        for day in range(start, (end if end >= start else end + 7) + 1):
            key = str(day % 7)
            hours[key] = f"{hours[key]},{shifts}" if key in hours else shifts
    return hours

"""REST: the working calendars of teams."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import Team
from apps.accounts.requests import PersonsCall
from apps.core import clock
from apps.core.rest import FilteredList
from apps.timers import calendars, team_hours


class CalendarShape(serializers.Serializer[Any]):
    """When a team works. One without hours works round the clock."""

    team = serializers.CharField()
    name = serializers.CharField()
    time_zone = serializers.CharField(allow_null=True)
    hours = serializers.DictField(help_text="Weekday (Monday is 0) to its shifts, each with beginning and end.")
    holidays_of = serializers.CharField()

    def to_representation(self, team: Team) -> dict[str, Any]:
        calendar = calendars.calendar_of(team)
        return {
            "team": team.slug,
            "name": team.name,
            "time_zone": calendar.time_zone if calendar else None,
            "hours": calendar.hours if calendar else {},
            "holidays_of": calendar.holidays_of if calendar else "",
        }


class CalendarGiven(serializers.Serializer[Any]):
    """Working hours as they are to be."""

    time_zone = serializers.CharField(max_length=60, help_text="Such as Europe/Berlin")
    hours = serializers.DictField(
        help_text='Weekday (Monday is 0) to its shifts, such as {"0": [["08:00", "17:00"]], "5": [["22:00", "06:00"]]}.'
    )
    holidays_of = serializers.CharField(
        max_length=10, allow_blank=True, default="", help_text="Country or state whose holidays are free: DE, DE-BY, US-CA."
    )


class Calendars(FilteredList):
    """Teams with their working calendars."""

    queryset = Team.objects.none()
    serializer_class = CalendarShape
    ordering = ("id",)

    def get_queryset(self) -> Any:
        return Team.objects.all()


class OneCalendar(APIView):
    """The working calendar of one team."""

    @extend_schema(responses=CalendarShape)
    def get(self, request: PersonsCall, name: str) -> Response:
        """Read when a team works."""
        return Response(CalendarShape(get_object_or_404(Team, slug=name)).data)

    @extend_schema(request=CalendarGiven, responses=CalendarShape)
    def put(self, request: PersonsCall, name: str) -> Response:
        """Set when a team works. What is due already stays due then."""
        found = get_object_or_404(Team, slug=name)
        given = CalendarGiven(data=request.data)
        given.is_valid(raise_exception=True)
        team_hours.set_calendar(found, **given.validated_data, by=request.user, now=clock.now())
        return Response(CalendarShape(found).data)

    @extend_schema(responses={204: None})
    def delete(self, request: PersonsCall, name: str) -> Response:
        """Remove a team's calendar: it works round the clock then."""
        team_hours.remove_calendar(get_object_or_404(Team, slug=name), by=request.user, now=clock.now())
        return Response(status=204)

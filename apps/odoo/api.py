"""REST: connections."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access
from apps.accounts.requests import PersonsCall
from apps.core import clock
from apps.core.rest import FilteredList, moment
from apps.odoo import zones
from apps.odoo.models import Connection


class ConnectionShape(serializers.Serializer[Any]):
    """One connection. Its key and the secret of its webhooks are never shown."""

    name = serializers.CharField()
    url = serializers.CharField()
    database = serializers.CharField()
    login = serializers.CharField()
    version = serializers.CharField()
    is_active = serializers.BooleanField()
    state = serializers.CharField()
    state_since = serializers.DateTimeField(allow_null=True)
    problem = serializers.CharField()
    time_zone = serializers.CharField(help_text="In which its companies count days; empty: each as its Odoo says")

    def to_representation(self, row: Connection) -> dict[str, Any]:
        return {
            "name": row.name,
            "url": row.url,
            "database": row.database,
            "login": row.login,
            "version": row.version,
            "is_active": row.is_active,
            "state": row.state,
            "state_since": moment(row.state_since),
            "problem": row.problem,
            "time_zone": row.time_zone,
        }


class Connections(FilteredList):
    """Connections."""

    queryset = Connection.objects.none()
    serializer_class = ConnectionShape
    ordering = ("id",)

    def get_queryset(self) -> Any:
        return Connection.objects.filter(access.scope_of(self.request.user).of_connections())  # type: ignore[arg-type]


class TimeZoneGiven(serializers.Serializer[Any]):
    """In which zone days are counted."""

    time_zone = serializers.CharField(max_length=60, allow_blank=True, help_text="Such as Europe/Berlin; empty: as Odoo says")


class ConnectionTimeZone(APIView):
    """In which time zone the companies of a connection count days."""

    @extend_schema(request=TimeZoneGiven, responses=ConnectionShape)
    def post(self, request: PersonsCall, name: str) -> Response:
        """Set the time zone. Records follow as they change, and at their next midnight."""
        connection = get_object_or_404(Connection.objects.filter(access.scope_of(request.user).of_connections()), name=name)
        given = TimeZoneGiven(data=request.data)
        given.is_valid(raise_exception=True)
        zones.set_time_zone(connection, given.validated_data["time_zone"], by=request.user, now=clock.now())
        connection.refresh_from_db()
        return Response(ConnectionShape(connection).data)

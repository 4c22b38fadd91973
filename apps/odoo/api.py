"""REST: connections."""

from typing import Any

from rest_framework import serializers

from apps.accounts import sight
from apps.core.rest import FilteredList, moment
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

    def to_representation(self, row: Connection) -> dict[str, Any]:
        return {
            "name": row.name, "url": row.url, "database": row.database, "login": row.login, "version": row.version,
            "is_active": row.is_active, "state": row.state, "state_since": moment(row.state_since), "problem": row.problem,
        }  # fmt: skip


class Connections(FilteredList):
    """Connections."""

    queryset = Connection.objects.none()
    serializer_class = ConnectionShape
    ordering = ("id",)

    def get_queryset(self) -> Any:
        return Connection.objects.filter(sight.of(self.request.user).of_connections())  # type: ignore[arg-type]

"""REST: the audit trail."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.accounts import access, permissions
from apps.audit.models import Entry
from apps.core.rest import FilteredList, moment


class EntryShape(serializers.Serializer[Any]):
    """One entry."""

    sequence = serializers.IntegerField()
    at = serializers.DateTimeField()
    action = serializers.CharField()
    actor = serializers.CharField()
    actor_name = serializers.CharField()
    subject = serializers.CharField()
    data = serializers.DictField()  # type: ignore[assignment]
    hash = serializers.CharField()

    def to_representation(self, row: Entry) -> dict[str, Any]:
        return {
            "sequence": row.sequence,
            "at": moment(row.at),
            "action": row.action,
            "actor": row.actor,
            "actor_name": row.actor_name,
            "subject": row.subject,
            "data": row.data,
            "hash": row.hash,
        }


FILTERS = {"action": "action", "actor": "actor", "subject": "subject"}


class Trail(FilteredList):
    """The audit trail, the newest entry first; for auditors."""

    queryset = Entry.objects.none()
    serializer_class = EntryShape
    ordering = ("-sequence",)
    filters = FILTERS

    def get_queryset(self) -> Any:
        permissions.check_may_read_audit(self.request.user)  # type: ignore[arg-type]
        return Entry.objects.filter(access.scope_of(self.request.user).of_records())  # type: ignore[arg-type]

    @extend_schema(parameters=[OpenApiParameter(name, str) for name in FILTERS])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List entries."""
        return super().get(request, *arguments, **named)

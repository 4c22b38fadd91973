"""REST: outside events."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access
from apps.accounts.requests import PersonsCall
from apps.core import clock
from apps.core.rest import FilteredList, moment
from apps.events import moves, queries, registry
from apps.events.declare import KINDS
from apps.events.models import OutsideEvent, Status
from apps.odoo import request_scope


class EventShape(serializers.Serializer[Any]):
    """One outside event."""

    id = serializers.IntegerField()
    connection = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.CharField(help_text=f"{', '.join(KINDS)}, or a kind that an extension adds")
    reference = serializers.CharField()
    occurred_at = serializers.DateTimeField()
    expected_at = serializers.DateTimeField(allow_null=True)
    text = serializers.CharField()
    data = serializers.DictField()  # type: ignore[assignment]
    received_at = serializers.DateTimeField()
    status = serializers.ChoiceField(Status.values)
    model = serializers.CharField()
    odoo_id = serializers.IntegerField(allow_null=True)
    problem = serializers.CharField()
    settled_by = serializers.CharField(allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, event: OutsideEvent) -> dict[str, Any]:
        return {
            "id": event.pk,
            "connection": event.connection.name,
            "source": event.source,
            "kind": event.kind,
            "reference": event.reference,
            "occurred_at": moment(event.occurred_at),
            "expected_at": moment(event.expected_at),
            "text": event.text,
            "data": event.data,
            "received_at": moment(event.received_at),
            "status": event.status,
            "model": event.model,
            "odoo_id": event.odoo_id,
            "problem": event.problem,
            "settled_by": event.settled_by.username if event.settled_by else None,
            "settled_at": moment(event.settled_at),
        }


FILTERS = {
    "status": ("status", set(Status.values)),
    "kind": ("kind", registry.is_kind),
    "source": "source",
    "reference": "reference",
    "model": "model",
    "odoo_id": ("odoo_id", int),
    "connection": ("connection__name", request_scope.names_connection),
}


class Events(FilteredList):
    """Outside events, the newest first."""

    queryset = OutsideEvent.objects.none()
    serializer_class = EventShape
    filters = FILTERS

    def get_queryset(self) -> Any:
        return queries.events(access.scope_of(self.request.user))  # type: ignore[arg-type]

    @extend_schema(parameters=[OpenApiParameter(name, str) for name in FILTERS])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List outside events."""
        return super().get(request, *arguments, **named)


class RecordMeant(serializers.Serializer[Any]):
    """The record that an event is about: its name in Odoo, or its id there."""

    record = serializers.CharField(max_length=200)


class Match(APIView):
    """Say which record an event is about."""

    @extend_schema(request=RecordMeant, responses=EventShape)
    def post(self, request: PersonsCall, event_id: int) -> Response:
        """Match the event, and what waits with the same reference, with a record."""
        get_object_or_404(queries.events(access.scope_of(request.user)), id=event_id)
        given = RecordMeant(data=request.data)
        given.is_valid(raise_exception=True)
        moves.match(event_id, record=given.validated_data["record"], by=request.user, now=clock.now())
        return Response(EventShape(queries.events(access.EVERYTHING).get(id=event_id)).data)


class Dismiss(APIView):
    """Say that an event is about no record of ours."""

    @extend_schema(request=None, responses=EventShape)
    def post(self, request: PersonsCall, event_id: int) -> Response:
        """Dismiss the event."""
        get_object_or_404(queries.events(access.scope_of(request.user)), id=event_id)
        moves.dismiss(event_id, by=request.user, now=clock.now())
        return Response(EventShape(queries.events(access.EVERYTHING).get(id=event_id)).data)

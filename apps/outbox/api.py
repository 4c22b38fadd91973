"""REST: commands to Odoo."""

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
from apps.odoo import request_scope
from apps.outbox import moves
from apps.outbox.models import Command, Status


class CommandShape(serializers.Serializer[Any]):
    """One command."""

    id = serializers.UUIDField()
    connection = serializers.CharField()
    model = serializers.CharField()
    odoo_id = serializers.IntegerField()
    title = serializers.CharField()
    method = serializers.CharField()
    status = serializers.ChoiceField(Status.values)
    decision = serializers.CharField()
    attempts = serializers.IntegerField()
    problem = serializers.CharField()
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()
    done_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, row: Command) -> dict[str, Any]:
        return {
            "id": str(row.id),
            "connection": row.connection.name,
            "model": row.model,
            "odoo_id": row.odoo_id,
            "title": row.title,
            "method": row.method,
            "status": row.status,
            "decision": row.decision,
            "attempts": row.attempts,
            "problem": row.problem,
            "created_at": moment(row.created_at),
            "created_by": row.created_by,
            "done_at": moment(row.done_at),
        }


FILTERS = {
    "status": ("status", set(Status.values)),
    "decision": "decision",
    "model": "model",
    "odoo_id": ("odoo_id", int),
    "connection": ("connection__name", request_scope.names_connection),
    "company": ("company_id", int),
}


class Commands(FilteredList):
    """Commands, the newest first."""

    queryset = Command.objects.none()
    serializer_class = CommandShape
    ordering = ("-sequence",)
    filters = FILTERS

    def get_queryset(self) -> Any:
        mine = access.scope_of(self.request.user)  # type: ignore[arg-type]
        return Command.objects.filter(mine.of_records()).select_related("connection")

    @extend_schema(parameters=[OpenApiParameter(name, str) for name in FILTERS])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List commands."""
        return super().get(request, *arguments, **named)


class Retry(APIView):
    """Try again what was refused or given up."""

    @extend_schema(request=None, responses=CommandShape)
    def post(self, request: PersonsCall, command_id: Any) -> Response:
        """Queue the command again; an effect that is there already is found first."""
        get_object_or_404(Command.objects.filter(access.scope_of(request.user).of_records()).only("id"), id=command_id)
        made = moves.retry(str(command_id), by=request.user, now=clock.now())
        return Response(CommandShape(made).data)

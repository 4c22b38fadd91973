"""REST: deliveries."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import sight
from apps.accounts.requests import PersonsCall
from apps.core import clock
from apps.core.rest import FilteredList, moment
from apps.intake import moves
from apps.intake.models import Delivery, Status


class DeliveryShape(serializers.Serializer[Any]):
    """One delivery."""

    id = serializers.IntegerField()
    source = serializers.CharField()  # type: ignore[assignment]
    connection = serializers.CharField(allow_null=True)
    model = serializers.CharField()
    odoo_id = serializers.IntegerField(allow_null=True)
    status = serializers.ChoiceField(Status.values)
    attempts = serializers.IntegerField()
    problem = serializers.CharField()
    received_at = serializers.DateTimeField()
    processed_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, row: Delivery) -> dict[str, Any]:
        return {
            "id": row.id, "source": row.source, "connection": row.connection.name if row.connection else None,
            "model": row.model, "odoo_id": row.odoo_id or None, "status": row.status, "attempts": row.attempts,
            "problem": row.problem, "received_at": moment(row.received_at), "processed_at": moment(row.processed_at),
        }  # fmt: skip


FILTERS = {
    "status": ("status", set(Status.values)), "source": "source", "model": "model", "odoo_id": ("odoo_id", int),
    "connection": "connection__name",
}  # fmt: skip


class Deliveries(FilteredList):
    """Deliveries, the newest first. They are of a connection and no company yet: for those who see all of it."""

    queryset = Delivery.objects.none()
    serializer_class = DeliveryShape
    filters = FILTERS

    def get_queryset(self) -> Any:
        mine = sight.of(self.request.user)  # type: ignore[arg-type]
        return Delivery.objects.filter(mine.of_whole_connections()).select_related("connection")

    @extend_schema(parameters=[OpenApiParameter(name, str) for name in FILTERS])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List deliveries."""
        return super().get(request, *arguments, **named)


class Replay(APIView):
    """Process a delivery once more."""

    @extend_schema(request=None, responses=DeliveryShape)
    def post(self, request: PersonsCall, delivery_id: int) -> Response:
        """Queue the delivery again, its attempts counted anew."""
        get_object_or_404(Delivery.objects.filter(sight.of(request.user).of_whole_connections()).only("id"), id=delivery_id)
        moves.replay([delivery_id], by=request.user, now=clock.now())
        return Response(DeliveryShape(Delivery.objects.select_related("connection").get(id=delivery_id)).data)

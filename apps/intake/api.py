"""REST: deliveries."""

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
from apps.intake import moves, queries
from apps.intake.message import LARGEST_BODY
from apps.intake.models import Delivery, Status
from apps.odoo import request_scope


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
            "id": row.id,
            "source": row.source,
            "connection": row.connection.name if row.connection else None,
            "model": row.model,
            "odoo_id": row.odoo_id or None,
            "status": row.status,
            "attempts": row.attempts,
            "problem": row.problem,
            "received_at": moment(row.received_at),
            "processed_at": moment(row.processed_at),
        }


FILTERS = {
    "status": ("status", set(Status.values)),
    "source": "source",
    "model": "model",
    "odoo_id": ("odoo_id", int),
    "connection": ("connection__name", request_scope.names_connection),
}


class Deliveries(FilteredList):
    """Deliveries, the newest first. They are of a connection and no company yet: for those who see all of it."""

    queryset = Delivery.objects.none()
    serializer_class = DeliveryShape
    filters = FILTERS

    def get_queryset(self) -> Any:
        return queries.deliveries_in(access.scope_of(self.request.user))  # type: ignore[arg-type]

    @extend_schema(parameters=[OpenApiParameter(name, str) for name in FILTERS])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List deliveries."""
        return super().get(request, *arguments, **named)


class Kept(serializers.Serializer[Any]):
    """What a delivery said before it was mended."""

    body = serializers.CharField()
    model = serializers.CharField()
    odoo_id = serializers.IntegerField()
    by = serializers.CharField()
    at = serializers.DateTimeField()


class WholeDelivery(DeliveryShape):
    """One delivery with what it says, and what it said before it was mended, the newest first."""

    body = serializers.CharField()
    mends = Kept(many=True)

    def to_representation(self, row: Delivery) -> dict[str, Any]:
        mends = [
            {"body": one.body, "model": one.model, "odoo_id": one.odoo_id, "by": one.by, "at": moment(one.at)}
            for one in row.mends.order_by("-id")
        ]
        return super().to_representation(row) | {"body": moves.text_of(row), "mends": mends}


def _found(request: PersonsCall, delivery_id: int) -> Delivery:
    return get_object_or_404(queries.deliveries_in(access.scope_of(request.user)), id=delivery_id)


class OneDelivery(APIView):
    """One delivery."""

    @extend_schema(responses=WholeDelivery)
    def get(self, request: PersonsCall, delivery_id: int) -> Response:
        """Read a delivery with what it says."""
        return Response(WholeDelivery(_found(request, delivery_id)).data)


class Replay(APIView):
    """Process a delivery once more."""

    @extend_schema(request=None, responses=DeliveryShape)
    def post(self, request: PersonsCall, delivery_id: int) -> Response:
        """Queue the delivery again, its attempts counted anew."""
        _found(request, delivery_id)
        moves.replay([delivery_id], by=request.user, now=clock.now())
        return Response(DeliveryShape(_found(request, delivery_id)).data)


class Text(serializers.Serializer[Any]):
    """What the delivery is to say: JSON, as its source would have sent it."""

    body = serializers.CharField(trim_whitespace=False, max_length=LARGEST_BODY)


class EditPayload(APIView):
    """The payload of a dead letter."""

    @extend_schema(request=Text, responses=WholeDelivery)
    def post(self, request: PersonsCall, delivery_id: int) -> Response:
        """Edit the payload of a dead letter. The former one is kept, and it stays a dead letter until it is replayed."""
        given = Text(data=request.data)
        given.is_valid(raise_exception=True)
        _found(request, delivery_id)
        moves.edit_payload(delivery_id, body=given.validated_data["body"], by=request.user, now=clock.now())
        return Response(WholeDelivery(_found(request, delivery_id)).data)


class Several(serializers.Serializer[Any]):
    """Which dead letters: those of these numbers."""

    ids = serializers.ListField(child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), min_length=1, max_length=1_000)


class Replayed(serializers.Serializer[Any]):
    """How many were queued again."""

    replayed = serializers.IntegerField()


class ReplaySeveral(APIView):
    """Process several deliveries once more."""

    @extend_schema(operation_id="deliveries_replay_several", request=Several, responses=Replayed)
    def post(self, request: PersonsCall) -> Response:
        """Queue deliveries again, up to a thousand at a time."""
        given = Several(data=request.data)
        given.is_valid(raise_exception=True)
        mine = queries.deliveries_in(access.scope_of(request.user)).filter(id__in=given.validated_data["ids"])
        count = moves.replay(list(mine.values_list("id", flat=True)), by=request.user, now=clock.now())
        return Response({"replayed": count})

"""REST: records, where they stand and what holds them up."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import sight
from apps.accounts.requests import PersonsCall
from apps.core import clock
from apps.core.rest import FilteredList, RecordRef, moment, money
from apps.mirror import registry as mirror
from apps.workflows import blockers, chain
from apps.workflows.models import Position, Transition


class BlockerShape(serializers.Serializer[Any]):
    """One thing that holds a record up."""

    kind = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    record = RecordRef()
    text = serializers.CharField()


class RecordShape(RecordRef):
    """A record and where it stands."""

    connection = serializers.CharField()
    workflow = serializers.CharField()
    stage = serializers.CharField()
    stage_since = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    amount = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    partner = serializers.CharField()
    blockers = BlockerShape(many=True)

    def to_representation(self, position: Position) -> dict[str, Any]:
        """Blockers cost queries, so a list leaves them out of records whose stage says that there are none."""
        connection = position.connection
        found = blockers.of(position, now=clock.now()) if self.context.get("is_detail") else blockers.of_stage(position)
        return {
            "model": position.model, "odoo_id": position.odoo_id, "name": position.name,
            "url": connection.record_url(position.model, position.odoo_id), "connection": connection.name,
            "workflow": position.workflow, "stage": position.stage, "stage_since": moment(position.since),
            "due_at": moment(position.due_at), "amount": money(position.amount), "currency": position.currency,
            "partner": position.partner_name,
            "blockers": [
                {
                    "kind": blocker.kind, "since": moment(blocker.since), "text": blocker.text,
                    "record": {
                        "model": blocker.model, "odoo_id": blocker.odoo_id, "name": blocker.name,
                        "url": connection.record_url(blocker.model, blocker.odoo_id),
                    },
                }
                for blocker in found
            ],
        }  # fmt: skip


class TransitionShape(serializers.Serializer[Any]):
    """A move from stage to stage."""

    from_stage = serializers.CharField()
    to_stage = serializers.CharField()
    at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()


class RecordDetail(RecordShape):
    """A record with its chain and its past."""

    links = RecordRef(many=True)
    transitions = TransitionShape(many=True)

    def to_representation(self, position: Position) -> dict[str, Any]:
        """The same, with the deliveries and purchases that it hangs on, and every move that it made."""
        connection = position.connection
        linked = [("stock.picking", one.odoo_id, one.name) for one in chain.deliveries_of(position)]
        linked += [("purchase.order", one.odoo_id, one.name) for one in chain.supplies_of(position)]
        moves = Transition.objects.filter(connection=connection, model=position.model, odoo_id=position.odoo_id)
        return super().to_representation(position) | {
            "links": [
                {"model": model, "odoo_id": odoo_id, "name": name, "url": connection.record_url(model, odoo_id)}
                for model, odoo_id, name in dict.fromkeys(linked)
            ],
            "transitions": [
                {"from_stage": move.from_stage, "to_stage": move.to_stage, "at": moment(move.at),
                 "seen_at": moment(move.seen_at)}
                for move in moves.filter(workflow=position.workflow).order_by("at", "id")
            ],
        }  # fmt: skip


FILTERS = {
    "connection": "connection__name", "company": ("company_id", int), "workflow": "workflow", "stage": "stage",
    "odoo_id": ("odoo_id", int), "name": "name",
}  # fmt: skip


class Records(FilteredList):
    """Records of a model with where they stand, the newest in their stage first."""

    queryset = Position.objects.none()
    serializer_class = RecordShape
    ordering = ("-since", "-id")
    filters = FILTERS

    def get_queryset(self) -> Any:
        if self.kwargs["model"] not in mirror.models():
            raise Http404(f"{self.kwargs['model']} is not mirrored; there is: {', '.join(mirror.models())}.")
        mine = sight.of(self.request.user)  # type: ignore[arg-type]
        return Position.objects.filter(mine.of_records(), model=self.kwargs["model"]).select_related("connection")

    @extend_schema(parameters=[OpenApiParameter(name, str) for name in FILTERS])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List records."""
        return super().get(request, *arguments, **named)


class Record(APIView):
    """One record."""

    @extend_schema(responses=RecordDetail, parameters=[OpenApiParameter("connection", str), OpenApiParameter("workflow", str)])
    def get(self, request: PersonsCall, model: str, odoo_id: int) -> Response:
        """Where one record stands, what holds it up, what it hangs on, and how it got there."""
        mine = sight.of(request.user).of_records()
        found = Position.objects.filter(mine, model=model, odoo_id=odoo_id).select_related("connection").order_by("id")
        for name in ("connection", "workflow"):
            if value := request.query_params.get(name):
                if "\x00" in value:
                    raise ValidationError({name: ["This holds a NUL character."]})
                found = found.filter(**{str(FILTERS[name]): value})
        position = found.first()
        if position is None:
            raise Http404(f"{model} {odoo_id} has no place in any workflow. Check the number, or sync its connection.")
        return Response(RecordDetail(position, context={"is_detail": True}).data)

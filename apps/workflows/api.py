"""REST: records, where they stand and what holds them up."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access
from apps.accounts.requests import PersonsCall
from apps.core import clock
from apps.core.rest import FilteredList, RecordRef, moment, money
from apps.mirror import registry as mirror
from apps.odoo import request_scope
from apps.odoo.models import Connection
from apps.workflows import blockers, impact, registry, supply_chain
from apps.workflows.models import OLDEST_FIRST, Position, Transition


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
        found = blockers.blockers_of(position, now=clock.now()) if self.context.get("is_detail") else blockers.of_stage(position)
        return {
            "model": position.model,
            "odoo_id": position.odoo_id,
            "name": position.name,
            "url": connection.record_url(position.model, position.odoo_id),
            "connection": connection.name,
            "workflow": position.workflow,
            "stage": position.stage,
            "stage_since": moment(position.since),
            "due_at": moment(position.due_at),
            "amount": money(position.amount, position.currency),
            "currency": position.currency,
            "partner": position.partner_name,
            "blockers": [
                {
                    "kind": blocker.kind,
                    "since": moment(blocker.since),
                    "text": blocker.text,
                    "record": {
                        "model": blocker.model,
                        "odoo_id": blocker.odoo_id,
                        "name": blocker.name,
                        "url": connection.record_url(blocker.model, blocker.odoo_id),
                    },
                }
                for blocker in found
            ],
        }


class TransitionShape(serializers.Serializer[Any]):
    """A move from stage to stage."""

    from_stage = serializers.CharField()
    to_stage = serializers.CharField()
    at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()
    author = serializers.CharField()
    is_history = serializers.BooleanField()


class WaitingOrderShape(RecordRef):
    """A sales order that waits for what is late, or may become so."""

    customer = serializers.CharField()
    promised_at = serializers.DateTimeField(allow_null=True, help_text="To the customer, or else when Odoo means to deliver")
    expected_at = serializers.DateTimeField(allow_null=True, help_text="What it waits for; today at the earliest")
    late_days = serializers.IntegerField()
    is_at_risk = serializers.BooleanField(help_text="Expected later than promised")
    quantity = serializers.CharField()
    products = serializers.CharField()
    revenue = serializers.CharField(help_text="Untaxed value of what waits, in the company's currency")
    currency = serializers.CharField()
    is_linked = serializers.BooleanField(help_text="Odoo links the two; else estimated by product, place and date")


class RevenueShape(serializers.Serializer[Any]):
    """An amount at risk in one currency."""

    currency = serializers.CharField()
    amount = serializers.CharField()


class ImpactShape(serializers.Serializer[Any]):
    """The sales orders, customers and revenue that a purchase order, a transfer or a supplier puts at risk."""

    orders_at_risk = serializers.IntegerField()
    customers_at_risk = serializers.IntegerField()
    revenue_at_risk = RevenueShape(many=True)
    waiting = serializers.IntegerField(help_text="Orders that wait, at risk or not")
    orders = WaitingOrderShape(many=True, help_text=f"Those at risk first; at most {impact.NAMED}")


def _impact(connection: Connection, model: str, odoo_id: int) -> dict[str, Any]:
    found = impact.impact_of(connection.pk, model, odoo_id, now=clock.now())
    return {
        "orders_at_risk": found.orders_count,
        "customers_at_risk": found.customers_count,
        "waiting": found.waiting_count,
        "revenue_at_risk": [
            {"currency": currency, "amount": money(amount, currency)} for currency, amount in found.revenue.items()
        ],
        "orders": [
            {
                "model": "sale.order",
                "odoo_id": order.odoo_id,
                "name": order.name,
                "url": connection.record_url("sale.order", order.odoo_id),
                "customer": order.customer,
                "promised_at": moment(order.promised_at),
                "expected_at": moment(order.expected_at),
                "late_days": order.late_days,
                "is_at_risk": order.is_at_risk,
                "quantity": f"{order.quantity.normalize():f}",
                "products": order.products,
                "revenue": money(order.revenue, order.currency),
                "currency": order.currency,
                "is_linked": order.is_linked,
            }
            for order in found.orders
        ],
    }


class RecordDetail(RecordShape):
    """A record with its chain and its past."""

    impact = ImpactShape(help_text="Who waits for it; empty for what brings nothing")
    links = RecordRef(many=True)
    transitions = TransitionShape(many=True)

    def to_representation(self, position: Position) -> dict[str, Any]:
        """The same, with the deliveries and purchases that it hangs on, and every move that it made."""
        connection = position.connection
        linked = [("stock.picking", one.odoo_id, one.name) for one in supply_chain.deliveries_of(position)]
        linked += [("purchase.order", one.odoo_id, one.name) for one in supply_chain.supplies_of(position, now=clock.now())]
        moves = Transition.objects.filter(connection=connection, model=position.model, odoo_id=position.odoo_id)
        return super().to_representation(position) | {
            "impact": _impact(connection, position.model, position.odoo_id),
            "links": [
                {"model": model, "odoo_id": odoo_id, "name": name, "url": connection.record_url(model, odoo_id)}
                for model, odoo_id, name in dict.fromkeys(linked)
            ],
            "transitions": [
                {
                    "from_stage": move.from_stage,
                    "to_stage": move.to_stage,
                    "at": moment(move.at),
                    "seen_at": moment(move.seen_at),
                    "author": move.author,
                    "is_history": move.tracking_id is not None,
                }
                for move in moves.filter(workflow=position.workflow).order_by(*OLDEST_FIRST)
            ],
        }


FILTERS = {
    "connection": ("connection__name", request_scope.names_connection),
    "company": ("company_id", int),
    "workflow": ("workflow", registry.is_workflow),
    "stage": ("stage", registry.is_stage),
    "odoo_id": ("odoo_id", int),
    "name": "name",
}


class Records(FilteredList):
    """Records of a model with where they stand, the newest in their stage first."""

    queryset = Position.objects.none()
    serializer_class = RecordShape
    ordering = ("-since", "-id")
    filters = FILTERS

    def get_queryset(self) -> Any:
        if self.kwargs["model"] not in mirror.models():
            raise Http404(f"{self.kwargs['model']} is not mirrored; there is: {', '.join(mirror.models())}.")
        mine = access.scope_of(self.request.user)  # type: ignore[arg-type]
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
        mine = access.scope_of(request.user).of_records()
        found = Position.objects.filter(mine, model=model, odoo_id=odoo_id).select_related("connection").order_by("id")
        for name in ("connection", "workflow"):
            if value := request.query_params.get(name):
                if "\x00" in value:
                    raise ValidationError({name: ["This holds a NUL character."]})
                lookup = FILTERS[name]
                found = found.filter(**{str(lookup[0] if isinstance(lookup, tuple) else lookup): value})
        position = found.first()
        if position is None:
            raise Http404(f"{model} {odoo_id} has no place in any workflow. Check the number, or sync its connection.")
        return Response(RecordDetail(position, context={"is_detail": True}).data)


class SupplierImpact(APIView):
    """What a supplier puts at risk."""

    @extend_schema(responses=ImpactShape, parameters=[OpenApiParameter("connection", str)])
    def get(self, request: PersonsCall, odoo_id: int) -> Response:
        """The sales orders that wait for anything that is still to come from one supplier (``res.partner``)."""
        # All companies buy from a supplier: only who sees the whole connection is told.
        mine = access.scope_of(request.user).of_whole_connections()
        partners = mirror.models()["res.partner"]._default_manager.filter(mine, odoo_id=odoo_id).select_related("connection")
        if name := request.query_params.get("connection"):
            if "\x00" in name:
                raise ValidationError({"connection": ["This holds a NUL character."]})
            partners = partners.filter(connection__name=name)
        partner = partners.order_by("connection_id").first()
        if partner is None:
            raise Http404(f"There is no partner {odoo_id}. Check the number, or sync its connection.")
        return Response(_impact(partner.connection, "res.partner", odoo_id))

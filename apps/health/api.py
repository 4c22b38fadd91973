"""REST: alert rules, and the other systems that they tell."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.accounts.permissions import check_may_integrate
from apps.accounts.requests import PersonsCall
from apps.core import clock
from apps.core.rest import moment
from apps.exceptions.integration import TYPES
from apps.exceptions.models import Severity
from apps.health import alerts
from apps.health.forms import EndpointForm, RuleForm
from apps.health.models import AlertRule
from apps.notifications import webhooks
from apps.notifications.models import Endpoint
from apps.odoo.models import Connection


class RuleShape(serializers.Serializer[Any]):
    """One alert rule. People, connection and endpoints go by their names."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=80)
    is_active = serializers.BooleanField(default=True)
    types = serializers.ListField(child=serializers.ChoiceField(sorted(TYPES)), default=list)
    severity = serializers.ChoiceField(Severity.codes(), default="medium")
    connection = serializers.SlugRelatedField("name", queryset=Connection.objects.all(), allow_null=True, default=None)
    after_seconds = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=60)
    people = serializers.SlugRelatedField("username", queryset=User.objects.filter(is_active=True), many=True, required=False)
    endpoints = serializers.SlugRelatedField("name", queryset=Endpoint.objects.all(), many=True, required=False)
    quiet_from = serializers.TimeField(allow_null=True, default=None)
    quiet_until = serializers.TimeField(allow_null=True, default=None)
    time_zone = serializers.CharField(max_length=60, default="UTC")
    critical_anyway = serializers.BooleanField(default=True)

    def to_representation(self, rule: AlertRule) -> dict[str, Any]:
        return {
            "id": rule.pk,
            "name": rule.name,
            "is_active": rule.is_active,
            "types": rule.types,
            "severity": Severity(rule.severity).code,
            "connection": rule.connection.name if rule.connection else None,
            "after_seconds": rule.after_seconds,
            "people": sorted(person.username for person in rule.people.all()),
            "endpoints": sorted(one.name for one in rule.endpoints.all()),
            "quiet_from": rule.quiet_from,
            "quiet_until": rule.quiet_until,
            "time_zone": rule.time_zone,
            "critical_anyway": rule.critical_anyway,
        }


def _rules(request: PersonsCall) -> Any:
    check_may_integrate(request.user)
    return AlertRule.objects.select_related("connection").prefetch_related("people", "endpoints").order_by("name")


def _judged(form: RuleForm | EndpointForm) -> None:
    """Raises ValidationError with what the form has against what was given."""
    if not form.is_valid():
        raise ValidationError({name: [str(one) for one in found] for name, found in form.errors.items()})


def _keep(request: PersonsCall, rule: AlertRule | None) -> Response:
    shape = RuleShape(data=request.data)
    shape.is_valid(raise_exception=True)
    given = shape.validated_data
    form = RuleForm(
        given
        | {
            "severity": Severity.of_code(given["severity"]),
            "connection": given["connection"] and given["connection"].pk,
            "people": [person.pk for person in given.get("people", ())],
            "endpoints": [one.pk for one in given.get("endpoints", ())],
        },
        instance=rule,
    )
    _judged(form)
    kept = alerts.save(
        form.save(commit=False),
        people=form.cleaned_data["people"],
        endpoints=form.cleaned_data["endpoints"],
        by=request.user,
        now=clock.now(),
    )
    return Response(RuleShape(kept).data, status=200 if rule else 201)


class AlertRules(APIView):
    """The rules by which people and other systems are told of troubles."""

    @extend_schema(responses=RuleShape(many=True))
    def get(self, request: PersonsCall) -> Response:
        """List alert rules."""
        return Response(RuleShape(_rules(request), many=True).data)

    @extend_schema(request=RuleShape, responses={201: RuleShape})
    def post(self, request: PersonsCall) -> Response:
        """Add an alert rule."""
        check_may_integrate(request.user)
        return _keep(request, None)


class OneAlertRule(APIView):
    """One rule."""

    @extend_schema(responses=RuleShape)
    def get(self, request: PersonsCall, rule_id: int) -> Response:
        """Read an alert rule."""
        return Response(RuleShape(get_object_or_404(_rules(request), id=rule_id)).data)

    @extend_schema(request=RuleShape, responses=RuleShape)
    def put(self, request: PersonsCall, rule_id: int) -> Response:
        """Change an alert rule: what is not given is as in a new one."""
        return _keep(request, get_object_or_404(_rules(request), id=rule_id))

    @extend_schema(responses={204: None})
    def delete(self, request: PersonsCall, rule_id: int) -> Response:
        """Remove an alert rule."""
        alerts.remove(get_object_or_404(_rules(request), id=rule_id), by=request.user, now=clock.now())
        return Response(status=204)


class EndpointShape(serializers.Serializer[Any]):
    """Another system that is told. Its secret is shown once: when it is added, and when it is rotated."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=60)
    url = serializers.CharField(max_length=500)
    is_active = serializers.BooleanField(default=True)
    problem = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)

    def to_representation(self, endpoint: Endpoint) -> dict[str, Any]:
        return {
            "id": endpoint.pk,
            "name": endpoint.name,
            "url": endpoint.url,
            "is_active": endpoint.is_active,
            "problem": endpoint.problem,
            "created_at": moment(endpoint.created_at),
        }


class NewEndpoint(EndpointShape):
    """An endpoint with its secret."""

    secret = serializers.CharField(read_only=True)

    def to_representation(self, endpoint: Endpoint) -> dict[str, Any]:
        return super().to_representation(endpoint) | {"secret": endpoint.secret}


def _endpoints(request: PersonsCall) -> Any:
    check_may_integrate(request.user)
    return Endpoint.objects.order_by("name")


class Endpoints(APIView):
    """The other systems that rules may tell."""

    @extend_schema(responses=EndpointShape(many=True))
    def get(self, request: PersonsCall) -> Response:
        """List endpoints."""
        return Response(EndpointShape(_endpoints(request), many=True).data)

    @extend_schema(request=EndpointShape, responses={201: NewEndpoint})
    def post(self, request: PersonsCall) -> Response:
        """Add an endpoint; the answer has the secret that its messages are signed with."""
        check_may_integrate(request.user)
        shape = EndpointShape(data=request.data)
        shape.is_valid(raise_exception=True)
        form = EndpointForm(shape.validated_data)
        _judged(form)
        endpoint = webhooks.save(form.save(commit=False), by=request.user, now=clock.now())
        return Response(NewEndpoint(endpoint).data, status=201)


class OneEndpoint(APIView):
    """One endpoint."""

    @extend_schema(responses=EndpointShape)
    def get(self, request: PersonsCall, endpoint_id: int) -> Response:
        """Read an endpoint."""
        return Response(EndpointShape(get_object_or_404(_endpoints(request), id=endpoint_id)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: PersonsCall, endpoint_id: int) -> Response:
        """Remove an endpoint, and what waits to be sent to it."""
        webhooks.remove(get_object_or_404(_endpoints(request), id=endpoint_id), by=request.user, now=clock.now())
        return Response(status=204)


class RotateEndpoint(APIView):
    """A new secret for an endpoint."""

    @extend_schema(request=None, responses=NewEndpoint)
    def post(self, request: PersonsCall, endpoint_id: int) -> Response:
        """Make a new secret; messages are signed with the old one too until the next rotation."""
        endpoint = get_object_or_404(_endpoints(request), id=endpoint_id)
        webhooks.rotate(endpoint, by=request.user, now=clock.now())
        return Response(NewEndpoint(endpoint).data)

"""REST: what one record has caused, as one."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access
from apps.accounts.models import Team, User
from apps.accounts.requests import PersonsCall
from apps.core.rest import FilteredList, moment, money
from apps.exceptions.models import CauseGroup, Severity
from apps.exceptions.queue.by_cause import groups_in_sight
from apps.odoo import request_scope
from apps.workflows import registry

STATES = {"open": True, "ended": False}


class CauseRef(serializers.Serializer[Any]):
    """The record that is to blame."""

    model = serializers.CharField()
    odoo_id = serializers.IntegerField()
    name = serializers.CharField()
    about = serializers.CharField(help_text="Whose it is, or the warehouse")


class CauseGroupShape(serializers.Serializer[Any]):
    """The exceptions that one record has caused."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    title = serializers.CharField()
    cause = CauseRef()
    severity = serializers.ChoiceField([severity.code for severity in Severity])
    exceptions_count = serializers.IntegerField(help_text="Open now")
    customers_count = serializers.IntegerField()
    amount = serializers.CharField(allow_null=True, help_text="At risk, of each record once")
    currency = serializers.CharField()
    team = serializers.CharField()
    owner = serializers.CharField(allow_null=True)
    company = serializers.CharField(help_text="The company's name, where you may see more than one of its Odoo; else empty")
    opened_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True, help_text="The earliest of its exceptions")
    promised_at = serializers.DateTimeField(allow_null=True, help_text="The earliest promise")
    ended_at = serializers.DateTimeField(allow_null=True)
    ending = serializers.DictField(help_text="Once it has ended: closed, resolved, and ways, each a resolution with its count")

    def to_representation(self, group: CauseGroup) -> dict[str, Any]:
        return {
            "id": group.pk,
            "kind": group.kind,
            "title": group.title,
            "cause": {"model": group.model, "odoo_id": group.odoo_id, "name": group.name, "about": group.about},
            "severity": Severity(group.severity).code,
            "exceptions_count": group.cases_count,
            "customers_count": group.customers_count,
            "amount": money(group.amount, group.currency),
            "currency": group.currency,
            "team": group.team.slug,
            "owner": group.owner.username if group.owner else None,
            "company": group.company,
            "opened_at": moment(group.opened_at),
            "due_at": moment(group.due_at),
            "promised_at": moment(group.promised_at),
            "ended_at": moment(group.ended_at),
            "ending": group.ending,
        }


def _in_state(groups: Any, value: str) -> Any:
    return groups.filter(ended_at__isnull=STATES[value])


FILTERS = {
    "state": (_in_state, set(STATES)),
    "kind": ("kind", lambda value, _: value in registry.cause_kinds()),
    "team": ("team__slug", lambda value, _: Team.objects.filter(slug=value).exists()),
    "owner": ("owner__username", lambda value, _: User.objects.filter(username=value).exists()),
    "odoo_id": ("odoo_id", int),
    "connection": ("connection__name", request_scope.names_connection),
    "company": ("company_id", int),
}


class CauseGroups(FilteredList):
    """Causes and what they hold up, the newest first."""

    queryset = CauseGroup.objects.none()
    serializer_class = CauseGroupShape
    ordering = ("-opened_at", "-id")
    filters = FILTERS

    def get_queryset(self) -> Any:
        return groups_in_sight(access.scope_of(self.request.user))  # type: ignore[arg-type]

    @extend_schema(parameters=[OpenApiParameter(name, str) for name in FILTERS])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List causes with what they hold up; their exceptions are those with ``cause_group`` of that number."""
        return super().get(request, *arguments, **named)


class OneCauseGroup(APIView):
    """One cause."""

    @extend_schema(responses=CauseGroupShape)
    def get(self, request: PersonsCall, group_id: int) -> Response:
        """Read one cause with what it holds up."""
        return Response(CauseGroupShape(get_object_or_404(groups_in_sight(access.scope_of(request.user)), pk=group_id)).data)

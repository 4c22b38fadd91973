"""REST: the policies that demand approvals, for everybody, a connection or one company of it."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access
from apps.accounts.models import Scope as TokenScope
from apps.accounts.requests import PersonsCall
from apps.approvals.models import Policy
from apps.approvals.policies import distinct, policy, preview
from apps.approvals.policies.bounds import PolicyError
from apps.core import clock
from apps.core.rest import FilteredList, moment
from apps.odoo.request_scope import names_connection
from apps.workflows import registry, scopes
from apps.workflows.scopes import Scope, ScopeError


class PolicyShape(serializers.Serializer[Any]):
    """One version of a policy."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    version = serializers.IntegerField()
    is_active = serializers.BooleanField()
    rules = serializers.DictField()
    note = serializers.CharField()
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField(allow_null=True)
    connection = serializers.CharField(allow_null=True, help_text="Null: for everybody")
    company = serializers.IntegerField(allow_null=True, help_text="Null: for all companies")

    def to_representation(self, row: Policy) -> dict[str, Any]:
        return {
            "connection": row.connection.name if row.connection else None,
            "company": row.company_id,
            "id": row.id,
            "kind": row.kind,
            "version": row.version,
            "is_active": row.is_active,
            "rules": row.rules,
            "note": row.note,
            "created_at": moment(row.created_at),
            "created_by": row.created_by.username if row.created_by else None,
        }


class MadePolicy(PolicyShape):
    """A new version, with what it leaves to administrators."""

    warnings = serializers.ListField(child=serializers.CharField(), read_only=True)

    def to_representation(self, row: Policy) -> dict[str, Any]:
        return {**super().to_representation(row), "warnings": distinct.warnings(row.rules)}


class NewPolicy(serializers.Serializer[Any]):
    """The rules of a new version."""

    kind = serializers.CharField(max_length=60)
    rules = serializers.DictField()
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    connection = serializers.CharField(max_length=50, required=False, allow_null=True, default=None)
    company = serializers.IntegerField(min_value=0, max_value=scopes.LARGEST_ID, required=False, allow_null=True, default=None)


class PolicyWithdrawn(serializers.Serializer[Any]):
    """A policy of a connection or company that is to count no longer."""

    kind = serializers.CharField(max_length=60)
    connection = serializers.CharField(max_length=50)
    company = serializers.IntegerField(min_value=0, max_value=scopes.LARGEST_ID, required=False, allow_null=True, default=None)


POLICY_FILTERS = {
    "kind": "kind",
    "is_active": ("is_active", {"true": True, "false": False}),
    "connection": ("connection__name", names_connection),
    "company": ("company_id", int),
}


class Policies(FilteredList):
    """Policies with all their versions, the newest first."""

    queryset = Policy.objects.none()
    serializer_class = PolicyShape
    scope = TokenScope.ADMIN
    filters = POLICY_FILTERS

    def get_queryset(self) -> Any:
        mine = access.scope_of(self.request.user)  # type: ignore[arg-type]
        return Policy.objects.select_related("created_by", "connection").filter(scopes.visible_in(mine))

    @extend_schema(parameters=[OpenApiParameter(name, str) for name in POLICY_FILTERS])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List policies."""
        return super().get(request, *arguments, **named)

    @extend_schema(request=NewPolicy, responses={201: MadePolicy})
    def post(self, request: PersonsCall) -> Response:
        """Make a new version of a policy; requests that run already keep theirs."""
        given = NewPolicy(data=request.data)
        given.is_valid(raise_exception=True)
        made = policy.save(
            given.validated_data["kind"],
            given.validated_data["rules"],
            by=request.user,
            note=given.validated_data["note"],
            now=clock.now(),
            scope=_scope(given.validated_data, request),
        )
        return Response(MadePolicy(made).data, status=201)


class WithdrawPolicy(APIView):
    """Going back to the policy that counts wider."""

    scope = TokenScope.ADMIN

    @extend_schema(request=PolicyWithdrawn, responses=PolicyShape)
    def post(self, request: PersonsCall) -> Response:
        """Withdraw the policy of a connection or company; the answer is the one that counts there now."""
        given = PolicyWithdrawn(data=request.data)
        given.is_valid(raise_exception=True)
        scope = _scope(given.validated_data, request)
        counts = policy.withdraw(given.validated_data["kind"], scope=scope, by=request.user, now=clock.now())
        return Response(PolicyShape(counts).data)


class PreviewShape(serializers.Serializer[Any]):
    """A policy laid over the last 30 days."""

    sentence = serializers.CharField()
    records = serializers.IntegerField(help_text="Of the workflow, made in that time")
    asked = serializers.IntegerField(help_text="Requests in that time")
    bulk = serializers.IntegerField(help_text="How many of them could have been approved many at a time")
    is_cut = serializers.BooleanField(help_text="Whether only the latest were looked at")
    steps = serializers.ListField(child=serializers.DictField(), help_text="name, needed, nobody (who could decide)")

    def to_representation(self, found: preview.Preview) -> dict[str, Any]:
        return {
            "sentence": found.sentence,
            "records": found.records,
            "asked": found.asked,
            "bulk": found.bulk,
            "is_cut": found.is_cut,
            "steps": [{"name": step.name, "needed": step.needed, "nobody": step.nobody} for step in found.steps],
        }


class Rules(serializers.Serializer[Any]):
    """Rules that are no policy yet."""

    kind = serializers.CharField(max_length=60)
    rules = serializers.DictField()
    connection = serializers.CharField(max_length=50, required=False, allow_null=True, default=None)
    company = serializers.IntegerField(min_value=0, max_value=scopes.LARGEST_ID, required=False, allow_null=True, default=None)


class PolicyPreview(APIView):
    """Trying a policy before it counts."""

    # It changes nothing: a POST for its body alone.
    scope = TokenScope.READ

    @extend_schema(request=Rules, responses=PreviewShape)
    def post(self, request: PersonsCall) -> Response:
        """Say what a policy would have meant for the last 30 days, without saving it."""
        given = Rules(data=request.data)
        given.is_valid(raise_exception=True)
        kind, rules = given.validated_data["kind"], given.validated_data["rules"]
        if kind not in registry.approval_kinds():
            raise PolicyError(f"There is no approval kind {kind}; there is {', '.join(registry.approval_kinds())}.")
        policy.check(kind, rules)
        access_scope = _scope(given.validated_data, request).within(access.scope_of(request.user))
        return Response(PreviewShape(preview.preview(kind, rules, access_scope=access_scope, now=clock.now())).data)


def _scope(data: Mapping[str, Any], request: PersonsCall) -> Scope:
    try:
        return scopes.named(data["connection"], data["company"], access.scope_of(request.user))
    except ScopeError as error:
        raise ValidationError({"connection": [str(error)]}) from None

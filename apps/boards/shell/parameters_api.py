"""REST: the parameters of rules, what is set of them where, and what another value would change."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access
from apps.accounts.models import Scope as TokenScope
from apps.accounts.models import User
from apps.accounts.requests import PersonsCall
from apps.core import clock
from apps.core.rest import moment
from apps.pipeline import parameter_preview
from apps.workflows import parameter_values, registry, scopes
from apps.workflows.models import ParameterValue
from apps.workflows.parameter_values import Standing
from apps.workflows.parameters import plain
from apps.workflows.scopes import Scope, ScopeError

LIST_FILTERS = ("connection", "company", "workflow")
LONGEST_ID = 2**63 - 1


class ParameterSerializer(serializers.Serializer[Any]):
    """A parameter as it stands in a scope."""

    name = serializers.CharField()
    title = serializers.CharField()
    part = serializers.CharField(help_text="The stage or exception type that it is of; empty for a rule's own")
    workflows = serializers.ListField(child=serializers.CharField(), help_text="Who reads it; `integration` for incidents")
    type = serializers.CharField(help_text="amount, percent, time or number")
    unit = serializers.CharField()
    value = serializers.CharField(help_text="What counts in the scope")
    own = serializers.CharField(allow_null=True, help_text="What is set in the scope itself; null where nothing is")
    inherited = serializers.CharField(help_text="What would count without it")
    default = serializers.CharField(help_text="As the rule declares it")
    least = serializers.CharField()
    most = serializers.CharField()
    help = serializers.CharField()
    is_in_guard = serializers.BooleanField(help_text="Whether Odoo's guards read it as well")
    version = serializers.IntegerField(help_text="Of what was last set in the scope; 0 where nothing was")

    def to_representation(self, one: Standing) -> dict[str, Any]:
        parameter = one.declared.parameter
        return {
            "name": parameter.name,
            "title": parameter.title,
            "part": one.declared.part,
            "workflows": [reader.name for reader in one.declared.readers],
            "type": parameter.type,
            "unit": parameter.unit,
            "value": plain(one.number),
            "own": None if one.own is None else plain(one.own),
            "inherited": plain(one.inherited),
            "default": plain(parameter.default),
            "least": plain(parameter.bounds[0]),
            "most": plain(parameter.bounds[1]),
            "help": parameter.help,
            "is_in_guard": one.declared.is_in_guard,
            "version": one.version,
        }


class ParametersPage(serializers.Serializer[Any]):
    """All parameters at once: there is no other page."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = ParameterSerializer(many=True)


class VersionSerializer(serializers.Serializer[Any]):
    """One version of a value."""

    version = serializers.IntegerField()
    value = serializers.CharField(allow_null=True, help_text="Null: reset")
    connection = serializers.CharField(allow_null=True)
    company = serializers.IntegerField(allow_null=True)
    set_by = serializers.CharField(allow_null=True, help_text="Null: by a command on the server")
    set_at = serializers.DateTimeField()
    note = serializers.CharField()
    is_current = serializers.BooleanField()

    def to_representation(self, row: ParameterValue) -> dict[str, Any]:
        return {
            "version": row.version,
            "value": None if row.number is None else plain(row.number),
            "connection": row.connection.name if row.connection else None,
            "company": row.company_id,
            "set_by": row.set_by.username if row.set_by else None,
            "set_at": moment(row.set_at),
            "note": row.note,
            "is_current": row.is_current,
        }


class ParameterDetail(ParameterSerializer):
    """A parameter with every version of its values in sight, the newest first."""

    versions = VersionSerializer(many=True)


class ValueGiven(serializers.Serializer[Any]):
    """A value, and where it is to count."""

    name = serializers.CharField(max_length=120)
    value = serializers.CharField(max_length=40, allow_null=True, help_text="A number in the parameter's unit; null to reset")
    connection = serializers.CharField(max_length=50, required=False, allow_null=True, default=None)
    company = serializers.IntegerField(min_value=0, max_value=LONGEST_ID, required=False, allow_null=True, default=None)


class ValueSet(ValueGiven):
    """A value that is to count from now on."""

    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    version = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False, help_text="The version that was seen")


class ParameterPreviewSerializer(serializers.Serializer[Any]):
    """What would change among the records that are open now."""

    sentence = serializers.CharField()
    records = serializers.IntegerField()
    opened = serializers.IntegerField()
    closed = serializers.IntegerField()
    raised = serializers.IntegerField()
    lowered = serializers.IntegerField()
    asked = serializers.IntegerField()
    withdrawn = serializers.IntegerField()
    late = serializers.IntegerField()
    in_time = serializers.IntegerField()
    examples = serializers.ListField(child=serializers.CharField())
    is_cut = serializers.BooleanField(help_text="Whether only the newest were judged")


SCOPE_PARAMETERS = [OpenApiParameter("connection", str), OpenApiParameter("company", int)]


class Parameters(APIView):
    """The parameters of rules."""

    scope = TokenScope.ADMIN

    @extend_schema(parameters=[*SCOPE_PARAMETERS, OpenApiParameter("workflow", str)], responses=ParametersPage)
    def get(self, request: PersonsCall) -> Response:
        """List the parameters as they stand for everybody, a connection or a company."""
        query = _query(request, LIST_FILTERS)
        workflow = query.get("workflow")
        if workflow is not None and workflow not in registry.parameter_areas():
            raise ValidationError({"workflow": [f"There is no workflow {workflow[:60]!r}."]})
        names = [
            name
            for name, declared in registry.parameters().items()
            if workflow is None or workflow in {one.name for one in declared.readers}
        ]
        found = parameter_values.standing_in(_scope(query.get("connection"), query.get("company"), request.user), names)
        return Response({"next": None, "previous": None, "results": ParameterSerializer(found, many=True).data})

    @extend_schema(request=ValueSet, responses={201: ParameterSerializer})
    def post(self, request: PersonsCall) -> Response:
        """Set a parameter, or reset it with null. What it concerns is evaluated at once."""
        given = ValueSet(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        scope = _scope(data["connection"], data["company"], request.user)
        parameter_values.set_value(
            data["name"],
            data["value"],
            scope=scope,
            by=request.user,
            now=clock.now(),
            note=data["note"],
            version=data.get("version"),
        )
        (found,) = parameter_values.standing_in(scope, [data["name"]])
        return Response(ParameterSerializer(found).data, status=201)


class OneParameter(APIView):
    """One parameter, with what was set of it and by whom."""

    @extend_schema(parameters=SCOPE_PARAMETERS, responses=ParameterDetail, operation_id="parameter_retrieve")
    def get(self, request: PersonsCall, parameter: str) -> Response:
        """Read one parameter."""
        query, name = _query(request, ("connection", "company")), parameter
        if name not in registry.parameters():
            raise Http404(f"There is no parameter {name[:120]}.")
        (found,) = parameter_values.standing_in(_scope(query.get("connection"), query.get("company"), request.user), [name])
        versions = parameter_values.history_of(name, access.scope_of(request.user))
        return Response({**ParameterSerializer(found).data, "versions": VersionSerializer(versions, many=True).data})


class ParameterPreview(APIView):
    """Trying a value before it counts."""

    # It changes nothing: a POST for its body alone.
    scope = TokenScope.READ

    @extend_schema(request=ValueGiven, responses=ParameterPreviewSerializer)
    def post(self, request: PersonsCall) -> Response:
        """Say what a value would change among the records that are open now, without setting it."""
        given = ValueGiven(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        scope = _scope(data["connection"], data["company"], request.user)
        shown = parameter_preview.preview(
            data["name"], data["value"], scope=scope, access_scope=access.scope_of(request.user), now=clock.now()
        )
        return Response(shown.figures)


def _query(request: PersonsCall, known: tuple[str, ...]) -> dict[str, str]:
    """Return the query parameters. Raises ValidationError for one that there is not."""
    unknown = set(request.query_params) - {*known, "format", "page_size"}
    if unknown:
        raise ValidationError({name: [f"There is no such filter; there is: {', '.join(known)}."] for name in sorted(unknown)})
    return {name: request.query_params[name] for name in known if name in request.query_params}


def _scope(name: str | None, company: str | int | None, user: User) -> Scope:
    """Return the scope that is named. Raises ValidationError for what is not there, or not in the person's access scope."""
    if isinstance(company, str):
        if not company.isascii() or not company.isdecimal():
            raise ValidationError({"company": ["This must be a whole number."]})
        company = int(company)
    try:
        return scopes.named(name, company, access.scope_of(user))
    except ScopeError as error:
        raise ValidationError({"connection": [str(error)]}) from None

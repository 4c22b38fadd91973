"""REST: the exception queue."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access
from apps.accounts.models import Team, User
from apps.accounts.requests import PersonsCall
from apps.core import clock
from apps.core.rest import EvidenceFigure, FilteredList, RecordRef, moment, money
from apps.exceptions import integration, queries, types
from apps.exceptions.cases import actions, applying, moves
from apps.exceptions.models import ExceptionCase, Severity, Status
from apps.odoo import request_scope
from apps.timers import calendars
from apps.workflows import registry

SEVERITIES = {severity.code: severity.value for severity in Severity}


class ExceptionShape(serializers.Serializer[Any]):
    """One exception."""

    id = serializers.IntegerField()
    type = serializers.CharField()
    workflow = serializers.CharField()
    severity = serializers.ChoiceField(list(SEVERITIES))
    status = serializers.ChoiceField(Status.values)
    record = RecordRef()
    team = serializers.CharField()
    owner = serializers.CharField(allow_null=True)
    amount = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    company = serializers.CharField(help_text="The company's name, where you may see more than one of its Odoo; else empty")
    opened_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    due_calendar = serializers.DictField(help_text="Whose working hours it is due by: team, time_zone (none: round the clock)")
    stage = serializers.CharField(help_text="Where the record stands in its workflow")
    promised_at = serializers.DateTimeField(allow_null=True)
    evidence = serializers.DictField()
    figures = EvidenceFigure(many=True, help_text="The evidence that is known, as pages show it")
    breached_at = serializers.DateTimeField(allow_null=True)
    snoozed_until = serializers.DateTimeField(allow_null=True)
    resolved_at = serializers.DateTimeField(allow_null=True)
    resolution = serializers.CharField()
    cause_group = serializers.IntegerField(allow_null=True, help_text="What has caused it: see cause-groups/")

    def to_representation(self, case: ExceptionCase) -> dict[str, Any]:
        return {
            "id": case.id,
            "type": case.type,
            "workflow": case.workflow,
            "severity": Severity(case.severity).code,
            "status": case.status,
            "record": {"model": case.model, "odoo_id": case.odoo_id, "name": case.record_name, "url": case.url},
            "team": case.team.slug,
            "owner": case.owner.username if case.owner else None,
            "amount": money(case.amount, case.currency),
            "currency": case.currency,
            "company": case.company,
            "opened_at": moment(case.opened_at),
            "due_at": moment(case.due_at),
            "due_calendar": calendars.described(case.team),
            "stage": case.stage,
            "promised_at": moment(case.promised_at),
            "evidence": case.plain_evidence,
            "figures": [one.as_json() for one in types.evidence_of(case)],
            "breached_at": moment(case.breached_at),
            "snoozed_until": moment(case.snoozed_until),
            "resolved_at": moment(case.resolved_at),
            "resolution": case.resolution,
            "cause_group": case.group_id,
        }


def _of_type(queryset: QuerySet[ExceptionCase], value: str) -> QuerySet[ExceptionCase]:
    """A type by its name, or all of a family by what its names begin with: ``integration``, ``integration.``."""
    return (
        queryset.filter(type__startswith=f"{value.rstrip('.')}.")
        if value.rstrip(".").count(".") == 0
        else queryset.filter(type=value)
    )


def _is_type(value: str, _: Any) -> bool:
    """Return True for a type or a family that is declared, or of which there still are exceptions."""
    known = types.titles()
    family = f"{value.rstrip('.')}."
    return value in known or any(name.startswith(family) for name in known) or ExceptionCase.objects.filter(type=value).exists()


FILTERS = {
    "status": ("status", set(Status.values)),
    "type": (_of_type, _is_type),
    "workflow": ("workflow", lambda value, request: value == integration.WORKFLOW or registry.is_workflow(value, request)),
    "stage": ("stage", registry.is_stage),
    "team": ("team__slug", lambda value, _: Team.objects.filter(slug=value).exists()),
    "owner": ("owner__username", lambda value, _: User.objects.filter(username=value).exists()),
    "model": "model",
    "odoo_id": ("odoo_id", int),
    "connection": ("connection__name", request_scope.names_connection),
    "company": ("company_id", int),
    "severity": ("severity", SEVERITIES),
    "cause_group": ("group_id", int),
}


class Exceptions(FilteredList):
    """Exceptions, the newest first."""

    queryset = ExceptionCase.objects.none()
    serializer_class = ExceptionShape
    ordering = ("-opened_at", "-id")
    filters = FILTERS

    def get_queryset(self) -> Any:
        return queries.queue(access.scope_of(self.request.user))  # type: ignore[arg-type]

    @extend_schema(parameters=[OpenApiParameter(name, str) for name in FILTERS])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List exceptions."""
        return super().get(request, *arguments, **named)


class OneException(APIView):
    """One exception."""

    @extend_schema(responses=ExceptionShape)
    def get(self, request: PersonsCall, case_id: int) -> Response:
        """Read one exception."""
        return Response(ExceptionShape(get_object_or_404(queries.queue(access.scope_of(request.user)), id=case_id)).data)


class OptionShape(serializers.Serializer[Any]):
    """One option of a suggested action."""

    action = serializers.CharField()
    remedy = serializers.CharField(help_text="Deprecated: the same as action")
    title = serializers.CharField()
    option = serializers.CharField()
    text = serializers.CharField()
    asks = serializers.CharField(help_text="What has to be confirmed before; empty where nothing has to be")


class Actions(APIView):
    """The suggested actions of one exception that can be applied now."""

    @extend_schema(responses=OptionShape(many=True))
    def get(self, request: PersonsCall, case_id: int) -> Response:
        """List the suggested actions of an exception with their options, the best of each kind first."""
        case = get_object_or_404(queries.queue(access.scope_of(request.user)), id=case_id)
        return Response(
            [
                {
                    "action": offer.action.name,
                    "remedy": offer.action.name,
                    "title": offer.action.title,
                    "option": option.key,
                    "text": option.text,
                    "asks": asks,
                }
                for offer in actions.offered(case, now=clock.now(), by=request.user)
                for option, _, asks in offer.ways
            ]
        )


class Apply(serializers.Serializer[Any]):
    """A suggested action and one of its options, as they are listed."""

    action = serializers.CharField(max_length=60, required=False)
    remedy = serializers.CharField(max_length=60, required=False, help_text="Deprecated: the same as action")
    option = serializers.CharField(max_length=60)
    confirmed = serializers.BooleanField(default=False, help_text="What the option asks is so: needed where it asks something")
    undo_seconds = serializers.IntegerField(min_value=0, max_value=60, default=0, help_text="How long it may be undone")

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """Take the deprecated name where the new one is not given."""
        action = given.get("action", given.get("remedy"))
        if action is None:
            raise serializers.ValidationError({"action": "Say which action, as it is listed."})
        return given | {"action": action}


class Undo(serializers.Serializer[Any]):
    """The suggested action and the option that were applied."""

    action = serializers.CharField(max_length=60)
    option = serializers.CharField(max_length=60)


class Assign(serializers.Serializer[Any]):
    """To whom: a user name, or null for nobody; and to which team, where one is named."""

    owner = serializers.SlugRelatedField("username", queryset=User.objects.filter(is_active=True), allow_null=True)
    team = serializers.SlugRelatedField("slug", queryset=Team.objects.all(), required=False)
    note = serializers.CharField(max_length=1000, required=False, allow_blank=True, help_text="For whoever gets it")


class Nothing(serializers.Serializer[Any]):
    """Nothing is needed."""


class Snooze(serializers.Serializer[Any]):
    """Until when."""

    until = serializers.DateTimeField()


class Resolve(serializers.Serializer[Any]):
    """How it was resolved."""

    resolution = serializers.CharField(max_length=300)


class Comment(serializers.Serializer[Any]):
    """What is to be said."""

    text = serializers.CharField(max_length=10_000)


class _Move(APIView):
    takes: type[serializers.Serializer[Any]]

    def make(self, case_id: int, user: Any, given: dict[str, Any]) -> None:
        """Make the move."""
        raise AssertionError("each move says how it is made")

    def post(self, request: PersonsCall, case_id: int) -> Response:
        get_object_or_404(queries.queue(access.scope_of(request.user)), id=case_id)
        given = self.takes(data=request.data)
        given.is_valid(raise_exception=True)
        self.make(case_id, request.user, given.validated_data)
        case = queries.shown(ExceptionCase.objects.all(), access.scope_of(request.user)).get(id=case_id)
        return Response(ExceptionShape(case).data)


@extend_schema(request=Assign, responses=ExceptionShape)
class AssignMove(_Move):
    """Give it to somebody."""

    takes = Assign

    def make(self, case_id: int, user: Any, given: dict[str, Any]) -> None:
        moves.assign(case_id, owner=given["owner"], team=given.get("team"), note=given.get("note", ""), by=user, now=clock.now())


@extend_schema(request=Nothing, responses=ExceptionShape)
class AcknowledgeMove(_Move):
    """Say that somebody works on it."""

    takes = Nothing

    def make(self, case_id: int, user: Any, given: dict[str, Any]) -> None:
        moves.acknowledge(case_id, by=user, now=clock.now())


@extend_schema(request=Snooze, responses=ExceptionShape)
class SnoozeMove(_Move):
    """Set it aside for a while."""

    takes = Snooze

    def make(self, case_id: int, user: Any, given: dict[str, Any]) -> None:
        moves.snooze(case_id, until=given["until"], by=user, now=clock.now())


@extend_schema(request=Resolve, responses=ExceptionShape)
class ResolveMove(_Move):
    """Close it by hand."""

    takes = Resolve

    def make(self, case_id: int, user: Any, given: dict[str, Any]) -> None:
        moves.resolve(case_id, resolution=given["resolution"], by=user, now=clock.now())


@extend_schema(request=Comment, responses=ExceptionShape)
class CommentMove(_Move):
    """Write something on it."""

    takes = Comment

    def make(self, case_id: int, user: Any, given: dict[str, Any]) -> None:
        moves.comment(case_id, text=given["text"], by=user, now=clock.now())


@extend_schema(request=Apply, responses=ExceptionShape)
class ApplyMove(_Move):
    """Apply a suggested action: Odoo is told."""

    takes = Apply

    def make(self, case_id: int, user: Any, given: dict[str, Any]) -> None:
        applying.apply(
            case_id,
            action=given["action"],
            option=given["option"],
            is_confirmed=given["confirmed"],
            undo_for=timedelta(seconds=given["undo_seconds"]),
            by=user,
            now=clock.now(),
        )


@extend_schema(request=Undo, responses=ExceptionShape)
class UndoApplyMove(_Move):
    """Take back a suggested action that one has applied, before it is sent to Odoo."""

    takes = Undo

    def make(self, case_id: int, user: Any, given: dict[str, Any]) -> None:
        applying.undo_apply(case_id, action=given["action"], option=given["option"], by=user, now=clock.now())

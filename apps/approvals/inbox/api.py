"""REST: approval requests."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access
from apps.accounts.models import User
from apps.accounts.requests import PersonsCall
from apps.approvals import queries
from apps.approvals.errors import AlreadyDecidedError, DecisionRefusedError
from apps.approvals.models import Assignment, Inquiry, Request, Status, Step, StepStatus
from apps.approvals.requests import available_requests, facts, inquiries, moves, undoing
from apps.core import clock, sentences
from apps.core.rest import EvidenceFigure, FilteredList, RecordRef, moment, money
from apps.odoo import request_scope
from apps.odoo.models import Connection
from apps.timers import calendars
from apps.workflows import registry


class InquiryShape(serializers.Serializer[Any]):
    """What was asked back."""

    wants_changes = serializers.BooleanField()
    text = serializers.CharField()
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    answer = serializers.CharField()
    answered_by = serializers.CharField()
    answered_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, row: Inquiry) -> dict[str, Any]:
        return {
            "wants_changes": row.wants_changes,
            "text": row.text,
            "asked_by": row.asked_by.username,
            "asked_at": moment(row.asked_at),
            "answer": row.answer,
            "answered_by": row.answered_by_name,
            "answered_at": moment(row.answered_at),
        }


class AnswerSerializer(serializers.Serializer[Any]):
    """What one person of a step answered, on which amount, and whether it still counts."""

    user = serializers.CharField()
    decision = serializers.CharField()
    decided_at = serializers.DateTimeField(allow_null=True)
    amount = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    counts = serializers.BooleanField()
    is_asked = serializers.BooleanField()
    delegated_by = serializers.CharField(allow_null=True)
    why = serializers.CharField()

    def to_representation(self, row: Assignment) -> dict[str, Any]:
        return {
            "user": row.user.username,
            "decision": row.decision,
            "decided_at": moment(row.decided_at),
            "amount": row.decided_amount,
            "currency": row.decided_currency,
            "counts": row.counts,
            "is_asked": row.is_active and not row.decision and row.step.status == StepStatus.PENDING,
            "delegated_by": row.delegated_by.username if row.delegated_by else None,
            "why": row.lapsed_because,
        }


class StepSerializer(serializers.Serializer[Any]):
    """One step of a request, with who was asked in it and what they said."""

    name = serializers.CharField()
    position = serializers.IntegerField()
    status = serializers.ChoiceField(StepStatus.values)
    is_required = serializers.BooleanField()
    needs_all = serializers.BooleanField()
    level = serializers.IntegerField()
    due_at = serializers.DateTimeField(allow_null=True)
    answers = AnswerSerializer(many=True)

    def to_representation(self, step: Step) -> dict[str, Any]:
        return {
            "name": step.name,
            "position": step.position,
            "status": step.status,
            "is_required": step.is_required,
            "needs_all": step.needs_all,
            "level": step.level,
            "due_at": moment(step.due_at),
            "answers": AnswerSerializer(step.assignments.all(), many=True).data,
        }


class ApprovalShape(serializers.Serializer[Any]):
    """One approval request."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    status = serializers.ChoiceField(Status.values)
    record = RecordRef()
    requested_by = serializers.CharField()
    step = serializers.CharField(allow_null=True)
    approvers = serializers.ListField(child=serializers.CharField())
    due_at = serializers.DateTimeField()
    due_calendar = serializers.DictField(help_text="Whose working hours it is due by: team, time_zone (none: round the clock)")
    paused_at = serializers.DateTimeField(allow_null=True)
    escalated_at = serializers.DateTimeField(allow_null=True)
    amount = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    context = serializers.DictField()  # type: ignore[assignment]
    figures = EvidenceFigure(many=True, help_text="The facts that are known, as pages show them")
    requested_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    policy_version = serializers.IntegerField()
    facts_digest = serializers.CharField()
    facts_changed_at = serializers.DateTimeField(allow_null=True)
    steps = StepSerializer(many=True)
    inquiries = InquiryShape(many=True)

    def to_representation(self, request: Request) -> dict[str, Any]:
        running = [step for step in request.steps.all() if step.status == StepStatus.PENDING]
        asked = [row for step in running for row in step.assignments.all() if row.is_active and not row.decision]
        return {
            "id": request.id,
            "kind": request.kind,
            "status": request.status,
            "record": {
                "model": request.model,
                "odoo_id": request.odoo_id,
                "name": request.record_name,
                "url": request.connection.record_url(request.model, request.odoo_id),
            },
            "requested_by": request.requested_by,
            "step": running[0].name if running else None,
            "approvers": [row.user.username for row in asked],
            "due_at": moment(request.due_at),
            "due_calendar": calendars.described(running[0].working_team if running else None),
            "paused_at": moment(request.paused_at),
            "escalated_at": moment(request.escalated_at),
            "amount": money(request.amount, request.currency),
            "currency": request.currency,
            "context": sentences.plain(request.context),
            "figures": [one.as_json() for one in facts.values(request)],
            "requested_at": moment(request.requested_at),
            "decided_at": moment(request.decided_at),
            "decided_by": request.decided_by.username if request.decided_by else None,
            "reason": request.reason,
            "policy_version": request.policy.version,
            "facts_digest": facts.digest(request),
            "facts_changed_at": moment(request.facts_changed_at),
            "steps": StepSerializer(request.steps.all(), many=True).data,
            "inquiries": InquiryShape(request.inquiries.all(), many=True).data,
        }


def _is_kind(value: str, _: object) -> bool:
    """Return True for a kind that is declared, or of which there still are requests."""
    return value in registry.approval_kinds() or Request.objects.filter(kind=value).exists()


FILTERS = {
    "status": ("status", set(Status.values)),
    "kind": ("kind", _is_kind),
    "workflow": ("workflow", registry.is_workflow),
    "model": "model",
    "odoo_id": ("odoo_id", int),
    "connection": ("connection__name", request_scope.names_connection),
    "company": ("company_id", int),
    "approver": ("steps__assignments__user__username", lambda value, _: User.objects.filter(username=value).exists()),
}


class AboutRecord(serializers.Serializer[Any]):
    """Which record, and of which connection where there are several."""

    model = serializers.CharField(max_length=80)
    odoo_id = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    connection = serializers.SlugRelatedField("name", queryset=Connection.objects.all(), required=False)

    def to_internal_value(self, data: Any) -> Any:
        # A field that looks a row up by its name asks the database at once, and that takes no NUL.
        if isinstance(data, Mapping) and "\x00" in str(data.get("connection", "")):
            raise ValidationError({"connection": ["This holds a NUL character."]})
        return super().to_internal_value(data)


class Ask(AboutRecord):
    """What is asked for, and why."""

    kind = serializers.CharField(max_length=60)
    option = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    reason = serializers.CharField(max_length=1_000, required=False, allow_blank=True, default="")


class AvailableShape(serializers.Serializer[Any]):
    """An approval that may be requested, with one of its options where there are any."""

    kind = serializers.CharField()
    title = serializers.CharField()
    option = serializers.CharField(allow_null=True)
    text = serializers.CharField(allow_null=True)
    steps = serializers.ListField(
        child=serializers.DictField(), help_text="Who would be asked: name, people, needs_all, within_minutes, due_at of each step"
    )


class Approvals(FilteredList):
    """Approval requests, the newest first."""

    queryset = Request.objects.none()
    serializer_class = ApprovalShape
    ordering = ("-requested_at", "-id")
    filters = FILTERS

    def get_queryset(self) -> Any:
        return queries.in_sight(access.scope_of(self.request.user)).distinct()  # type: ignore[arg-type]

    @extend_schema(parameters=[OpenApiParameter(name, str) for name in FILTERS])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List approval requests."""
        return super().get(request, *arguments, **named)

    @extend_schema(request=Ask, responses={201: ApprovalShape})
    def post(self, request: PersonsCall) -> Response:
        """Ask for an approval."""
        given = Ask(data=request.data)
        given.is_valid(raise_exception=True)
        made = moves.ask(
            connection_id=_connection(request, given),
            kind=given.validated_data["kind"],
            model=given.validated_data["model"],
            odoo_id=given.validated_data["odoo_id"],
            option=given.validated_data["option"],
            by=request.user,
            reason=given.validated_data["reason"],
            now=clock.now(),
        )
        return Response(ApprovalShape(queries.requests().get(pk=made.pk)).data, status=201)


def _connection(request: PersonsCall, given: AboutRecord) -> int:
    """The connection that is meant: the one named, else the first that the person may see."""
    mine = access.scope_of(request.user)
    known = Connection.objects.filter(mine.of_connections()).order_by("id")
    connection = given.validated_data.get("connection") or known.first()
    if connection is None:
        raise DecisionRefusedError("No Odoo is connected yet.")
    if not mine.sees(connection.pk):
        raise ValidationError({"connection": [f"Object with name={connection.name} does not exist."]})
    return int(connection.pk)


class AvailableApprovals(APIView):
    """The approvals that may be requested for one record."""

    @extend_schema(parameters=[AboutRecord], responses=AvailableShape(many=True))
    def get(self, request: PersonsCall) -> Response:
        """List the approvals that are possible for a record now, each with its options."""
        given = AboutRecord(data=request.query_params)
        given.is_valid(raise_exception=True)
        found = available_requests.of_record(
            Connection.objects.get(pk=_connection(request, given)),
            given.validated_data["model"],
            given.validated_data["odoo_id"],
            by=request.user,
            now=clock.now(),
        )
        rows = []
        for one in found:
            steps = [step.as_json() for step in one.steps]
            plain = {"kind": one.kind.name, "title": one.kind.title, "option": None, "text": None, "steps": steps}
            rows += [plain | {"option": option.key, "text": option.text} for option in one.options] or [plain]
        return Response(rows)


class Approval(APIView):
    """One approval request."""

    @extend_schema(responses=ApprovalShape)
    def get(self, request: PersonsCall, request_id: int) -> Response:
        """Read one request."""
        return Response(ApprovalShape(get_object_or_404(queries.in_sight(access.scope_of(request.user)), id=request_id)).data)


class Reason(serializers.Serializer[Any]):
    """Why; a rejection needs it."""

    reason = serializers.CharField(max_length=1_000, required=False, allow_blank=True, default="")


class Decision(Reason):
    """Why, on which facts, and how long the decision may be taken back before anything leaves the tower.

    ``facts_digest`` or ``expected_amount`` says what was seen. Where it is no longer true, the answer is a 409 that names what
    changed. An approval without either counts only while the amount, and what else a yes bounds, is what was asked for.
    """

    undo_seconds = serializers.IntegerField(min_value=0, max_value=60, required=False, default=0)
    facts_digest = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    expected_amount = serializers.DecimalField(max_digits=24, decimal_places=6, required=False, allow_null=True, default=None)

    def validate(self, attributes: dict[str, Any]) -> dict[str, Any]:
        seen = facts.Seen(digest=attributes["facts_digest"], amount=attributes["expected_amount"])
        return attributes | {"undo_for": timedelta(seconds=attributes["undo_seconds"]), "seen": seen}


class Delegate(Reason):
    """To whom: a user name."""

    to = serializers.SlugRelatedField("username", queryset=User.objects.filter(is_active=True))


class _Decision(APIView):
    takes: type[serializers.Serializer[Any]] = Reason

    def make(self, request_id: int, user: Any, given: dict[str, Any]) -> None:
        """Make the move."""
        raise AssertionError("each decision says how it is made")

    def post(self, request: PersonsCall, request_id: int) -> Response:
        get_object_or_404(queries.in_sight(access.scope_of(request.user)), id=request_id)
        given = self.takes(data=request.data)
        given.is_valid(raise_exception=True)
        self.make(request_id, request.user, given.validated_data)
        return Response(ApprovalShape(queries.requests().get(id=request_id)).data)


@extend_schema(request=Decision, responses=ApprovalShape)
class ApproveMove(_Decision):
    """Say yes."""

    takes = Decision

    def make(self, request_id: int, user: Any, given: dict[str, Any]) -> None:
        moves.approve(request_id, by=user, reason=given["reason"], undo_for=given["undo_for"], now=clock.now(), seen=given["seen"])


@extend_schema(request=Decision, responses=ApprovalShape)
class RejectMove(_Decision):
    """Say no, with a reason."""

    takes = Decision

    def make(self, request_id: int, user: Any, given: dict[str, Any]) -> None:
        # A no needs no fresh figures; one that names what it saw is taken at its word.
        is_told = given["seen"].digest or given["seen"].amount is not None
        moves.reject(
            request_id,
            by=user,
            reason=given["reason"],
            undo_for=given["undo_for"],
            now=clock.now(),
            seen=given["seen"] if is_told else None,
        )


@extend_schema(request=Reason, responses=ApprovalShape)
class RecallMove(_Decision):
    """Take back what one asked for oneself."""

    def make(self, request_id: int, user: Any, given: dict[str, Any]) -> None:
        moves.recall(request_id, by=user, reason=given["reason"], now=clock.now())


class Nothing(serializers.Serializer[Any]):
    """Nothing is needed."""


@extend_schema(request=None, responses=ApprovalShape)
class UndoMove(_Decision):
    """Take one's own decision back, while it may be."""

    takes = Nothing

    def make(self, request_id: int, user: Any, given: dict[str, Any]) -> None:
        undoing.undo(request_id, by=user, now=clock.now())


class InquiryText(serializers.Serializer[Any]):
    """What is asked or answered."""

    text = serializers.CharField(max_length=1_000)


@extend_schema(request=InquiryText, responses=ApprovalShape)
class QuestionMove(_Decision):
    """Ask a question back; the due time stays."""

    takes = InquiryText

    def make(self, request_id: int, user: Any, given: dict[str, Any]) -> None:
        inquiries.request_information(request_id, wants_changes=False, text=given["text"], by=user, now=clock.now())


@extend_schema(request=InquiryText, responses=ApprovalShape)
class RequestChangesMove(_Decision):
    """Want something changed first; the due time stands still until it is answered."""

    takes = InquiryText

    def make(self, request_id: int, user: Any, given: dict[str, Any]) -> None:
        inquiries.request_information(request_id, wants_changes=True, text=given["text"], by=user, now=clock.now())


@extend_schema(request=InquiryText, responses=ApprovalShape)
class AnswerMove(_Decision):
    """Answer the oldest question that is open."""

    takes = InquiryText

    def make(self, request_id: int, user: Any, given: dict[str, Any]) -> None:
        asked = Inquiry.objects.filter(request=request_id, answered_at=None).first()
        if asked is None:
            raise AlreadyDecidedError("Nothing that was asked back is open.")
        inquiries.answer(asked.pk, text=given["text"], by=user, now=clock.now())


@extend_schema(request=Delegate, responses=ApprovalShape)
class DelegateMove(_Decision):
    """Hand the decision to somebody who may take it."""

    takes = Delegate

    def make(self, request_id: int, user: Any, given: dict[str, Any]) -> None:
        moves.delegate(request_id, to=given["to"], by=user, reason=given["reason"], now=clock.now())

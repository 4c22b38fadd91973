"""REST: what the tower's own mail server sends to vendors and customers."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access
from apps.accounts.requests import PersonsCall
from apps.core import clock
from apps.core.rest import FilteredList, moment
from apps.odoo import request_scope
from apps.vendors.mail import moves, queries
from apps.vendors.models import Mail, MailStatus


class MailSerializer(serializers.Serializer[Any]):
    """One message."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(MailStatus.values, help_text="unsure and failed wait for a person")
    connection = serializers.CharField()
    company = serializers.IntegerField(allow_null=True, help_text="The company's id in Odoo")
    model = serializers.CharField()
    records = serializers.ListField(child=serializers.IntegerField(), help_text="What it is about, by ids in Odoo")
    to = serializers.CharField()
    addresses = serializers.ListField(child=serializers.CharField())
    reached = serializers.ListField(child=serializers.CharField(), help_text="Who has it, where others were refused")
    reply_to = serializers.CharField()
    subject = serializers.CharField()
    decision = serializers.CharField(help_text="What it follows from: follow-up:12, customer-message:3")
    problem = serializers.CharField()
    attempts = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()
    ended_at = serializers.DateTimeField(allow_null=True)
    ended_by = serializers.CharField()

    def to_representation(self, mail: Mail) -> dict[str, Any]:
        return {
            "id": str(mail.pk),
            "status": mail.status,
            "connection": mail.connection.name,
            "company": mail.company_id,
            "model": mail.model,
            "records": mail.records,
            "to": mail.partner_name,
            "addresses": [address for _, address in mail.recipients],
            "reached": mail.reached,
            "reply_to": mail.reply_to,
            "subject": mail.subject,
            "decision": mail.decision,
            "problem": mail.problem,
            "attempts": mail.attempts,
            "created_at": moment(mail.created_at),
            "created_by": mail.created_by,
            "ended_at": moment(mail.ended_at),
            "ended_by": mail.ended_by,
        }


FILTERS = {
    "status": ("status", set(MailStatus.values)),
    "connection": ("connection__name", request_scope.names_connection),
    "company": ("company_id", int),
}


class Mails(FilteredList):
    """Messages that the tower's own mail server sends, the newest first."""

    queryset = Mail.objects.none()
    serializer_class = MailSerializer
    ordering = ("-created_at", "-id")
    filters = FILTERS

    def get_queryset(self) -> Any:
        return queries.mails(access.scope_of(self.request.user))  # type: ignore[arg-type]

    @extend_schema(parameters=[OpenApiParameter(name, str) for name in FILTERS])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List messages."""
        return super().get(request, *arguments, **named)


class SendMailAgain(APIView):
    """Send a message again."""

    @extend_schema(request=None, responses=MailSerializer)
    def post(self, request: PersonsCall, mail_id: UUID) -> Response:
        """Have a message tried again that was not sent, or perhaps."""
        return _decide(moves.send_again, request, mail_id)


class MarkMailSent(APIView):
    """Say that a message was sent."""

    @extend_schema(request=None, responses=MailSerializer)
    def post(self, request: PersonsCall, mail_id: UUID) -> Response:
        """Say that a message that was perhaps sent was; Odoo is told to note it."""
        return _decide(moves.mark_sent, request, mail_id)


class CancelMail(APIView):
    """Cancel a message."""

    @extend_schema(request=None, responses=MailSerializer)
    def post(self, request: PersonsCall, mail_id: UUID) -> Response:
        """Have a message not sent any more."""
        return _decide(moves.cancel, request, mail_id)


def _decide(move: Callable[..., Mail], request: PersonsCall, mail_id: UUID) -> Response:
    get_object_or_404(queries.mails(access.scope_of(request.user)), pk=mail_id)
    return Response(MailSerializer(move(mail_id, by=request.user, now=clock.now())).data)

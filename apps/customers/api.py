"""REST: what customers are to be told, what they were told, and who is told without a person."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.response import Response

from apps.accounts import access
from apps.accounts.requests import PersonsCall
from apps.core import clock
from apps.core.rest import FilteredList, RecordRef, moment
from apps.customers import drafts, queries, rules, sending
from apps.customers.drafts import Draft
from apps.customers.models import CustomerMessage, CustomerRule
from apps.odoo.models import Connection
from apps.vendors.mail import draft_api

ORDER = "sale.order"


class NewDateSerializer(serializers.Serializer[Any]):
    """One order of a draft."""

    record = RecordRef()
    known_day = serializers.DateField(allow_null=True, help_text="What the customer was told last")
    day = serializers.DateField(help_text="When it comes now, as the order's company counts days")
    parts = serializers.CharField(help_text="The products that come so, where the others come as promised")
    decision = serializers.CharField(
        help_text="What it follows from: exception:12:promise_later:42, proposal:5:1; odoo: changed there"
    )
    decided_by = serializers.CharField()


class RecipientSerializer(serializers.Serializer[Any]):
    """A partner to whom Odoo sends it."""

    partner = serializers.IntegerField(help_text="The partner's id in Odoo")
    name = serializers.CharField()
    email = serializers.CharField(help_text="Empty: the message stands in the chatter, and no e-mail is sent")


class CustomerDraftSerializer(serializers.Serializer[Any]):
    """What would be sent to one customer."""

    key = serializers.CharField()
    version = serializers.CharField(help_text="To be sent with a move, so that nothing is sent unseen")
    connection = serializers.CharField()
    company = serializers.IntegerField(help_text="The company's id in Odoo")
    customer = serializers.CharField()
    partner = serializers.IntegerField(help_text="The customer's id in Odoo")
    language = serializers.CharField()
    subject = serializers.CharField()
    body = serializers.CharField()
    edited_by = serializers.CharField(help_text="Empty where the words are the drafted ones")
    owners = serializers.ListField(child=serializers.CharField(), help_text="The orders' salespeople in Odoo")
    recipients = RecipientSerializer(many=True)
    orders = NewDateSerializer(many=True)
    changed_at = serializers.DateTimeField()

    def to_representation(self, draft: Draft) -> dict[str, Any]:
        subject, body = draft.text()
        return {
            "key": draft.key,
            "version": draft.version,
            "connection": draft.connection.name,
            "company": draft.company_id,
            "customer": draft.customer.name or "",
            "partner": draft.customer.odoo_id,
            "language": draft.language,
            "subject": subject,
            "body": body,
            "edited_by": draft.edit.edited_by if draft.edit else "",
            "owners": list(draft.owners),
            "recipients": [{"partner": one.odoo_id, "name": one.name or "", "email": one.email or ""} for one in draft.recipients],
            "orders": [
                {
                    "record": {
                        "model": ORDER,
                        "odoo_id": one.order.order_id,
                        "name": one.order.name,
                        "url": draft.connection.record_url(ORDER, one.order.order_id),
                    },
                    "known_day": one.known_day.isoformat() if one.known_day else None,
                    "day": one.day.isoformat(),
                    "parts": one.new_date.parts,
                    "decision": one.new_date.decision,
                    "decided_by": one.new_date.decided_by,
                }
                for one in draft.told
            ],
            "changed_at": moment(draft.changed_at),
        }


class CustomerDraftsSerializer(serializers.Serializer[Any]):
    """What would be sent, one a customer."""

    results = CustomerDraftSerializer(many=True)


class CustomerMessageSerializer(serializers.Serializer[Any]):
    """One message to a customer."""

    id = serializers.IntegerField()
    connection = serializers.CharField()
    company = serializers.IntegerField(help_text="The company's id in Odoo")
    customer = serializers.CharField()
    partner = serializers.IntegerField(help_text="The customer's id in Odoo")
    recipients = serializers.ListField(child=serializers.IntegerField(), help_text="Partners, by their ids in Odoo")
    orders = serializers.ListField(child=serializers.IntegerField(), help_text="Sales orders, by their ids in Odoo")
    subject = serializers.CharField()
    body = serializers.CharField()
    sent_at = serializers.DateTimeField()
    sent_by = serializers.CharField()
    is_by_rule = serializers.BooleanField()

    def to_representation(self, message: CustomerMessage) -> dict[str, Any]:
        return {
            "id": message.pk,
            "connection": message.connection.name,
            "company": message.company_id,
            "customer": message.partner_name,
            "partner": message.partner_id,
            "recipients": message.recipient_ids,
            "orders": sorted(one.order_id for one in message.dates.all()),
            "subject": message.subject,
            "body": message.body,
            "sent_at": moment(message.sent_at),
            "sent_by": message.sent_by,
            "is_by_rule": message.rule_id is not None,
        }


class DraftMove(draft_api.MoveShape):
    """The draft as it was seen."""


class DraftWords(draft_api.WordsShape):
    """A person's own words; both empty bring the drafted ones back."""


class ChosenDraft(draft_api.ChosenShape):
    """One of several drafts, as it was seen."""


class ChosenDrafts(serializers.Serializer[Any]):
    """The drafts to send."""

    drafts = serializers.ListField(child=ChosenDraft(), min_length=1, max_length=draft_api.LISTED)


class SentDraftSerializer(serializers.Serializer[Any]):
    """What became of one draft."""

    key = serializers.CharField()
    sent = CustomerMessageSerializer(allow_null=True)
    refusal = serializers.CharField(help_text="Why it was not sent; empty where it was")


class SentDraftsSerializer(serializers.Serializer[Any]):
    """What became of each draft."""

    results = SentDraftSerializer(many=True)


class OfDrafts(draft_api.DraftView):
    """Drafts to customers."""

    kind = sending.KIND
    shape = CustomerDraftSerializer
    message_shape = CustomerMessageSerializer
    chosen_shape = ChosenDrafts
    words_shape = DraftWords


@extend_schema_view(
    post=extend_schema(
        operation_id="customer_drafts_send_several",
        description="Have each of the customers written to, once; one that is not says why and holds up no other.",
        request=ChosenDrafts,
        responses=SentDraftsSerializer,
    )
)
class SendDrafts(OfDrafts, draft_api.SeveralDrafts):
    """Send several drafts."""


class CustomerDrafts(OfDrafts):
    """What customers are to be told."""

    @extend_schema(operation_id="customer_drafts_list", responses=CustomerDraftsSerializer)
    def get(self, request: PersonsCall) -> Response:
        """List the drafts, one a customer, at most 200; those of the caller's own orders first."""
        found = drafts.drafts(access.scope_of(request.user), by=request.user)[: draft_api.LISTED]
        return Response({"results": self.shown(found)})


@extend_schema_view(
    get=extend_schema(responses=CustomerDraftSerializer),
    put=extend_schema(
        description="Have it say something else as long as the dates stay as they are.",
        request=DraftWords,
        responses=CustomerDraftSerializer,
    ),
)
class OneCustomerDraft(OfDrafts, draft_api.OneDraft):
    """One draft."""


@extend_schema_view(
    post=extend_schema(
        description="Have Odoo write to the customer, once.", request=DraftMove, responses={201: CustomerMessageSerializer}
    )
)
class SendDraftMove(OfDrafts, draft_api.SendMove):
    """Send a draft."""


@extend_schema_view(
    post=extend_schema(description="Say that the customer need not be told.", request=DraftMove, responses={204: None})
)
class DismissDraftMove(OfDrafts, draft_api.DismissMove):
    """Dismiss a draft."""


class CustomerMessages(draft_api.SentMessages):
    """What customers were told, the newest first."""

    queryset = CustomerMessage.objects.none()
    serializer_class = CustomerMessageSerializer

    def get_queryset(self) -> Any:
        return queries.messages(access.scope_of(self.request.user))  # type: ignore[arg-type]

    @extend_schema(parameters=[OpenApiParameter(name, str) for name in draft_api.FILTERS])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List the messages."""
        return super().get(request, *arguments, **named)


class CustomerRuleSerializer(serializers.Serializer[Any]):
    """Whether a company tells a customer of new dates without a person."""

    connection = serializers.CharField(max_length=60)
    company = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="The company's id in Odoo")
    partner = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="The customer's id in Odoo, or a contact's")
    sends = serializers.BooleanField(help_text="Within customer_later_days and customer_messages_a_day")
    customer = serializers.CharField(read_only=True)
    changed_at = serializers.DateTimeField(read_only=True)
    changed_by = serializers.CharField(read_only=True)

    def to_representation(self, rule: CustomerRule) -> dict[str, Any]:
        return {
            "connection": rule.connection.name,
            "company": rule.company_id,
            "partner": rule.partner_id,
            "sends": rule.sends,
            "customer": rule.partner_name,
            "changed_at": moment(rule.changed_at),
            "changed_by": rule.changed_by,
        }


class CustomerRules(FilteredList):
    """Customers who are, or were, told without a person."""

    queryset = CustomerRule.objects.none()
    serializer_class = CustomerRuleSerializer
    ordering = ("partner_name", "id")
    filters = draft_api.FILTERS

    def get_queryset(self) -> Any:
        return queries.rules(access.scope_of(self.request.user))  # type: ignore[arg-type]

    @extend_schema(parameters=[OpenApiParameter(name, str) for name in draft_api.FILTERS])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List the customers."""
        return super().get(request, *arguments, **named)

    @extend_schema(request=CustomerRuleSerializer, responses=CustomerRuleSerializer)
    def post(self, request: PersonsCall) -> Response:
        """Say whether a customer is told without a person."""
        given = draft_api.given(CustomerRuleSerializer, request)
        mine = access.scope_of(request.user)
        of = get_object_or_404(Connection.objects.filter(mine.of_connections()), name=given["connection"])
        sends: bool = given["sends"]
        rule = rules.switch(of, given["company"], given["partner"], sends=sends, by=request.user, now=clock.now())
        return Response(CustomerRuleSerializer(rule).data)

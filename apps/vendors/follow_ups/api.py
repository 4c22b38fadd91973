"""REST: what vendors are to be written about what they owe, and what they were written."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.response import Response

from apps.accounts import access
from apps.accounts.requests import PersonsCall
from apps.core.rest import RecordRef, moment
from apps.odoo.models import Connection
from apps.vendors import letters
from apps.vendors.follow_ups import drafts, sending
from apps.vendors.follow_ups.drafts import Draft
from apps.vendors.mail import draft_api
from apps.vendors.models import FollowUp

ORDER = "purchase.order"


class OwedSerializer(serializers.Serializer[Any]):
    """One order that a vendor owes an answer or goods for."""

    record = RecordRef()
    is_late = serializers.BooleanField(help_text="Else it is not confirmed")
    expected_on = serializers.DateField(allow_null=True, help_text="The first day on which something open was to come")
    since = serializers.DateTimeField()


class FollowUpDraftSerializer(serializers.Serializer[Any]):
    """What would be sent to one vendor."""

    key = serializers.CharField()
    version = serializers.CharField(help_text="To be sent with a move, so that nothing is sent unseen")
    connection = serializers.CharField()
    company = serializers.IntegerField(help_text="The company's id in Odoo")
    vendor = serializers.CharField()
    partner = serializers.IntegerField(help_text="The vendor's id in Odoo")
    language = serializers.CharField()
    subject = serializers.CharField()
    body = serializers.CharField(help_text="In place of {link} stands the link to answer, once it is sent")
    edited_by = serializers.CharField(help_text="Empty where the words are the drafted ones")
    recipients = serializers.ListField(child=serializers.IntegerField(), help_text="Partners, by their ids in Odoo")
    orders = OwedSerializer(many=True)
    last_sent_at = serializers.DateTimeField(allow_null=True, help_text="When the vendor was written to last")

    def to_representation(self, draft: Draft) -> dict[str, Any]:
        subject, body = draft.text()
        return {
            "key": draft.key,
            "version": draft.version,
            "connection": draft.connection,
            "company": draft.company_id,
            "vendor": draft.vendor.name or "",
            "partner": draft.vendor.odoo_id,
            "language": draft.language,
            "subject": subject,
            "body": body,
            "edited_by": draft.edit.edited_by if draft.edit else "",
            "recipients": draft.partner_ids,
            "orders": [
                {
                    "record": {
                        "model": ORDER,
                        "odoo_id": one.order.odoo_id,
                        "name": one.order.name,
                        "url": self.context["connections"][draft.connection_id].record_url(ORDER, one.order.odoo_id),
                    },
                    "is_late": one.is_late,
                    "expected_on": one.expected_on.isoformat() if one.expected_on else None,
                    "since": moment(one.since),
                }
                for one in draft.owed
            ],
            "last_sent_at": moment(draft.last.sent_at if draft.last else None),
        }


class FollowUpDraftsSerializer(serializers.Serializer[Any]):
    """What would be sent, one a vendor."""

    results = FollowUpDraftSerializer(many=True)


class FollowUpSerializer(serializers.Serializer[Any]):
    """One message to a vendor."""

    id = serializers.IntegerField()
    connection = serializers.CharField()
    company = serializers.IntegerField(help_text="The company's id in Odoo")
    vendor = serializers.CharField()
    partner = serializers.IntegerField(help_text="The vendor's id in Odoo")
    orders = serializers.ListField(child=serializers.IntegerField(), help_text="Purchase orders, by their ids in Odoo")
    subject = serializers.CharField()
    body = serializers.CharField(help_text="In place of the link stands {link}")
    link = serializers.UUIDField(help_text="The vendor link that it carries")
    sent_at = serializers.DateTimeField()
    sent_by = serializers.CharField()

    def to_representation(self, follow_up: FollowUp) -> dict[str, Any]:
        return {
            "id": follow_up.pk,
            "connection": follow_up.connection.name,
            "company": follow_up.company_id,
            "vendor": follow_up.partner_name,
            "partner": follow_up.partner_id,
            "orders": sorted(follow_up.order_ids),
            "subject": follow_up.subject,
            "body": follow_up.body,
            "link": str(follow_up.link_id),
            "sent_at": moment(follow_up.sent_at),
            "sent_by": follow_up.sent_by,
        }


class FollowUpMove(draft_api.MoveShape):
    """The draft as it was seen."""


class FollowUpWords(draft_api.WordsShape):
    """A person's own words; both empty bring the drafted ones back."""

    body = serializers.CharField(max_length=letters.LONGEST_WRITTEN, allow_blank=True, help_text="With {link} in it")


class ChosenFollowUp(draft_api.ChosenShape):
    """One of several drafts, as it was seen."""


class ChosenFollowUps(serializers.Serializer[Any]):
    """The drafts to send."""

    drafts = serializers.ListField(child=ChosenFollowUp(), min_length=1, max_length=draft_api.LISTED)


class SentFollowUpSerializer(serializers.Serializer[Any]):
    """What became of one draft."""

    key = serializers.CharField()
    sent = FollowUpSerializer(allow_null=True)
    refusal = serializers.CharField(help_text="Why it was not sent; empty where it was")


class SentFollowUpsSerializer(serializers.Serializer[Any]):
    """What became of each draft."""

    results = SentFollowUpSerializer(many=True)


class OfFollowUps(draft_api.DraftView):
    """Drafts to vendors."""

    kind = sending.KIND
    shape = FollowUpDraftSerializer
    message_shape = FollowUpSerializer
    chosen_shape = ChosenFollowUps
    words_shape = FollowUpWords

    def shown(self, found: list[Draft]) -> list[dict[str, Any]]:
        """Return the drafts as programs read them, with addresses in their Odoo."""
        connections = Connection.objects.in_bulk({draft.connection_id for draft in found})
        return list(FollowUpDraftSerializer(found, many=True, context={"connections": connections}).data)


class FollowUpDrafts(OfFollowUps):
    """What vendors are to be written."""

    @extend_schema(operation_id="follow_up_drafts_list", responses=FollowUpDraftsSerializer)
    def get(self, request: PersonsCall) -> Response:
        """List the drafts, one a vendor, at most 200, the one that owes longest first."""
        found = drafts.drafts(access.scope_of(request.user))[: draft_api.LISTED]
        return Response({"results": self.shown(found)})


@extend_schema_view(
    post=extend_schema(
        operation_id="follow_up_drafts_send_several",
        description="Have each of the vendors written to, once; one that is not says why and holds up no other.",
        request=ChosenFollowUps,
        responses=SentFollowUpsSerializer,
    )
)
class SendFollowUps(OfFollowUps, draft_api.SeveralDrafts):
    """Send several drafts."""


@extend_schema_view(
    get=extend_schema(responses=FollowUpDraftSerializer),
    put=extend_schema(
        description="Have it say something else as long as the vendor owes the same.",
        request=FollowUpWords,
        responses=FollowUpDraftSerializer,
    ),
)
class OneFollowUpDraft(OfFollowUps, draft_api.OneDraft):
    """One draft."""


@extend_schema_view(
    post=extend_schema(description="Have the vendor written to, once.", request=FollowUpMove, responses={201: FollowUpSerializer})
)
class SendFollowUpMove(OfFollowUps, draft_api.SendMove):
    """Send a draft."""


@extend_schema_view(
    post=extend_schema(description="Say that the vendor need not be written to.", request=FollowUpMove, responses={204: None})
)
class DismissFollowUpMove(OfFollowUps, draft_api.DismissMove):
    """Dismiss a draft."""


class FollowUps(draft_api.SentMessages):
    """What vendors were written, the newest first."""

    queryset = FollowUp.objects.none()
    serializer_class = FollowUpSerializer

    def get_queryset(self) -> Any:
        access_scope = access.scope_of(self.request.user)  # type: ignore[arg-type]
        return FollowUp.objects.filter(access_scope.of_records()).select_related("connection")

    @extend_schema(parameters=[OpenApiParameter(name, str) for name in draft_api.FILTERS])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List the messages."""
        return super().get(request, *arguments, **named)

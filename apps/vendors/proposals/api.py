"""REST: what vendors propose, and the links by which they answer."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access
from apps.accounts.permissions import may_work_exceptions
from apps.accounts.requests import PersonsCall
from apps.core import clock, sentences
from apps.core.rest import FilteredList, RecordRef, moment
from apps.odoo import request_scope
from apps.odoo.models import Connection
from apps.vendors.links import moves as links
from apps.vendors.links import tokens
from apps.vendors.models import Proposal, Status, VendorLink, VendorRule
from apps.vendors.proposals import lines, moves, queries, rules

ORDER = "purchase.order"


class PartSerializer(serializers.Serializer[Any]):
    """One delivery of what is still to come."""

    quantity = serializers.CharField()
    day = serializers.DateField()


class ProposedLineSerializer(serializers.Serializer[Any]):
    """Old and new of one line, in the line's own unit."""

    line = serializers.IntegerField(help_text="The line's id in Odoo")
    product = serializers.CharField()
    unit = serializers.CharField()
    old = serializers.DictField(help_text="quantity still to come, and day, as the order stands")
    parts = PartSerializer(many=True, help_text="What the vendor says instead; none where it cannot deliver")
    reason = serializers.CharField()


class ProposalSerializer(serializers.Serializer[Any]):
    """One proposal."""

    id = serializers.IntegerField()
    status = serializers.ChoiceField(Status.values)
    record = RecordRef()
    vendor = serializers.CharField()
    source = serializers.CharField(help_text="vendor-page, or the outside source")  # type: ignore[assignment]
    note = serializers.CharField()
    lines = ProposedLineSerializer(many=True, help_text="Those that change; none where everything comes as ordered")
    said_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.CharField()
    reply = serializers.CharField(help_text="The buyer's words to the vendor")
    problem = serializers.CharField(help_text="Why it is to be decided again, or lapsed")
    version = serializers.IntegerField(help_text="To be sent with a decision, so that nothing is decided unseen")

    def to_representation(self, proposal: Proposal) -> dict[str, Any]:
        problem = proposal.problem
        return {
            "id": proposal.pk,
            "status": proposal.status,
            "record": {
                "model": ORDER,
                "odoo_id": proposal.order_id,
                "name": proposal.order_name,
                "url": proposal.connection.record_url(ORDER, proposal.order_id),
            },
            "vendor": proposal.partner_name,
            "source": proposal.source,
            "note": proposal.note,
            "lines": [{**one.as_json(), "product": sentences.plain(one.product)} for one in lines.read(proposal.lines)],
            "said_at": moment(proposal.said_at),
            "decided_at": moment(proposal.decided_at),
            "decided_by": proposal.decided_by,
            "reply": proposal.reply,
            "problem": problem if isinstance(problem, str) else sentences.plain(problem) or "",
            "version": proposal.version,
        }


FILTERS = {
    "status": ("status", set(Status.values)),
    "odoo_id": ("order_id", int),
    "connection": ("connection__name", request_scope.names_connection),
    "company": ("company_id", int),
}


class Proposals(FilteredList):
    """Proposals, the newest first."""

    queryset = Proposal.objects.none()
    serializer_class = ProposalSerializer
    ordering = ("-said_at", "-id")
    filters = FILTERS

    def get_queryset(self) -> Any:
        return queries.proposals(access.scope_of(self.request.user))  # type: ignore[arg-type]

    @extend_schema(parameters=[OpenApiParameter(name, str) for name in FILTERS])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List proposals."""
        return super().get(request, *arguments, **named)


class OneProposal(APIView):
    """One proposal."""

    @extend_schema(responses=ProposalSerializer)
    def get(self, request: PersonsCall, proposal_id: int) -> Response:
        """Read the proposal."""
        return Response(ProposalSerializer(_visible(request, proposal_id)).data)


class ProposalDecision(serializers.Serializer[Any]):
    """A decision, with the version that it is about."""

    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class PushBackDecision(ProposalDecision):
    """What the vendor is to read."""

    words = serializers.CharField(max_length=moves.LONGEST_REPLY)
    days = serializers.IntegerField(
        min_value=1, max_value=links.MOST_DAYS, default=links.DAYS, help_text="How long the link is open"
    )


class BuyElsewhereDecision(ProposalDecision):
    """From whom to buy: options that the proposal's page offers, as product and vendor ids in Odoo: ``30-70``."""

    options = serializers.ListField(child=serializers.CharField(max_length=60), min_length=1, max_length=20)


class AcceptMove(APIView):
    """Accept a proposal."""

    @extend_schema(request=ProposalDecision, responses=ProposalSerializer)
    def post(self, request: PersonsCall, proposal_id: int) -> Response:
        """Have Odoo told what the vendor said."""
        _visible(request, proposal_id)
        given = _given(ProposalDecision, request)
        moves.accept(proposal_id, by=request.user, now=clock.now(), seen=given["version"])
        return Response(ProposalSerializer(_visible(request, proposal_id)).data)


class PushBackMove(APIView):
    """Push a proposal back."""

    @extend_schema(request=PushBackDecision, responses=ProposalSerializer)
    def post(self, request: PersonsCall, proposal_id: int) -> Response:
        """Have the vendor written to, with a new link to answer again."""
        _visible(request, proposal_id)
        given = _given(PushBackDecision, request)
        told: dict[str, Any] = {"words": given["words"], "days": given["days"], "seen": given["version"]}
        moves.push_back(proposal_id, by=request.user, now=clock.now(), **told)
        return Response(ProposalSerializer(_visible(request, proposal_id)).data)


class BuyElsewhereMove(APIView):
    """Buy elsewhere."""

    @extend_schema(request=BuyElsewhereDecision, responses=ProposalSerializer)
    def post(self, request: PersonsCall, proposal_id: int) -> Response:
        """Have requests for quotation drafted to other vendors."""
        _visible(request, proposal_id)
        given = _given(BuyElsewhereDecision, request)
        options = given["options"]
        moves.buy_elsewhere(proposal_id, options=options, by=request.user, now=clock.now(), seen=given["version"])
        return Response(ProposalSerializer(_visible(request, proposal_id)).data)


class VendorLinkSerializer(serializers.Serializer[Any]):
    """One link of a vendor."""

    id = serializers.UUIDField()
    connection = serializers.CharField()
    company = serializers.IntegerField(help_text="The company's id in Odoo")
    vendor = serializers.CharField()
    partner = serializers.IntegerField(help_text="The vendor's id in Odoo")
    address = serializers.CharField(help_text="What the vendor opens; empty where it is closed, or the caller may make none")
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()
    expires_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, link: VendorLink) -> dict[str, Any]:
        is_shown = link.is_open(clock.now()) and may_work_exceptions(self.context["request"].user)
        return {
            "id": str(link.pk),
            "connection": link.connection.name,
            "company": link.company_id,
            "vendor": link.partner_name,
            "partner": link.partner_id,
            "address": tokens.address_of(link) if is_shown else "",
            "created_at": moment(link.created_at),
            "created_by": link.created_by,
            "expires_at": moment(link.expires_at),
            "revoked_at": moment(link.revoked_at),
        }


class NewVendorLink(serializers.Serializer[Any]):
    """A purchase order, whose vendor gets a link to all that is open with it in the order's company."""

    connection = serializers.CharField(max_length=60)
    order = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="The purchase order's id in Odoo")
    days = serializers.IntegerField(min_value=1, max_value=links.MOST_DAYS, default=links.DAYS)
    message = serializers.CharField(max_length=links.LONGEST_MESSAGE, allow_blank=True, default="")


LINK_FILTERS = {
    "connection": ("connection__name", request_scope.names_connection),
    "company": ("company_id", int),
    "partner": ("partner_id", int),
}


class VendorLinks(FilteredList):
    """Links of vendors, the newest first."""

    queryset = VendorLink.objects.none()
    serializer_class = VendorLinkSerializer
    ordering = ("-created_at", "-id")
    filters = LINK_FILTERS

    def get_queryset(self) -> Any:
        return queries.links(access.scope_of(self.request.user))  # type: ignore[arg-type]

    @extend_schema(parameters=[OpenApiParameter(name, str) for name in LINK_FILTERS])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List links of vendors."""
        return super().get(request, *arguments, **named)

    @extend_schema(request=NewVendorLink, responses={201: VendorLinkSerializer})
    def post(self, request: PersonsCall) -> Response:
        """Make a link."""
        given = _given(NewVendorLink, request)
        mine = access.scope_of(request.user)
        of = get_object_or_404(Connection.objects.filter(mine.of_connections()), name=given["connection"])
        told: dict[str, Any] = {"days": given["days"], "message": given["message"]}
        link = links.create(of, given["order"], by=request.user, now=clock.now(), **told)
        return Response(VendorLinkSerializer(link, context={"request": request}).data, status=201)


class RevokeVendorLink(APIView):
    """Revoke a link."""

    @extend_schema(request=None, responses=VendorLinkSerializer)
    def post(self, request: PersonsCall, link_id: UUID) -> Response:
        """Close the link for good."""
        get_object_or_404(queries.links(access.scope_of(request.user)), pk=link_id)
        link = links.revoke(link_id, by=request.user, now=clock.now())
        return Response(VendorLinkSerializer(link, context={"request": request}).data)


class VendorRuleSerializer(serializers.Serializer[Any]):
    """Which dates of a vendor a company accepts without a person."""

    connection = serializers.CharField(max_length=60)
    company = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="The company's id in Odoo")
    partner = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="The vendor's id in Odoo, or an address's")
    accepts_earlier = serializers.BooleanField()
    accepts_later = serializers.BooleanField(help_text="Within vendor_later_days, where no sales order waits")
    vendor = serializers.CharField(read_only=True)
    changed_at = serializers.DateTimeField(read_only=True)
    changed_by = serializers.CharField(read_only=True)

    def to_representation(self, rule: VendorRule) -> dict[str, Any]:
        return {
            "connection": rule.connection.name,
            "company": rule.company_id,
            "partner": rule.partner_id,
            "accepts_earlier": rule.accepts_earlier,
            "accepts_later": rule.accepts_later,
            "vendor": rule.partner_name,
            "changed_at": moment(rule.changed_at),
            "changed_by": rule.changed_by,
        }


class VendorRules(FilteredList):
    """Vendors of whom some dates are, or were, accepted without a person."""

    queryset = VendorRule.objects.none()
    serializer_class = VendorRuleSerializer
    ordering = ("partner_name", "id")
    filters = LINK_FILTERS

    def get_queryset(self) -> Any:
        return queries.rules(access.scope_of(self.request.user))  # type: ignore[arg-type]

    @extend_schema(parameters=[OpenApiParameter(name, str) for name in LINK_FILTERS])
    def get(self, request: Any, *arguments: Any, **named: Any) -> Response:
        """List the vendors."""
        return super().get(request, *arguments, **named)

    @extend_schema(request=VendorRuleSerializer, responses=VendorRuleSerializer)
    def post(self, request: PersonsCall) -> Response:
        """Say which dates of a vendor are accepted without a person."""
        given = _given(VendorRuleSerializer, request)
        mine = access.scope_of(request.user)
        of = get_object_or_404(Connection.objects.filter(mine.of_connections()), name=given["connection"])
        chosen = {"earlier": given["accepts_earlier"], "later": given["accepts_later"]}
        rule = rules.switch(of, given["company"], given["partner"], by=request.user, now=clock.now(), **chosen)
        return Response(VendorRuleSerializer(rule).data)


def _visible(request: PersonsCall, proposal_id: int) -> Proposal:
    return get_object_or_404(queries.proposals(access.scope_of(request.user)), pk=proposal_id)


def _given(shape: type[serializers.Serializer[Any]], request: PersonsCall) -> dict[str, Any]:
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)

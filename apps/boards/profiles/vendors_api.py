"""A vendor over the API."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access
from apps.accounts.requests import PersonsCall
from apps.boards.profiles import vendors
from apps.boards.profiles.shapes import CurrencyTotalSerializer, SpreadSerializer, connections_named, spread
from apps.boards.profiles.vendors import Share
from apps.core import clock
from apps.core.rest import RecordRef, moment, money


class ShareSerializer(serializers.Serializer[Any]):
    """How many of a sample met something; without a sample there is no share."""

    n = serializers.IntegerField()
    met = serializers.IntegerField()
    percent = serializers.FloatField(allow_null=True)


class VendorOrderSerializer(RecordRef):
    """An open purchase order with what it puts at risk."""

    stage = serializers.CharField()
    amount = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    expected_at = serializers.CharField(allow_null=True, help_text="The next day on which something of it is expected")
    is_late = serializers.BooleanField()
    orders_at_risk = serializers.IntegerField()
    revenue_at_risk = serializers.CharField(help_text="In the same currency")


class VendorPricesSerializer(serializers.Serializer[Any]):
    """Posted bills of a year in the currency of companies, against the prices ordered."""

    currency = serializers.CharField()
    bills = serializers.IntegerField()
    differing = serializers.IntegerField()
    amount = serializers.CharField(help_text="Above the prices ordered; below zero, below them")


class VendorSerializer(serializers.Serializer[Any]):
    """A vendor: the commercial entity with all its addresses."""

    connection = serializers.CharField()
    odoo_id = serializers.IntegerField(help_text="The commercial entity, whatever address was asked for")
    name = serializers.CharField()
    url = serializers.CharField()
    is_active = serializers.BooleanField(help_text="False: archived in Odoo")
    is_customer = serializers.BooleanField()
    on_time = ShareSerializer()
    in_full = ShareSerializer()
    otif = ShareSerializer()
    receipt_days_beyond_plan = SpreadSerializer()
    lead_time_days = SpreadSerializer()
    confirmation_days = SpreadSerializer()
    lines_moved = ShareSerializer(help_text="Lines whose planned date moved after the confirmation")
    date_changes = serializers.IntegerField(help_text="How often those dates moved")
    days_moved = SpreadSerializer()
    price_difference_percent = SpreadSerializer()
    prices = VendorPricesSerializer(many=True)
    open_orders = CurrencyTotalSerializer(many=True)
    orders = VendorOrderSerializer(many=True, help_text=f"The first {vendors.ORDERS}")
    exceptions = serializers.ListField(child=serializers.IntegerField(), help_text="Ids of unresolved cases")
    approvals = serializers.ListField(child=serializers.IntegerField(), help_text="Ids of pending requests")
    proposals = serializers.ListField(child=serializers.IntegerField(), help_text=f"Ids of the newest {vendors.SHOWN}")


class Vendor(APIView):
    """One vendor."""

    @extend_schema(responses=VendorSerializer, parameters=[OpenApiParameter("connection", str)])
    def get(self, request: PersonsCall, odoo_id: int) -> Response:
        """On time, in full, lead and confirmation time, moved dates, price differences, open orders and what waits of a vendor."""
        mine = access.scope_of(request.user)
        found = (vendors.vendor_of(one, odoo_id, access_scope=mine, now=clock.now()) for one in connections_named(request, mine))
        page = next((one for one in found if one), None)
        if page is None:
            raise Http404(f"There is no partner {odoo_id}. Check the number, or sync its connection.")
        return Response(_told(page))


def _share(one: Share) -> dict[str, Any]:
    return {"n": one.n, "met": one.met, "percent": None if one.percent is None else float(one.percent)}


def _told(page: vendors.VendorPage) -> dict[str, Any]:
    family, connection = page.family, page.family.connection
    return {
        "connection": connection.name,
        "odoo_id": family.odoo_id,
        "name": family.name,
        "url": family.odoo_url,
        "is_active": family.is_active,
        "is_customer": page.is_customer,
        "on_time": _share(page.on_time),
        "in_full": _share(page.in_full),
        "otif": _share(page.otif),
        "receipt_days_beyond_plan": spread(page.late),
        "lead_time_days": spread(page.lead),
        "confirmation_days": spread(page.confirmed),
        "lines_moved": _share(page.moved),
        "date_changes": page.moves_count,
        "days_moved": spread(page.moved_days),
        "price_difference_percent": spread(page.price_percent),
        "prices": [
            {
                "currency": one.currency,
                "bills": one.bills,
                "differing": one.differing,
                "amount": money(one.amount, one.currency),
            }
            for one in page.prices
        ],
        "open_orders": [{"currency": code, "count": n, "amount": money(amount, code)} for code, n, amount in page.totals],
        "orders": [
            {
                "model": "purchase.order",
                "odoo_id": one.odoo_id,
                "name": one.name,
                "url": connection.record_url("purchase.order", one.odoo_id),
                "stage": one.stage,
                "amount": money(one.amount, one.currency),
                "currency": one.currency,
                "expected_at": moment(one.expected_at),
                "is_late": one.is_late,
                "orders_at_risk": one.orders_count,
                "revenue_at_risk": money(one.revenue, one.currency),
            }
            for one in page.orders
        ],
        "exceptions": [case.pk for case, _ in page.cases],
        "approvals": [ask.pk for ask, _ in page.requests],
        "proposals": [row.proposal.pk for row in page.proposals],
    }

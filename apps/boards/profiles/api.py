"""A customer over the API."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access
from apps.accounts.requests import PersonsCall
from apps.boards.profiles import customers
from apps.boards.profiles.shapes import CurrencyTotalSerializer, SpreadSerializer, connections_named, spread
from apps.core import clock
from apps.core.rest import RecordRef, moment, money


class CustomerCreditSerializer(serializers.Serializer[Any]):
    """What a customer may owe to a company with its branches, and owes."""

    company_id = serializers.IntegerField()
    company = serializers.CharField()
    currency = serializers.CharField()
    credit_limit = serializers.CharField(help_text="0 is no limit")
    open_invoices = serializers.CharField()
    draft_invoices = serializers.CharField()
    open_orders = serializers.CharField(help_text="What confirmed orders leave to be invoiced")
    exposure = serializers.CharField()
    overdue = serializers.CharField()
    overdue_days = serializers.IntegerField(help_text="Of the oldest")


class CustomerOrderSerializer(RecordRef):
    """An open sales order with its promise."""

    stage = serializers.CharField()
    amount = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    promised_at = serializers.CharField(allow_null=True)
    forecast_at = serializers.CharField(allow_null=True)
    late_days = serializers.IntegerField()
    is_at_risk = serializers.BooleanField()


class CustomerHabitSerializer(serializers.Serializer[Any]):
    """What was ordered within a year, in the currency of companies."""

    currency = serializers.CharField()
    orders = serializers.IntegerField()
    untaxed = serializers.CharField()
    first_order = serializers.CharField()
    last_order = serializers.CharField()


class UsualProductSerializer(serializers.Serializer[Any]):
    """A product that it orders, in the product's own unit."""

    odoo_id = serializers.IntegerField()
    name = serializers.CharField()
    orders = serializers.IntegerField()
    quantity = serializers.CharField()
    unit = serializers.CharField()


class CustomerSerializer(serializers.Serializer[Any]):
    """A customer: the commercial entity with all its addresses."""

    connection = serializers.CharField()
    odoo_id = serializers.IntegerField(help_text="The commercial entity, whatever address was asked for")
    name = serializers.CharField()
    url = serializers.CharField()
    is_active = serializers.BooleanField(help_text="False: archived in Odoo")
    is_vendor = serializers.BooleanField()
    credit = CustomerCreditSerializer(many=True)
    open_orders = CurrencyTotalSerializer(many=True)
    orders = CustomerOrderSerializer(many=True, help_text=f"The first {customers.ORDERS}")
    exceptions = serializers.ListField(child=serializers.IntegerField(), help_text="Ids of unresolved cases")
    approvals = serializers.ListField(child=serializers.IntegerField(), help_text="Ids of pending requests")
    habits = CustomerHabitSerializer(many=True)
    usual_products = UsualProductSerializer(many=True)
    days_between_orders = SpreadSerializer()
    payment_days_beyond_terms = SpreadSerializer()
    delivery_days_beyond_deadline = SpreadSerializer()


class Customer(APIView):
    """One customer."""

    @extend_schema(responses=CustomerSerializer, parameters=[OpenApiParameter("connection", str)])
    def get(self, request: PersonsCall, odoo_id: int) -> Response:
        """Limit, exposure, overdue, open orders with promises, cases, approvals, habits and on-time history of a customer."""
        mine = access.scope_of(request.user)
        found = (
            customers.customer_of(one, odoo_id, access_scope=mine, now=clock.now()) for one in connections_named(request, mine)
        )
        page = next((one for one in found if one), None)
        if page is None:
            raise Http404(f"There is no partner {odoo_id}. Check the number, or sync its connection.")
        return Response(_told(page))


def _told(page: customers.CustomerPage) -> dict[str, Any]:
    family, connection = page.family, page.family.connection
    sums = ("credit_limit", "open_invoices", "draft_invoices", "open_orders", "exposure", "overdue")
    return {
        "connection": connection.name,
        "odoo_id": family.odoo_id,
        "name": family.name,
        "url": family.odoo_url,
        "is_active": family.is_active,
        "is_vendor": page.is_vendor,
        "credit": [
            {"company_id": one.company_id, "company": one.company, "currency": one.currency, "overdue_days": one.overdue_days}
            | {name: money(getattr(one, name), one.currency) for name in sums}
            for one in page.credit
        ],
        "open_orders": [{"currency": code, "count": n, "amount": money(amount, code)} for code, n, amount in page.totals],
        "orders": [
            {
                "model": "sale.order",
                "odoo_id": one.odoo_id,
                "name": one.name,
                "url": connection.record_url("sale.order", one.odoo_id),
                "stage": one.stage,
                "amount": money(one.amount, one.currency),
                "currency": one.currency,
                "promised_at": moment(one.promised_at),
                "forecast_at": moment(one.forecast_at),
                "late_days": one.late_days,
                "is_at_risk": one.is_at_risk,
            }
            for one in page.orders
        ],
        "exceptions": [case.pk for case, _ in page.cases],
        "approvals": [ask.pk for ask, _ in page.requests],
        "habits": [
            {
                "currency": one.currency,
                "orders": one.orders,
                "untaxed": money(one.untaxed, one.currency),
                "first_order": moment(one.first_order),
                "last_order": moment(one.last_order),
            }
            for one in page.habits
        ],
        "usual_products": [
            {
                "odoo_id": one.odoo_id,
                "name": one.name,
                "orders": one.orders,
                "quantity": f"{one.quantity.normalize():f}",
                "unit": one.unit,
            }
            for one in page.usual
        ],
        "days_between_orders": spread(page.between),
        "payment_days_beyond_terms": spread(page.paid),
        "delivery_days_beyond_deadline": spread(page.delivered),
    }

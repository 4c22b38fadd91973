"""A product over the API."""

from decimal import Decimal
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access
from apps.accounts.requests import PersonsCall
from apps.boards.profiles import products
from apps.boards.profiles.shapes import connections_named
from apps.core import clock
from apps.core.rest import RecordRef, moment


class ProductStockSerializer(serializers.Serializer[Any]):
    """What of a product is in a warehouse."""

    warehouse_id = serializers.IntegerField()
    warehouse = serializers.CharField()
    on_hand = serializers.CharField()
    reserved = serializers.CharField()
    free = serializers.CharField()


class ProductDaySerializer(serializers.Serializer[Any]):
    """What is left at the end of a day; below zero, orders wait."""

    day = serializers.DateField()
    left = serializers.CharField()


class ProductCurveSerializer(serializers.Serializer[Any]):
    """The projected stock in a warehouse, on the days on which it moves."""

    warehouse_id = serializers.IntegerField()
    warehouse = serializers.CharField()
    short_from = serializers.DateField(allow_null=True, help_text="The first day that ends below zero")
    days = ProductDaySerializer(many=True)


class ProductWaitingSerializer(RecordRef):
    """A sales order that waits for the product, or for the kit by its components."""

    customer_id = serializers.IntegerField()
    customer = serializers.CharField()
    quantity = serializers.CharField(help_text="What it lacks; of a kit, in sets")
    kits = serializers.CharField(help_text='The kits of which it is a component there, else ""')
    promised_at = serializers.CharField(allow_null=True)
    forecast_at = serializers.CharField(allow_null=True)
    late_days = serializers.IntegerField()
    is_at_risk = serializers.BooleanField()


class ProductSupplySerializer(serializers.Serializer[Any]):
    """A purchase line or transfer that is to bring the product."""

    purchase_order_id = serializers.IntegerField(allow_null=True, help_text="Null of a transfer")
    name = serializers.CharField()
    vendor_id = serializers.IntegerField(allow_null=True)
    vendor = serializers.CharField()
    warehouse = serializers.CharField()
    expected_at = serializers.CharField(allow_null=True)
    quantity = serializers.CharField()
    free = serializers.CharField(help_text="What of it is promised to no certain order")


class ProductPriceSerializer(serializers.Serializer[Any]):
    """What a vendor asks for the product today."""

    vendor_id = serializers.IntegerField()
    vendor = serializers.CharField()
    price = serializers.CharField(allow_null=True, help_text="In the vendor's currency, by the vendor's unit")
    discount = serializers.CharField(help_text="In percent")
    currency = serializers.CharField()
    least = serializers.CharField()
    unit = serializers.CharField()
    lead_days = serializers.IntegerField()


class ProductSerializer(serializers.Serializer[Any]):
    """A product; quantities are in its own unit."""

    connection = serializers.CharField()
    odoo_id = serializers.IntegerField()
    name = serializers.CharField()
    code = serializers.CharField()
    url = serializers.CharField()
    is_active = serializers.BooleanField(help_text="False: archived in Odoo")
    unit = serializers.CharField()
    stock = ProductStockSerializer(many=True)
    curves = ProductCurveSerializer(many=True)
    waiting_count = serializers.IntegerField()
    waiting = ProductWaitingSerializer(many=True, help_text=f"The first {products.MOST}")
    supplies_count = serializers.IntegerField()
    supplies = ProductSupplySerializer(many=True, help_text=f"The first {products.MOST}")
    prices = ProductPriceSerializer(many=True)


class Product(APIView):
    """One product."""

    @extend_schema(responses=ProductSerializer, parameters=[OpenApiParameter("connection", str)])
    def get(self, request: PersonsCall, odoo_id: int) -> Response:
        """Stock now and projected, who waits, what is to come, and vendors' prices of a product (``product.product``)."""
        mine = access.scope_of(request.user)
        found = (products.product_of(one, odoo_id, access_scope=mine, now=clock.now()) for one in connections_named(request, mine))
        page = next((one for one in found if one), None)
        if page is None:
            raise Http404(f"There is no product {odoo_id}. Check the number, or sync its connection.")
        return Response(_told(page))


def _quantity(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _told(page: products.ProductPage) -> dict[str, Any]:
    connection = page.connection
    return {
        "connection": connection.name,
        "odoo_id": page.odoo_id,
        "name": page.name,
        "code": page.code,
        "url": page.odoo_url,
        "is_active": page.is_active,
        "unit": page.unit,
        "stock": [
            {"warehouse_id": one.odoo_id, "warehouse": one.warehouse}
            | {name: _quantity(getattr(one, name)) for name in ("on_hand", "reserved", "free")}
            for one in page.stock
        ],
        "curves": [
            {
                "warehouse_id": one.warehouse_id,
                "warehouse": one.warehouse,
                "short_from": one.short_before,
                "days": [{"day": day, "left": _quantity(left)} for day, left, _ in one.points],
            }
            for one in page.curves
        ],
        "waiting_count": page.waiting_count,
        "waiting": [
            {
                "model": "sale.order",
                "odoo_id": one.order.odoo_id,
                "name": one.order.name,
                "url": connection.record_url("sale.order", one.order.odoo_id),
                "customer_id": one.order.customer_id,
                "customer": one.order.customer,
                "quantity": _quantity(one.order.quantity),
                "kits": one.order.kits,
                "promised_at": moment(one.order.promised_at),
                "forecast_at": moment(one.forecast.forecast_at),
                "late_days": one.forecast.late_days,
                "is_at_risk": one.forecast.is_at_risk,
            }
            for one in page.waiting
        ],
        "supplies_count": page.supplies_count,
        "supplies": [
            {
                "purchase_order_id": one.order_id or None,
                "name": one.name,
                "vendor_id": one.vendor_id or None,
                "vendor": one.vendor,
                "warehouse": one.warehouse,
                "expected_at": moment(one.planned_at),
                "quantity": _quantity(one.quantity),
                "free": _quantity(one.free),
            }
            for one in page.supplies
        ],
        "prices": [
            {
                "vendor_id": one.odoo_id,
                "vendor": one.vendor,
                "price": None if one.price is None else _quantity(one.price),
                "discount": _quantity(one.discount),
                "currency": one.currency,
                "least": _quantity(one.least),
                "unit": one.unit,
                "lead_days": one.lead_days,
            }
            for one in page.prices
        ],
    }

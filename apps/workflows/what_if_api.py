"""REST: what a change would do, before it is made."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils import translation
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access
from apps.accounts.models import Scope as TokenScope
from apps.accounts.requests import PersonsCall
from apps.core import clock
from apps.core.rest import RecordRef, moment, money
from apps.odoo.models import Connection
from apps.workflows import changes, what_if, what_if_checks
from apps.workflows.changes import Change
from apps.workflows.stock_curve import Curve
from apps.workflows.what_if import ChangedOrder

LONGEST_ID = 2**53
MOST_PARTS = 100
# Of each type of change: the fields that it takes, those that it may lack, and what it is made of them.
TYPES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], Callable[[Mapping[str, Any]], Change]]] = {
    "new_date": (("line", "at"), (), lambda one: changes.NewDate(line_id=one["line"], at=one["at"])),
    "new_quantity": (
        ("line", "quantity"),
        (),
        lambda one: changes.NewQuantity(line_id=one["line"], quantity=one["quantity"]),
    ),
    "cancelled_line": (("line",), (), lambda one: changes.CancelledLine(line_id=one["line"])),
    "split": (
        ("line", "parts"),
        (),
        lambda one: changes.Split(line_id=one["line"], parts=[changes.Part(**part) for part in one["parts"]]),
    ),
    "other_vendor": (
        ("product", "vendor", "quantity", "at", "warehouse"),
        ("company", "instead_of"),
        lambda one: changes.OtherVendor(
            product_id=one["product"],
            vendor_id=one["vendor"],
            quantity=one["quantity"],
            at=one["at"],
            warehouse_id=one["warehouse"],
            company_id=one.get("company"),
            instead_of=one.get("instead_of"),
        ),
    ),
    "transfer": (
        ("product", "from_warehouse", "to_warehouse", "quantity", "at"),
        (),
        lambda one: changes.Transfer(
            product_id=one["product"],
            from_warehouse=one["from_warehouse"],
            to_warehouse=one["to_warehouse"],
            quantity=one["quantity"],
            at=one["at"],
        ),
    ),
    "released_hold": (("order",), (), lambda one: changes.ReleasedHold(order_id=one["order"])),
    "new_promise": (("order", "at"), (), lambda one: changes.NewPromise(order_id=one["order"], at=one["at"])),
}


FIGURES = (
    "sentence",
    "has_impact",
    "orders_count",
    "customers_count",
    "newly_at_risk",
    "relieved",
    "newly_short",
    "supplied",
    "later",
    "earlier",
    "evaluated",
    "is_cut",
)


def _number(meaning: str) -> Any:
    return serializers.IntegerField(min_value=1, max_value=LONGEST_ID, required=False, help_text=meaning)


def _amount(meaning: str, *, required: bool = False) -> Any:
    return serializers.DecimalField(max_digits=18, decimal_places=6, min_value=0, required=required, help_text=meaning)


class PartGiven(serializers.Serializer[Any]):
    """One delivery of a line that is split."""

    quantity = _amount("In the line's unit", required=True)
    at = serializers.DateTimeField()


class ChangeGiven(serializers.Serializer[Any]):
    """One change; which fields it takes follows from its type."""

    type = serializers.ChoiceField(choices=list(TYPES))
    line = _number("purchase.order.line")
    order = _number("sale.order")
    product = _number("product.product")
    vendor = _number("res.partner")
    warehouse = _number("stock.warehouse, where what another vendor brings arrives")
    from_warehouse = _number("stock.warehouse")
    to_warehouse = _number("stock.warehouse")
    company = _number("res.company that buys")
    instead_of = _number("purchase.order.line of which the rest is cancelled")
    quantity = _amount("In the unit of the line; without a line, in the product's own")
    at = serializers.DateTimeField(required=False)
    parts = serializers.ListField(
        child=PartGiven(),
        required=False,
        max_length=MOST_PARTS,
        help_text="What the line has still to bring; the rest does not come",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what the type lacks, and what it does not take."""
        needs, may, _ = TYPES[attrs["type"]]
        problems = {name: "This is needed." for name in needs if name not in attrs}
        problems |= {name: f"A {attrs['type']} has none." for name in attrs if name not in {"type", *needs, *may}}
        if problems:
            raise serializers.ValidationError({name: [said] for name, said in problems.items()})
        return attrs


class WhatIfGiven(serializers.Serializer[Any]):
    """Changes that are made together."""

    connection = serializers.CharField(max_length=50)
    changes = serializers.ListField(child=ChangeGiven(), allow_empty=False, max_length=what_if_checks.MOST_CHANGES)


class AmountSerializer(serializers.Serializer[Any]):
    """An amount in one currency."""

    currency = serializers.CharField()
    amount = serializers.CharField()


class ChangedOrderSerializer(RecordRef):
    """A sales order that would be delivered at another time, or come to be or stop being short or at risk."""

    customer = serializers.CharField()
    promised_at = serializers.DateTimeField(allow_null=True)
    forecast_before = serializers.DateTimeField(allow_null=True)
    forecast_after = serializers.DateTimeField(allow_null=True)
    days = serializers.IntegerField(allow_null=True, help_text="By how many days the delivery moves; below zero: earlier")
    late_days_before = serializers.IntegerField()
    late_days_after = serializers.IntegerField()
    is_at_risk_before = serializers.BooleanField()
    is_at_risk_after = serializers.BooleanField()
    is_short_before = serializers.BooleanField()
    is_short_after = serializers.BooleanField()
    revenue = serializers.CharField(help_text="Untaxed value of what is not delivered, in the company's currency")
    currency = serializers.CharField()


class PointSerializer(serializers.Serializer[Any]):
    """What is left at the end of a day."""

    day = serializers.DateField()
    before = serializers.CharField()
    after = serializers.CharField()


class CurveSerializer(serializers.Serializer[Any]):
    """The projected stock of a product in a warehouse; below zero, orders wait."""

    product = serializers.CharField()
    product_id = serializers.IntegerField()
    unit = serializers.CharField()
    warehouse = serializers.CharField()
    warehouse_id = serializers.IntegerField()
    short_before = serializers.DateField(allow_null=True, help_text="The first day that ends below zero")
    short_after = serializers.DateField(allow_null=True)
    points = PointSerializer(many=True)


class WhatIfSerializer(serializers.Serializer[Any]):
    """What the changes would do."""

    sentence = serializers.CharField()
    has_impact = serializers.BooleanField()
    orders_count = serializers.IntegerField()
    customers_count = serializers.IntegerField()
    revenue = AmountSerializer(many=True, help_text="Of all orders that change")
    newly_at_risk = serializers.IntegerField(help_text="Orders whose promise comes to be at risk")
    revenue_newly_at_risk = AmountSerializer(many=True)
    relieved = serializers.IntegerField(help_text="Orders whose promise can be kept again")
    newly_short = serializers.IntegerField()
    supplied = serializers.IntegerField()
    later = serializers.IntegerField()
    earlier = serializers.IntegerField()
    evaluated = serializers.IntegerField()
    is_cut = serializers.BooleanField(help_text=f"Whether more than {what_if.MOST_ORDERS} orders are reached")
    orders = ChangedOrderSerializer(many=True, help_text=f"The newly at risk first; at most {what_if.NAMED}")
    curves = CurveSerializer(many=True, help_text="Of the products and warehouses that change most")


class WhatIf(APIView):
    """Trying a change before it is made."""

    # It changes nothing: a POST for its body alone.
    scope = TokenScope.READ

    @extend_schema(request=WhatIfGiven, responses=WhatIfSerializer)
    def post(self, request: PersonsCall) -> Response:
        """Say which sales orders the changes would touch, by how many days, and how the stock would run. Odoo is not asked."""
        given = WhatIfGiven(data=request.data)
        given.is_valid(raise_exception=True)
        data, mine = given.validated_data, access.scope_of(request.user)
        name = data["connection"]
        connection = None if "\x00" in name else Connection.objects.filter(mine.of_connections(), name=name).first()
        if connection is None:
            raise ValidationError({"connection": ["There is no such connection."]})
        wanted = [TYPES[one["type"]][2](one) for one in data["changes"]]
        with translation.override("en"):
            found = what_if.preview(connection.pk, wanted, now=clock.now(), access_scope=mine)
            figures = {name: getattr(found, name) for name in FIGURES}
        return Response(
            {
                **figures,
                "revenue": _amounts(found.revenue),
                "revenue_newly_at_risk": _amounts(found.revenue_newly_at_risk),
                "orders": [_order(connection, one) for one in found.orders],
                "curves": [_curve(one) for one in found.curves],
            }
        )


def _amounts(amounts: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"currency": currency, "amount": money(amount, currency)} for currency, amount in amounts.items()]


def _order(connection: Connection, one: ChangedOrder) -> dict[str, Any]:
    plain = ("odoo_id", "name", "customer", "days", "late_days_before", "late_days_after", "currency")
    flags = ("is_at_risk_before", "is_at_risk_after", "is_short_before", "is_short_after")
    return {
        "model": "sale.order",
        "url": connection.record_url("sale.order", one.odoo_id),
        **{name: getattr(one, name) for name in (*plain, *flags)},
        **{name: moment(getattr(one, name)) for name in ("promised_at", "forecast_before", "forecast_after")},
        "revenue": money(one.revenue, one.currency),
    }


def _curve(one: Curve) -> dict[str, Any]:
    names = ("product", "product_id", "unit", "warehouse", "warehouse_id", "short_before", "short_after")
    return {
        **{name: getattr(one, name) for name in names},
        "points": [
            {"day": day, "before": f"{before.normalize():f}", "after": f"{after.normalize():f}"}
            for day, before, after in one.points
        ],
    }

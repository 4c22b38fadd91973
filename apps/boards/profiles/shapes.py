"""What the API says of customers, vendors and products alike."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from apps.accounts.access import AccessScope
from apps.accounts.requests import PersonsCall
from apps.boards.profiles.spread import Spread
from apps.odoo.models import Connection


class SpreadBinSerializer(serializers.Serializer[Any]):
    """How many fall into one range."""

    title = serializers.CharField()
    count = serializers.IntegerField()


class SpreadSerializer(serializers.Serializer[Any]):
    """A distribution with its sample; without one there are no figures."""

    n = serializers.IntegerField()
    unit = serializers.ChoiceField(choices=["days", "percent"])
    least = serializers.FloatField(allow_null=True)
    median = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True)
    most = serializers.FloatField(allow_null=True)
    bins = SpreadBinSerializer(many=True)


class CurrencyTotalSerializer(serializers.Serializer[Any]):
    """All open orders in one currency."""

    currency = serializers.CharField()
    count = serializers.IntegerField()
    amount = serializers.CharField()


def spread(one: Spread) -> dict[str, Any]:
    """Return a distribution as the API says it."""
    bins = [{"title": title, "count": count} for title, count in one.bins]
    values = {name: getattr(one, name) for name in ("least", "median", "p95", "most")}
    told = {name: value if value is None or isinstance(value, int) else float(value) for name, value in values.items()}
    return {"n": one.n, "unit": "percent" if one.unit == "%" else "days", "bins": bins} | told


def connections_named(request: PersonsCall, access_scope: AccessScope) -> Iterable[Connection]:
    """Return the connections in sight, or the one that the call names.

    Raises:
        ValidationError: the name can be none.
    """
    connections = Connection.objects.filter(access_scope.of_connections()).order_by("id")
    if name := request.query_params.get("connection"):
        if "\x00" in name:
            raise ValidationError({"connection": ["This holds a NUL character."]})
        connections = connections.filter(name=name)
    return connections

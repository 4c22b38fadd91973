"""What the REST views of all apps share: references, times, and lists that refuse filters they do not know."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rest_framework import generics, serializers
from rest_framework.exceptions import ValidationError

from apps.core.currencies import digits_of

PAGING = {"cursor", "page_size", "format"}
SHOWN = 60


def moment(at: datetime | None) -> str | None:
    """ISO 8601 in UTC with Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def money(amount: Decimal | None, currency: str = "") -> str | None:
    """An amount as text with the currency's own decimals, so that no digit is lost: "12.50", "1.125", "60000"."""
    return None if amount is None else f"{amount:.{digits_of(currency)}f}"


class RecordRef(serializers.Serializer[Any]):
    """A reference to a record of Odoo."""

    model = serializers.CharField()
    odoo_id = serializers.IntegerField()
    name = serializers.CharField()
    url = serializers.CharField(help_text="The record in Odoo's own web client")


class EvidenceFigure(serializers.Serializer[Any]):
    """A figure of evidence or context, with what it is called and counts in."""

    name = serializers.CharField(help_text="Its name in evidence or context")
    label = serializers.CharField(help_text="What people call it, in English")  # type: ignore[assignment]
    value = serializers.JSONField(help_text="As in evidence or context", allow_null=True)
    unit = serializers.CharField(
        help_text="The currency's code, the product's unit of measure, %, d or h; null where it has none", allow_null=True
    )


class FilteredList(generics.ListAPIView[Any]):
    """A list whose query parameters are the names in ``filters``; another parameter, or a value that cannot be, is a 400.

    Attributes:
        filters: parameter → lookup of the queryset (or a function that narrows it), or a tuple of lookup and allowed values:
            a collection, ``int``, or a function of the value and the request that returns True for a known value.
        ordering: a unique order, for the cursor.
    """

    filters: dict[str, Any] = {}
    ordering: tuple[str, ...] = ("-id",)

    def filter_queryset(self, queryset: Any) -> Any:
        unknown = set(self.request.query_params) - set(self.filters) - PAGING
        if unknown:
            known = ", ".join(sorted(self.filters)) or "none"
            raise ValidationError({name: [f"There is no such filter; there is: {known}."] for name in sorted(unknown)})
        for name, rule in self.filters.items():
            value: Any = self.request.query_params.get(name)
            if value is None:
                continue
            lookup, allowed = rule if isinstance(rule, tuple) else (rule, None)
            if allowed is int:
                if not value.isascii() or not value.isdecimal() or int(value) >= 2**63:
                    raise ValidationError({name: ["This must be a whole number."]})
                value = int(value)
            elif "\x00" in value:
                raise ValidationError({name: ["This holds a NUL character."]})
            elif callable(allowed):
                if not allowed(value, self.request):
                    raise ValidationError({name: [f"There is no {name} {value[:SHOWN]!r}."]})
            elif allowed is not None and value not in allowed:
                raise ValidationError({name: [f"This must be one of: {', '.join(sorted(allowed))}."]})
            elif isinstance(allowed, dict):
                value = allowed[value]
            queryset = lookup(queryset, value) if callable(lookup) else queryset.filter(**{lookup: value})
        return queryset

"""What the customer of an order is told, on the pages that other apps own."""

from typing import Any

from django import template

from apps.accounts import access
from apps.customers import queries
from apps.customers.models import NewDate

register = template.Library()


@register.simple_tag(takes_context=True)
def new_dates_of(context: dict[str, Any], connection_id: int, model: str, odoo_id: int) -> list[NewDate]:
    """The newest new dates of a sales order that the person sees; none for any other record."""
    request = context.get("request")
    if model != "sale.order" or request is None:
        return []
    return queries.of_order(connection_id, odoo_id, access.scope_of(request.user))

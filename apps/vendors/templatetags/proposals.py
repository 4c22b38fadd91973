"""What vendors propose for a record, on the pages that other apps own."""

from typing import Any

from django import template

from apps.accounts import access
from apps.accounts.permissions import may_work_exceptions
from apps.vendors.proposals import lines, queries
from apps.vendors.proposals.screens import Row

register = template.Library()
SHOWN = 5


@register.simple_tag(takes_context=True)
def proposals_of(context: dict[str, Any], connection_id: int, model: str, odoo_id: int) -> list[Row]:
    """The newest proposals for a purchase order that the person sees; none for any other record."""
    request = context.get("request")
    if model != "purchase.order" or request is None:
        return []
    found = queries.of_order(connection_id, odoo_id, access.scope_of(request.user))[:SHOWN]
    return [Row(proposal=one, lines=lines.read(one.lines)) for one in found]


@register.simple_tag(takes_context=True)
def may_decide_proposals(context: dict[str, Any]) -> bool:
    """Whether the person may decide them, and write to vendors."""
    return may_work_exceptions(context["request"].user)

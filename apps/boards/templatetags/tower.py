"""The frame around every page: where one can go, what waits there, how fresh it all is."""

from typing import Any

from django import template
from django.urls import reverse

from apps.accounts.models import Role
from apps.boards import frame
from apps.odoo import seen

register = template.Library()

# word, address, icon, count, what the count counts, in the phone's bar
LINKS = (
    ("Home", "boards:home", "house", "", "", True),
    ("Approvals", "approvals:inbox", "stamp", "inbox", "wait for you", True),
    ("Exceptions", "exceptions:queue", "triangle-alert", "mine", "are yours", True),
    ("Boards", "boards:overview", "chart-no-axes-column", "", "", True),
    ("Connections", "connections:list", "plug", "", "", False),
    ("Health", "health:overview", "heart-pulse", "", "", True),
)


@register.simple_tag(takes_context=True)
def rail(context: dict[str, Any]) -> dict[str, Any]:
    """The links with what waits behind them, unread messages and freshness, for the signed-in person."""
    request = context.get("request")
    if request is None or not request.user.is_authenticated:
        return {"links": [], "unread": 0, "fresh": {}}
    shown = seen.on(request, request.user)
    waiting = frame.waiting_for(request.user, shown)
    links = []
    for word, name, icon, count, count_of, on_phone in LINKS:
        if name == "connections:list" and request.user.role == Role.APPROVER:
            continue
        href = reverse(name)
        here = request.path == href if href == "/" else request.path.startswith(href)
        links.append(
            {"word": word, "href": href, "icon": icon, "count": waiting.get(count, 0), "count_of": count_of,
             "on_phone": on_phone, "here": here}
        )  # fmt: skip
    return {"links": links, "unread": waiting["unread"], "fresh": frame.freshness(shown)}

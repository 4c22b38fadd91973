"""The frame around every page: where one can go, what waits there, how fresh it all is."""

from typing import Any

from django import template
from django.urls import reverse

from apps.accounts import sight
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
    """The links with what waits behind them, unread messages, freshness and what the page can be narrowed to."""
    request = context.get("request")
    if request is None or not request.user.is_authenticated:
        return {"links": [], "unread": 0, "fresh": {}, "places": []}
    own, choice = sight.of(request.user), seen.choice_of(request)
    shown, known = seen.narrow(own, choice), frame.connections_of(own)
    places = frame.places(known, own, choice)
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
    return {
        "links": links, "unread": waiting["unread"], "fresh": frame.freshness(known, shown), "places": places,
        "place": next((place for place in places if place.is_here), None), "is_narrowed": choice is not None,
    }  # fmt: skip

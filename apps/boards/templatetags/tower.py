"""The frame around every page: where one can go, what waits there, how fresh it all is."""

from typing import Any

from django import template
from django.urls import reverse
from django.utils import formats
from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, gettext_noop, pgettext

from apps.accounts import access
from apps.accounts.models import Role
from apps.boards.boards.kpis import Figure
from apps.boards.records import layout
from apps.core.templatetags.show import measured
from apps.odoo import request_scope

register = template.Library()
SPARK_WIDTH, SPARK_HEIGHT = 120, 28
TARGET_RULE = '<line class="spark-target" x1="0" x2="{}" y1="{}" y2="{}"></line>'

# word, address, icon, count, what the count counts, in the phone's bar
LINKS = (
    (gettext_noop("Home"), "boards:home", "house", "", "", True),
    (gettext_noop("Approvals"), "approvals:inbox", "stamp", "inbox", gettext_noop("waiting for you"), True),
    (gettext_noop("Exceptions"), "exceptions:queue", "triangle-alert", "mine", gettext_noop("assigned to you"), True),
    (gettext_noop("Proposals"), "vendors:proposals", "handshake", "proposals", gettext_noop("to decide"), False),
    (gettext_noop("Messages"), "customers:messages", "mail", "customers", gettext_noop("new dates to tell customers"), False),
    (gettext_noop("Boards"), "boards:overview", "chart-no-axes-column", "", "", True),
    (gettext_noop("Connections"), "connections:list", "plug", "", "", False),
    (gettext_noop("Health"), "health:overview", "heart-pulse", "", "", True),
)


@register.simple_tag(takes_context=True)
def rail(context: dict[str, Any]) -> dict[str, Any]:
    """The links with what waits behind them, unread messages, freshness and what the page can be narrowed to."""
    request = context.get("request")
    if request is None or not request.user.is_authenticated:
        return {"links": [], "unread": 0, "fresh": {}, "places": []}
    own, choice = access.scope_of(request.user), request_scope.choice_of(request)
    shown, known = request_scope.narrow(own, choice), layout.connections_of(own)
    places = layout.places(known, own, choice)
    waiting = layout.waiting_for(request.user, shown)
    links = []
    for word, name, icon, count, count_of, on_phone in LINKS:
        if name == "connections:list" and request.user.role == Role.APPROVER:
            continue
        href = reverse(name)
        here = request.path == href if href == "/" else request.path.startswith(href)
        links.append(
            {
                "word": gettext(word),
                "name": name,
                "href": href,
                "icon": icon,
                "count": waiting.get(count, 0),
                "count_of": gettext(count_of),
                "on_phone": on_phone,
                "here": here,
            }
        )
    return {
        "links": links,
        "unread": waiting["unread"],
        "fresh": layout.freshness(known, shown),
        "places": places,
        "place": next((place for place in places if place.is_here), None),
        "is_narrowed": choice is not None,
    }


@register.simple_tag
def spark(figure: Figure) -> SafeString:
    """A figure day by day as a line, with its target as a rule; said in words to those who cannot see it."""
    points = figure.trend
    if len(points) < 2:
        return mark_safe('<span class="quiet">–</span>')
    top = max(*(point.value for point in points), figure.target or 0.0) or 1.0
    first, days = points[0].day, max((points[-1].day - points[0].day).days, 1)

    def y(value: float) -> float:
        return round(SPARK_HEIGHT - 2 - (SPARK_HEIGHT - 4) * value / top, 1)

    line = " ".join(f"{round(2 + (SPARK_WIDTH - 4) * (point.day - first).days / days, 1)},{y(point.value)}" for point in points)
    said = gettext("%(first)s on %(first_day)s, %(last)s on %(last_day)s") % {
        "first": strip_tags(measured(points[0].value, figure.kpi.unit, figure.currency)),
        "first_day": formats.date_format(points[0].day, pgettext("a day of this year", "j M")),
        "last": strip_tags(measured(points[-1].value, figure.kpi.unit, figure.currency)),
        "last_day": formats.date_format(points[-1].day, pgettext("a day of this year", "j M")),
    }
    rule = "" if figure.target is None else format_html(TARGET_RULE, SPARK_WIDTH, y(figure.target), y(figure.target))
    return format_html(
        '<svg class="spark is-{}" width="{}" height="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}'
        '<polyline points="{}"></polyline></svg>',
        "late" if figure.is_met is False else "done",
        SPARK_WIDTH,
        SPARK_HEIGHT,
        SPARK_WIDTH,
        SPARK_HEIGHT,
        said,
        rule,
        line,
    )

"""Small pictures beside figures, drawn as SVG; the figures are in their text too."""

from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from apps.boards.analytics import drawing
from apps.boards.boards.figures import AgeBand

register = template.Library()


@register.simple_tag
def spark(values: list[int]) -> SafeString:
    """A line through the last days' levels, with the first and the last in words."""
    if len(values) < 2:
        return SafeString("")
    said = gettext("In %(days)s days from %(first)s to %(last)s") % {
        "days": len(values) - 1,
        "first": values[0],
        "last": values[-1],
    }
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{}"><title>{}</title><polyline points="{}"/></svg>',
        drawing.SPARK_WIDTH,
        drawing.SPARK_HEIGHT,
        said,
        said,
        drawing.spark(values),
    )


@register.simple_tag
def age_bar(bands: list[AgeBand]) -> SafeString:
    """How the records spread against the target: a bar, and the four counts below it."""
    left, parts = 0.0, []
    for band in bands:
        parts.append((band.tone, f"{left:.1f}", f"{band.share:.1f}"))
        left += band.share
    return format_html(
        '<span class="ages"><svg class="age-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
        '<span class="age-counts">{}</span></span>',
        format_html_join("", '<rect class="age-{}" x="{}" y="0" width="{}" height="8"/>', parts),
        format_html_join(
            "", '<span title="{}"><span class="sr">{}: </span>{}</span>', ((band.title, band.title, band.count) for band in bands)
        ),
    )


@register.filter
def item(values: Any, key: Any) -> Any:
    """``values[key]``."""
    return values[key]

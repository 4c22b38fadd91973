"""The bar of who held it."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from apps.boards.held.splitting import Split

register = template.Library()


@register.simple_tag
def held_bar(split: Split) -> SafeString:
    """The parts of a time beside each other, as wide as they are long; the list below it says the same in numbers."""
    left, parts = 0.0, []
    for part in split.parts:
        parts.append((part.holder.value, f"{left * 1000:.2f}", f"{part.share * 1000:.2f}"))
        left += part.share
    drawn = format_html_join("", '<rect class="held-{}" x="{}" y="0" width="{}" height="16"/>', parts)
    return format_html('<svg class="held-bar" viewBox="0 0 1000 16" preserveAspectRatio="none" aria-hidden="true">{}</svg>', drawn)

"""How a severity is shown."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.exceptions.choices import Severity

register = template.Library()


@register.simple_tag
def severity(level: int) -> SafeString:
    """Severity as shape, colour and word."""
    shown = Severity(level)
    return format_html(
        '<span class="severity"><svg width="12" height="12" viewBox="0 0 14 14" aria-hidden="true">{}</svg>{}</span>',
        shown.mark,
        shown.label,
    )

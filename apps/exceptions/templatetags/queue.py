"""How the queue shows its counts and dates."""

from datetime import datetime

from django import template
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext

from apps.core import clock
from apps.exceptions.counts import words_of

register = template.Library()


@register.simple_tag
def capped(count: int | None) -> str:
    """A count that stops somewhere: "37", "1,000+"."""
    return words_of(count)


@register.simple_tag
def day(at: datetime) -> SafeString:
    """A day in the reader's time zone; late ones say so."""
    local, today = timezone.localtime(at), timezone.localtime(clock.now())
    shape = pgettext("a day of this year", "j M") if local.year == today.year else pgettext("a day", "j M Y")
    shown = formats.date_format(local, shape)
    if local.date() >= today.date():
        return format_html('<time datetime="{}">{}</time>', at.isoformat(), shown)
    past = gettext("past")
    return format_html('<time class="is-past" datetime="{}">{}<span class="sr"> ({})</span></time>', at.isoformat(), shown, past)

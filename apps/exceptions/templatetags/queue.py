"""How the queue shows its counts and dates."""

from collections.abc import Hashable
from datetime import datetime

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, pgettext

from apps.core import clock
from apps.exceptions import resolutions
from apps.exceptions.queue.by_cause import GroupRow, Line
from apps.exceptions.queue.counts import words_of

register = template.Library()


@register.simple_tag
def capped(count: int | None) -> str:
    """A count that stops somewhere: "37", "1,000+"."""
    return words_of(count)


@register.filter
def resolution(text: str) -> str:
    """How an exception ended: in the reader's language where the words are the tower's own."""
    return resolutions.told(text or "")


# A row looks the same to all who read the same language by the same clock, and a queue that many keep open is fetched anew with
# every change: what was drawn is used again. Its ages tick in the page by themselves.
DRAWN_FOR_SECONDS, MOST_DRAWN = 30, 5_000
_drawn: dict[Hashable, SafeString] = {}


@register.simple_tag(takes_context=True)
def queue_row(context: Context, row: Line) -> SafeString:
    """The exception, or what one cause holds up, as a row of the table (``exceptions/row.html``, ``exceptions/group_row.html``)."""
    if isinstance(row, GroupRow):
        return render_to_string("exceptions/group_row.html", {"row": row, "may_work": bool(context.get("may_work"))})
    case, may_work = row.case, bool(context.get("may_work"))
    key = (
        case.pk,
        case.version,
        case.status,
        case.severity,
        case.owner_id,
        case.team_id,
        str(case.owner or ""),
        str(case.team),
        case.record_name,
        case.partner_name,
        case.amount,
        case.currency,
        case.promised_at,
        case.due_at,
        case.opened_at,
        case.snoozed_until,
        str(row.type),
        str(row.stage),
        row.ended_by,
        may_work,
        get_language(),
        timezone.get_current_timezone_name(),
        int(clock.now().timestamp()) // DRAWN_FOR_SECONDS,
    )
    drawn = _drawn.get(key)
    if drawn is None:
        if len(_drawn) >= MOST_DRAWN:
            _drawn.clear()
        drawn = _drawn[key] = render_to_string("exceptions/row.html", {"row": row, "may_work": may_work})
    return drawn


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

"""How money, time and state are shown. One owner each, so that a page and its live update say the same thing."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from django import template
from django.utils import formats, timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, pgettext
from lucide.templatetags.lucide import lucide

from apps.core import clock, sentences, wording
from apps.core.currencies import digits_of
from apps.core.figures import Value
from apps.core.figures import money as money_kind

register = template.Library()

UNKNOWN = "–"
AT_RISK_FROM = 0.8  # of the time there is; the same threshold as in static/js/age.js
JUST_NOW_SECONDS = 45
READ_BEFORE_MILLISECONDS = 2_000
RING = 37.7  # circumference of the badge's ring, radius 6


# Icons that point the way one reads: turned where that is from right to left.
POINTING = {"chevron-left", "chevron-right", "arrow-left", "arrow-right", "corner-up-right", "reply", "undo-2", "log-out", "send"}


@lru_cache(maxsize=256)
def _drawn(name: str, size: int, classes: str) -> str:
    classes = f"{classes} turns".strip() if name in POINTING else classes
    return lucide(name, size=size, aria_hidden="true", focusable="false", **{"class": classes})


@register.simple_tag
def icon(name: str, size: int = 16, classes: str = "") -> SafeString:
    """A lucide icon that screen readers pass over: the word beside it says what it means."""
    return mark_safe(_drawn(str(name), size, str(classes)))


@register.filter
def number(value: Any, places: int = 0) -> str:
    """A number with separators of the reader's locale; a dash where it is not known, never a silent zero."""
    try:
        amount = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return UNKNOWN
    if not amount.is_finite():
        return UNKNOWN
    return formats.number_format(round(amount, places) if places else round(amount), places, force_grouping=True)


@register.filter
def quantity(value: Any) -> str:
    """A quantity with as many places as it has: "2", "0.5"; a dash where it is not known."""
    try:
        places = -int(Decimal(str(value)).normalize().as_tuple().exponent)
    except (InvalidOperation, ValueError):
        return UNKNOWN
    return number(value, max(places, 0))


@register.simple_tag
def money(amount: Any, currency: str = "", places: int = 0) -> SafeString:
    """An amount with its currency; whole units, or where there are ``places`` the currency's own; the exact sum as its value."""
    shown = number(amount, digits_of(currency) if places else 0)
    if shown == UNKNOWN:
        return format_html('<span class="money" title="{}">{}</span>', gettext("Not known"), UNKNOWN)
    return format_html('<data class="money" value="{}">{}&nbsp;<abbr>{}</abbr></data>', str(amount), shown, currency or "")


@register.filter
def sum_in(value: Any, currency: str = "") -> str:
    """An exact sum with the currency's own decimals, without the currency's name."""
    return number(value, digits_of(currency))


@register.filter
def price(value: Any, currency: str = "") -> str:
    """A sum or a price of a line: with the currency's own decimals, or as many as a finer price has."""
    try:
        exact = -int(Decimal(str(value)).normalize().as_tuple().exponent)
    except (InvalidOperation, ValueError):
        return UNKNOWN
    return number(value, min(max(exact, digits_of(currency)), 6))


@register.simple_tag
def brief_money(amount: Any, currency: str = "") -> SafeString:
    """An amount for a board: 1.24 M, 84.2 k; the exact sum on hover."""
    try:
        value = Decimal(str(amount))
    except (InvalidOperation, ValueError):
        return format_html('<span class="money" title="{}">{}</span>', gettext("Not known"), UNKNOWN)
    for limit, unit in ((Decimal(1_000_000), "M"), (Decimal(1_000), "k")):
        if abs(value) >= limit:
            shown = f"{number(value / limit, 2 if abs(value) < limit * 10 else 1)} {unit}"
            break
    else:
        shown = number(value)
    return format_html(
        '<data class="money nowrap" value="{}" title="{} {}">{}&nbsp;<abbr>{}</abbr></data>',
        str(amount),
        number(value, digits_of(currency)),
        currency,
        shown,
        currency,
    )


@register.filter
def span(seconds: Any) -> str:
    """A length of time in at most two units: "35 min", "2 h 10", "3 d 4 h". Seconds in; a dash where not known."""
    if seconds is None or seconds == "":
        return UNKNOWN
    total = abs(int(seconds))
    minutes, hours, days = total // 60, total // 3600, total // 86400
    if total < 60:
        return gettext("%(seconds)s s") % {"seconds": total}
    if minutes < 60:
        return gettext("%(minutes)s min") % {"minutes": minutes}
    if hours < 24 and minutes % 60:
        return gettext("%(hours)s h %(minutes)s") % {"hours": hours, "minutes": f"{minutes % 60:02d}"}
    if hours < 24:
        return gettext("%(hours)s h") % {"hours": hours}
    if days < 14 and hours % 24:
        return gettext("%(days)s d %(hours)s h") % {"days": days, "hours": hours % 24}
    return gettext("%(days)s d") % {"days": days}


@register.filter
def brief_span(seconds: Any) -> str:
    """A length of time that may be a fraction of a second: "40 ms", "1.4 s", "3 min"; a dash where not known."""
    if seconds is None or seconds == "":
        return UNKNOWN
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return gettext("%(seconds)s s") % {"seconds": number(seconds, 1)} if seconds < 10 else span(seconds)


@register.filter
def share(part: Any) -> str:
    """A part of one as a percentage; 99.96 is not said to be all."""
    percent = float(part) * 100
    shown = Decimal(f"{percent:.1f}").normalize()
    return f"{quantity(Decimal('99.9') if shown == 100 and percent < 100 else shown)} %"


@register.simple_tag
def measured(value: Any, unit: str, currency: str = "") -> str:
    """A figure in its unit: a share, a time in seconds, or money in a currency; a dash where not known."""
    if value is None:
        return UNKNOWN
    if unit == "money":
        return brief_money(value, currency)
    return share(value) if unit == "share" else brief_span(value)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _local(at: datetime) -> str:
    try:
        local = timezone.localtime(at)
    except OverflowError:
        # The last hours of the year 9999 are in no later zone's calendar.
        local = at
    this_year = local.year == timezone.localtime(clock.now()).year
    shape = pgettext("a moment of this year", "j M H:i") if this_year else pgettext("a moment", "j M Y H:i")
    return formats.date_format(local, shape)


@register.simple_tag
def figure(found: Value) -> SafeString:
    """A figure as pages show it: sums with the exact one as their value, moments in the reader's time zone."""
    if found.kind.name == money_kind.name and found.number is not None:
        return money(found.number, found.unit, 2)
    return moment(found.at) if found.at else SafeString(conditional_escape(found.text))


@register.simple_tag
def age(at: datetime | None, suffix: str = "") -> SafeString:
    """How long it lasts, or with "ago" behind it how long ago it was; ticking, with the moment on hover and focus."""
    if at is None:
        return mark_safe(UNKNOWN)
    past = (clock.now() - at).total_seconds()
    told = span(past)
    if suffix:
        told = gettext("just now") if past < JUST_NOW_SECONDS else gettext("%(span)s ago") % {"span": told}
    return format_html(
        '<ct-age datetime="{}" suffix="{}"><time datetime="{}" title="{}">{}</time></ct-age>',
        _iso(at),
        suffix,
        _iso(at),
        _local(at),
        told,
    )


@register.simple_tag
def moment(at: datetime | None) -> SafeString:
    """A moment in the reader's time zone."""
    if at is None:
        return mark_safe(UNKNOWN)
    return format_html('<time datetime="{}">{}</time>', _iso(at), _local(at))


def due_state(due_at: datetime | None, start: datetime | None, now: datetime) -> tuple[str, float]:
    """``late``, ``risk``, ``calm`` or ``none``, and how much of the time is used up, 0 to 1."""
    if due_at is None:
        return "none", 0.0
    if now >= due_at:
        return "late", 1.0
    whole = (due_at - start).total_seconds() if start and start < due_at else 0
    used = (now - start).total_seconds() / whole if whole and start else 0.0
    used = min(max(used, 0.0), 1.0)
    return ("risk" if used >= AT_RISK_FROM else "calm"), used


@register.simple_tag
def due(due_at: datetime | None, start: datetime | None = None) -> SafeString:
    """The SLA as a badge: a shape, words and a colour; ticks by the server's clock (static/js/age.js)."""
    now = clock.now()
    state, used = due_state(due_at, start, now)
    if due_at is None:
        mark = icon("minus", 12, "due-none")
        return format_html('<span class="due" data-state="none">{} {}</span>', mark, gettext("no due time"))
    length = span((due_at - now).total_seconds())
    told = gettext("%(span)s late") if state == "late" else gettext("%(span)s left")
    ring = format_html(
        '<svg class="due-calm" width="14" height="14" viewBox="0 0 16 16" aria-hidden="true" fill="none" '
        'stroke-width="3"><circle class="due-track" cx="8" cy="8" r="6"/><circle class="due-run" cx="8" cy="8" r="6" '
        'transform="rotate(-90 8 8)" stroke-dasharray="{} {}"/></svg>',
        f"{RING * (1 - used):.1f}",
        RING,
    )
    return format_html(
        '<ct-due class="due" data-state="{}" datetime="{}" start="{}" title="{}">{}{}{}<span>{}</span></ct-due>',
        state,
        _iso(due_at),
        _iso(start) if start else "",
        gettext("Due %(moment)s") % {"moment": _local(due_at)},
        ring,
        icon("triangle-alert", 14, "due-risk"),
        icon("octagon-alert", 14, "due-late"),
        told % {"span": length},
    )


@register.filter
def due_tone(due_at: datetime | None, start: datetime | None = None) -> str:
    """The badge's state alone, for what is coloured with it."""
    return due_state(due_at, start, clock.now())[0]


@register.simple_tag
def server_now() -> str:
    """The server's clock, which every countdown follows."""
    return clock.now().isoformat(timespec="milliseconds")


@register.simple_tag
def live_version() -> int:
    """What changed before this moment, in milliseconds, is on the page already (apps/boards/live/broadcast.py).

    A little before the drawing: what is drawn was read before it, and a change may have come in between.
    """
    return int(clock.now().timestamp() * 1000) - READ_BEFORE_MILLISECONDS


@register.filter
def words(slug: Any) -> str:
    """A slug as people read it: ``waiting_for_stock`` becomes "Waiting for stock"."""
    text = str(slug).replace("_", " ").replace(".", " ").strip()
    return gettext(text[:1].upper() + text[1:])


@register.filter
def translated(text: Any) -> str:
    """What a workflow declares, a title or a label, in the reader's language."""
    return gettext(sentences.current(str(text))) if text else ""


@register.simple_tag
def words_src() -> str:
    """The address of the scripts' words in the reader's language."""
    return wording.address()

"""The time that a finding took, in words."""

from django import template
from django.utils.translation import gettext

from apps.boards.findings.summing import FoundRecord, Sum
from apps.core.templatetags.show import number, span

register = template.Library()
HOUR = 3600


@register.simple_tag
def time_lost(of: Sum | FoundRecord, *, is_each: bool = False) -> str:
    """The time as hours of work, or as all of it where a team has no working hours; a dash where it cannot be said."""
    seconds = of.each if is_each and isinstance(of, Sum) else of.seconds
    if seconds is None or of.is_by_clock:
        return span(seconds)
    if seconds < HOUR:
        return gettext("%(time)s of work") % {"time": span(seconds)}
    return gettext("%(hours)s working hours") % {"hours": number(seconds / HOUR, 1 if seconds < 10 * HOUR else 0)}

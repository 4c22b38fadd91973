"""The days that a page or a program asks figures for, as the company in sight counts days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import gettext

from apps.accounts.access import AccessScope
from apps.boards.boards.zone import begin_of, zone_in_sight

DAYS = 30
# A longer range is a report, not a page.
MOST_DAYS = 732


class DateRangeError(ValueError):
    """These days are no range; the message says why."""


@dataclass(frozen=True, kw_only=True)
class DateRange:
    """From the begin of the first day to the end of the last, or until now where that is sooner.

    Attributes:
        since: the moment before which nothing counts; ``until``: after which nothing does.
        is_asked: whether somebody has named days; else they are the last thirty times 24 hours.
    """

    first: date
    last: date
    since: datetime
    until: datetime
    is_asked: bool


def date_range(query: Mapping[str, str], *, access_scope: AccessScope, now: datetime) -> DateRange:
    """Return the range of ``since`` and ``until`` (days, each included) in a query that was checked for being days.

    Without both it is the last thirty days up to now; with one alone, thirty days from or to it.

    Raises DateRangeError where the last day is before the first, begins after now, or more than two years lie between them.
    """
    zone = zone_in_sight(access_scope)
    today = now.astimezone(zone).date()
    since, until = (date.fromisoformat(query[name]) if query.get(name) else None for name in ("since", "until"))
    if since is None and until is None:
        first = (now - timedelta(days=DAYS)).astimezone(zone).date()
        return DateRange(first=first, last=today, since=now - timedelta(days=DAYS), until=now, is_asked=False)
    last = until or min((since or today) + timedelta(days=DAYS), today)
    first = since or last - timedelta(days=DAYS)
    if last < first or first > today:
        raise DateRangeError(gettext("The range must not end before it begins, nor begin after today."))
    if (last - first).days > MOST_DAYS:
        raise DateRangeError(gettext("The range must not be longer than %(most)s days.") % {"most": MOST_DAYS})
    end = min(begin_of(last + timedelta(days=1), zone=zone), now)
    return DateRange(first=first, last=last, since=begin_of(first, zone=zone), until=end, is_asked=True)

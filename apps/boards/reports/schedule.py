"""Reports at set hours: who wants which when, and sending those whose hour has come."""

import logging
from collections.abc import Collection
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext

from apps.accounts import access, languages
from apps.accounts.models import User
from apps.audit import trail
from apps.boards.models import Report
from apps.boards.reports.composing import compose
from apps.boards.reports.subjects import subjects
from apps.core.refusals import Problem, Refusal
from apps.notifications.notify import Message, notify
from apps.notifications.preferences import zone_of

logger = logging.getLogger(__name__)

WEEK, HOURS = range(7), range(24)
# A report that could not be made is tried again after so long; the others do not wait for it.
AGAIN_AFTER = timedelta(minutes=30)


class ReportRefusedError(Refusal):
    """That is no report; the message says why."""

    problem = Problem(
        "report_invalid",
        422,
        "Invalid report",
        meaning="There is no report of that, or its days or hour cannot be.",
        remedy="Send days from 0 (Monday) to 6, at least one, and an hour from 0 to 23.",
    )


def following(days: Collection[int], hour: int, *, zone: ZoneInfo, after: datetime) -> datetime:
    """Return the first moment after ``after`` that is the hour on one of the days of the week in the zone."""
    today = after.astimezone(zone).date()
    coming = (datetime.combine(today + timedelta(days=ahead), time(hour), zone) for ahead in range(len(WEEK) + 1))
    return next(at for at in coming if at.weekday() in days and at > after)


@transaction.atomic
def plan(user: User, subject: str, days: Collection[int], hour: int, *, now: datetime) -> Report:
    """Have a report sent to the person from now on, at the hour on these days. Raises ReportRefusedError."""
    if subject not in subjects():
        known = ", ".join(subjects())
        raise ReportRefusedError(gettext("There is no report %(name)s; there is: %(known)s.") % {"name": subject, "known": known})
    if not days or not set(days) <= set(WEEK):
        raise ReportRefusedError(gettext("Choose at least one day of the week."))
    if hour not in HOURS:
        raise ReportRefusedError(gettext("The hour is a whole number from 0 to 23."))
    chosen = sorted(set(days))
    next_at = following(chosen, hour, zone=zone_of(user), after=now)
    report, _ = Report.objects.update_or_create(
        user=user, subject=subject, defaults={"days": chosen, "hour": hour, "next_at": next_at}
    )
    _record("report.scheduled", user, subject, {"days": chosen, "hour": hour}, now)
    return report


@transaction.atomic
def stop(user: User, subject: str, *, now: datetime) -> bool:
    """Send the person that report no more; whether it was sent."""
    was_sent = bool(Report.objects.filter(user=user, subject=subject).delete()[0])
    if was_sent:
        _record("report.stopped", user, subject, {}, now)
    return was_sent


def send_due(*, now: datetime) -> int:
    """Send the reports whose hour has come; how many. One that fell due several times meanwhile is sent once."""
    sent = 0
    while _send_one(now):
        sent += 1
    return sent


@transaction.atomic
def send_now(report: Report, *, now: datetime) -> None:
    """Send a report at once, whenever its hour is."""
    _send(report, f"report:{report.pk}:{now.isoformat()}", now)


@transaction.atomic
def _send_one(now: datetime) -> bool:
    due = Report.objects.select_for_update(skip_locked=True, of=("self",)).select_related("user")
    report = due.filter(next_at__lte=now).order_by("next_at", "id").first()
    if report is None:
        return False
    next_at = following(report.days, report.hour, zone=zone_of(report.user), after=now)
    # Who may not sign in is told nothing, and is told again once they may.
    if report.user.is_active:
        try:
            with transaction.atomic():
                _send(report, f"report:{report.pk}:{report.next_at.isoformat()}", now)
        except Exception:
            logger.exception("The report %s of %s could not be made; it is tried again.", report.subject, report.user)
            next_at = min(next_at, now + AGAIN_AFTER)
        else:
            report.sent_at = now
    report.next_at = next_at
    report.save(update_fields=["next_at", "sent_at"])
    return True


def _send(report: Report, key: str, now: datetime) -> None:
    if report.subject not in subjects():
        return  # of an extension that is gone
    with translation.override(languages.language_of(report.user)):
        said = compose(report.subject, access_scope=access.scope_of(report.user), now=now)
    message = Message(
        kind=f"report.{report.subject}", key=key, about=None, title=said.title, body=said.text, html=said.html, path=said.path
    )
    notify(message, people=[report.user], now=now)


def _record(action: str, user: User, subject: str, data: dict[str, object], now: datetime) -> None:
    event = trail.Event(action=action, actor=user.actor, subject=f"user:{user.pk}", data={"report": subject, **data})
    trail.record(event, now=now)

"""What each person wants to be told, by which way, and when not. In the tower itself everything is told, at once."""

import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from apps.accounts import languages
from apps.accounts.models import User
from apps.audit import trail
from apps.core.refusals import Problem, Refusal
from apps.notifications.channels import ways
from apps.notifications.models import Preferences


class PreferenceError(Refusal):
    """What was chosen cannot be; the message says what."""

    problem = Problem(
        "preferences_invalid",
        422,
        "Invalid preferences",
        meaning="Quiet hours, time zone or language cannot be.",
        remedy="Send what the sentence names.",
    )


@dataclass(frozen=True, kw_only=True)
class Group:
    """Kinds of message that are switched together. ``kinds`` are whole names, or beginnings that end with a dot."""

    name: str
    words: str
    kinds: tuple[str, ...]
    push: bool


GROUPS = (
    Group(name="asked", words=gettext_noop("Approval requested"), kinds=("approval.asked",), push=True),
    Group(name="reminded", words=gettext_noop("Approval reminder"), kinds=("approval.reminded",), push=True),
    Group(
        name="escalated",
        words=gettext_noop("Approval escalated or expired"),
        kinds=("approval.escalated", "approval.escalation", "approval.fell_back"),
        push=True,
    ),
    Group(
        name="asked_back",
        words=gettext_noop("Questions, requested changes and answers"),
        kinds=("approval.question", "approval.answered"),
        push=True,
    ),
    Group(name="decided", words=gettext_noop("Outcome of requests that concern you"), kinds=("approval.",), push=False),
    Group(name="exceptions", words=gettext_noop("Exceptions assigned to you and your teams"), kinds=("exception.",), push=False),
    Group(name="reports", words=gettext_noop("Scheduled reports"), kinds=("report.",), push=False),
    Group(name="kpis", words=gettext_noop("KPIs that leave their target"), kinds=("kpi.",), push=True),
    Group(name="others", words=gettext_noop("Everything else, such as commands that Odoo refused"), kinds=("",), push=False),
)


def group_of(kind: str) -> Group:
    """The group that a kind of message belongs to: the first one that names it."""
    return next(
        group
        for group in GROUPS
        if any(kind == name or (kind.startswith(name) and (not name or name.endswith("."))) for name in group.kinds)
    )


def wants(chosen: Preferences | None, group: Group, channel: str) -> bool:
    """Whether the person wants messages of that group by that channel."""
    default = channel == "email" or group.push
    return bool(chosen.channels.get(group.name, {}).get(channel, default)) if chosen else default


def zone_of(user: User) -> zoneinfo.ZoneInfo:
    """The person's time zone; the tower's where they chose none, or one that is gone."""
    try:
        return zoneinfo.ZoneInfo(user.time_zone or settings.TIME_ZONE)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo(settings.TIME_ZONE)


def not_before(chosen: Preferences | None, user: User, at: datetime) -> datetime:
    """From when on a message of the moment ``at`` may reach the person by e-mail or push: the end of their quiet hours."""
    if chosen is None or chosen.quiet_from is None or chosen.quiet_to is None:
        return at
    zone = zone_of(user)
    local = at.astimezone(zone)
    start, end, here = chosen.quiet_from, chosen.quiet_to, local.time()
    is_quiet = start <= here < end if start <= end else here >= start or here < end
    if not is_quiet:
        return at
    day = local.date() if here < end else local.date() + timedelta(days=1)
    return max(datetime.combine(day, end, zone).astimezone(at.tzinfo), at)


def preferences_of(people: Iterable[User]) -> Mapping[int, Preferences]:
    """What they chose, by the person's number; who chose nothing is not in it."""
    return {row.user_id: row for row in Preferences.objects.filter(user__in=list(people))}


@transaction.atomic
def read_in(user: User, language: str, *, now: datetime) -> None:
    """Change the person's language alone; "" for that of the browser. Raises PreferenceError."""
    if language and language not in dict(languages.spoken()):
        raise PreferenceError(gettext("Language %(language)s is not available.") % {"language": language})
    User.objects.filter(pk=user.pk).update(language=language)
    trail.record(
        trail.Event(
            action="preferences.saved",
            actor=user.actor,
            subject=f"user:{user.pk}",
            data={"language": language},
        ),
        now=now,
    )


@transaction.atomic
def save(
    user: User,
    *,
    channels: Mapping[str, Mapping[str, bool]],
    quiet_from: time | None,
    quiet_to: time | None,
    time_zone: str,
    now: datetime,
) -> Preferences:
    """Keep what the person chose.

    Raises:
        PreferenceError: half of the quiet hours is missing, or there is no such time zone.
    """
    if (quiet_from is None) != (quiet_to is None):
        raise PreferenceError(gettext("Quiet hours need both a beginning and an end."))
    if quiet_from is not None and quiet_from == quiet_to:
        raise PreferenceError(gettext("Quiet hours must begin and end at different times."))
    if time_zone and time_zone not in zoneinfo.available_timezones():
        raise PreferenceError(gettext("There is no time zone %(time_zone)s.") % {"time_zone": time_zone})
    kept = {group.name: {name: bool(channels.get(group.name, {}).get(name)) for name in ways()} for group in GROUPS}
    chosen, _ = Preferences.objects.update_or_create(
        user=user, defaults={"channels": kept, "quiet_from": quiet_from, "quiet_to": quiet_to}
    )
    User.objects.filter(pk=user.pk).update(time_zone=time_zone)
    trail.record(
        trail.Event(
            action="preferences.saved",
            actor=user.actor,
            subject=f"user:{user.pk}",
            data={"channels": kept, "quiet": [str(quiet_from or ""), str(quiet_to or "")], "time_zone": time_zone},
        ),
        now=now,
    )
    return chosen

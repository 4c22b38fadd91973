"""Telling people and other systems of troubles, by rule: each once, not in quiet hours, and once when all is well again."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext

from apps.accounts import permissions
from apps.accounts.models import User
from apps.audit import trail
from apps.core import isolation
from apps.exceptions import resolutions
from apps.exceptions.integration import TYPES
from apps.exceptions.models import ExceptionCase, Severity, Status
from apps.exceptions.types import title_of
from apps.health.models import AlertRule, Firing
from apps.notifications import webhooks
from apps.notifications.models import Endpoint
from apps.notifications.notify import Message, notify

logger = logging.getLogger(__name__)

NAMED = 5


@transaction.atomic
def look(*, now: datetime) -> int:
    """Tell of what is to be told now; how many messages. Nothing, while another looks.

    1. Of each rule, the open troubles that it asks for, that have lasted long enough, and that were not told of yet or have
       grown worse since: one message for all of them.
    2. Of each rule whose troubles are all over: one message that says so.
    """
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(7003, 0)")
        if not cursor.fetchone()[0]:
            return 0
    told = 0
    for rule in AlertRule.objects.filter(is_active=True).prefetch_related("people", "endpoints").order_by("id"):
        try:
            with transaction.atomic():
                told += _tell_of_troubles(rule, now) + _tell_that_all_is_well(rule, now)
        except Exception as error:
            if isolation.is_of_the_server(error):
                raise
            logger.exception("The alert rule %s could not be followed; the others are", rule.name)
    return told


def is_quiet(rule: AlertRule, now: datetime) -> bool:
    """Whether it is one of the rule's quiet hours, by its own wall clock; they may go over midnight."""
    if rule.quiet_from is None or rule.quiet_until is None or rule.quiet_from == rule.quiet_until:
        return False
    at: time = now.astimezone(ZoneInfo(rule.time_zone)).time()
    if rule.quiet_from < rule.quiet_until:
        return rule.quiet_from <= at < rule.quiet_until
    return at >= rule.quiet_from or at < rule.quiet_until


def _wanted(rule: AlertRule, now: datetime) -> list[ExceptionCase]:
    cases = (
        ExceptionCase.objects.filter(type__in=rule.types or TYPES, severity__gte=rule.severity)
        .filter(opened_at__lte=now - timedelta(seconds=rule.after_seconds))
        # Set aside by a person: they know.
        .exclude(status__in=[Status.RESOLVED, Status.SNOOZED])
    )
    if rule.connection_id:
        cases = cases.filter(connection_id=rule.connection_id)
    if is_quiet(rule, now):
        cases = cases.filter(severity=Severity.CRITICAL) if rule.critical_anyway else cases.none()
    return list(cases.select_related("connection", "owner").order_by("-severity", "id"))


def _tell_of_troubles(rule: AlertRule, now: datetime) -> int:
    wanted = _wanted(rule, now)
    known = {firing.case_id: firing for firing in Firing.objects.filter(rule=rule, case__in=wanted)}
    fresh = [case for case in wanted if case.pk not in known or known[case.pk].severity < case.severity]
    if not fresh:
        return 0
    Firing.objects.bulk_create(
        [Firing(rule=rule, case=case, severity=case.severity, told_at=now) for case in fresh],
        update_conflicts=True,
        unique_fields=["rule", "case"],
        update_fields=["severity", "told_at"],
    )
    many = len(fresh)

    def title() -> str:
        return _line(fresh[0]) if many == 1 else gettext("%(n)s integration incidents") % {"n": many}

    def body() -> str:
        return _why(fresh[0]) if many == 1 else "\n".join(_line(case) for case in fresh[:NAMED])

    _tell(rule, "alert.raised", title, body, fresh, now)
    return 1


def _tell_that_all_is_well(rule: AlertRule, now: datetime) -> int:
    firings = list(Firing.objects.filter(rule=rule, ended_at=None).select_related("case__connection", "case__owner"))
    is_over = all(firing.case.status == Status.RESOLVED for firing in firings)
    if not firings or not is_over or is_quiet(rule, now):
        return 0
    Firing.objects.filter(pk__in=[firing.pk for firing in firings]).update(ended_at=now)
    cases = [firing.case for firing in firings]

    def body() -> str:
        return "\n".join(f"{_line(case)} ({resolutions.told(case.resolution)})" for case in cases[:NAMED])

    _tell(rule, "alert.cleared", lambda: gettext("Resolved"), body, cases, now)
    return 1


def _line(case: ExceptionCase) -> str:
    return f"{title_of(case.type)}: {case.record_name}"


def _why(case: ExceptionCase) -> str:
    owner = case.owner or gettext("nobody")
    told = gettext("%(severity)s, owner %(owner)s.") % {"severity": case.get_severity_display(), "owner": owner}
    return str(case.evidence.get("problem_name") or told)


def _tell(
    rule: AlertRule, kind: str, title: Callable[[], str], body: Callable[[], str], cases: Sequence[ExceptionCase], now: datetime
) -> None:
    path = f"/exceptions/{cases[0].pk}/" if len(cases) == 1 else "/exceptions/?type=integration"
    key = f"alert:{rule.pk}:{kind}:{now.isoformat()}"
    connections = {case.connection_id for case in cases}
    message = Message(
        kind=kind, key=key, title=title, body=body, path=path, about=(connections.pop(), None) if len(connections) == 1 else None
    )
    notify(message, people=[person for person in rule.people.all() if person.is_active], now=now)
    # Programs read these: in one language.
    with translation.override("en"):
        in_english = title()
    webhooks.post(
        rule.endpoints.all(),
        key=key,
        kind=kind,
        now=now,
        data={
            "rule": rule.name,
            "title": in_english,
            "url": f"{settings.PUBLIC_URL}{path}",
            "troubles": [_shape(case) for case in cases],
        },
    )


def _shape(case: ExceptionCase) -> dict[str, Any]:
    return {
        "id": case.pk,
        "type": case.type,
        "severity": Severity(case.severity).code,
        "status": case.status,
        "connection": case.connection.name,
        "record": case.record_name,
        "owner": case.owner.username if case.owner else None,
        "opened_at": case.opened_at.isoformat(),
        "resolved_at": case.resolved_at.isoformat() if case.resolved_at else None,
        "evidence": case.plain_evidence,
        "resolution": case.resolution,
    }


@transaction.atomic
def save(rule: AlertRule, *, people: Sequence[User], endpoints: Sequence[Endpoint], by: User, now: datetime) -> AlertRule:
    """Keep a rule that was entered or changed. Raises NotAllowedError."""
    permissions.check_may_integrate(by)
    is_new = rule.pk is None
    if is_new:
        rule.created_at = now
    rule.save()
    rule.people.set(people)
    rule.endpoints.set(endpoints)
    quiet = ""
    if rule.quiet_from and rule.quiet_until:
        quiet = f"{rule.quiet_from:%H:%M}-{rule.quiet_until:%H:%M} {rule.time_zone}"
    said = {
        "name": rule.name,
        "is_active": rule.is_active,
        "types": rule.types,
        "severity": Severity(rule.severity).code,
        "connection": rule.connection.name if rule.connection else None,
        "after_seconds": rule.after_seconds,
        "people": sorted(person.username for person in people),
        "endpoints": sorted(one.name for one in endpoints),
        "quiet": quiet,
        "critical_anyway": rule.critical_anyway,
    }
    _record("alert_rule.added" if is_new else "alert_rule.changed", rule, by, said, now)
    return rule


@transaction.atomic
def remove(rule: AlertRule, *, by: User, now: datetime) -> None:
    """Tell of nothing by this rule any more. Raises NotAllowedError."""
    permissions.check_may_integrate(by)
    _record("alert_rule.removed", rule, by, {"name": rule.name}, now)
    rule.delete()


def _record(action: str, rule: AlertRule, by: User, data: dict[str, Any], now: datetime) -> None:
    trail.record(
        trail.Event(action=action, actor=by.actor, subject=f"alert_rule:{rule.pk}", data=data),
        now=now,
    )

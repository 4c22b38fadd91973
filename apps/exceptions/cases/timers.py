"""What happens to exceptions when their time has come."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from django.utils.translation import gettext

from apps.accounts import access
from apps.accounts.models import Role, User
from apps.audit import trail
from apps.core import actor, live
from apps.core.words import money
from apps.exceptions.models import ExceptionCase, Status
from apps.exceptions.odoo_activities import posting as odoo_activities
from apps.exceptions.transitions import transitions_of
from apps.exceptions.types import title_of
from apps.notifications.notify import Message, notify
from apps.timers import due
from apps.timers.models import Timer

MACHINE = actor.system("timers")


def _cases(timers: Sequence[Timer]) -> list[ExceptionCase]:
    ids = [int(timer.key.split(":")[1]) for timer in timers]
    return list(ExceptionCase.objects.select_for_update().filter(id__in=ids).exclude(status=Status.RESOLVED).order_by("id"))


def _late_title(case: ExceptionCase, access_scope: access.AccessScope) -> str:
    return gettext("SLA breached: %(what)s") % {"what": case.about(access_scope)}


def _late_body(case: ExceptionCase) -> str:
    return gettext("%(type)s, %(amount)s, owner %(owner)s.") % {
        "type": title_of(case.type),
        "amount": money(case.amount, case.currency),
        "owner": case.owner or gettext("nobody"),
    }


def _woken_title(case: ExceptionCase) -> str:
    return gettext("Snooze ended: %(record)s") % {"record": case.record_name}


@due.handles("exceptions.breach")
def breach(timers: Sequence[Timer], now: datetime) -> None:
    """The SLA has passed: mark it, tell the owner and the managers of the team."""
    cases = _cases(timers)
    for case in cases:
        case.breached_at, case.updated_at = now, now
        managers = list(User.objects.filter(role=Role.MANAGER, is_active=True, teams=case.team))
        by_sight: dict[access.AccessScope, list[User]] = {}
        for user in [*managers, *([case.owner] if case.owner else [])]:
            by_sight.setdefault(access.scope_of(user), []).append(user)
        for seen, people in by_sight.items():
            message = Message(
                kind="exception.breached",
                key=f"exception:{case.id}:breached",
                about=(case.connection_id, case.company_id),
                title=partial(_late_title, case, seen),
                body=partial(_late_body, case),
                path=f"/exceptions/{case.id}/",
            )
            notify(message, people=people, now=now)
    ExceptionCase.objects.bulk_update(cases, ["breached_at", "updated_at"])
    trail.record_all(
        [
            trail.Event(
                action="exception.breached",
                actor=MACHINE,
                subject=f"exception:{case.id}",
                about=(case.connection_id, case.company_id),
            )
            for case in cases
        ],
        now=now,
    )
    live.announce(["queue"])


@due.handles("exceptions.wake")
def wake(timers: Sequence[Timer], now: datetime) -> None:
    """The time it was snoozed until has come: back into the queue."""
    cases = [case for case in _cases(timers) if case.status == Status.SNOOZED]
    for case in cases:
        transitions_of(case).make("wake", case)
        case.snoozed_until, case.updated_at, case.version = None, now, case.version + 1
        if case.owner:
            message = Message(
                kind="exception.woken",
                key=f"exception:{case.id}:woken:{case.version}",
                about=(case.connection_id, case.company_id),
                title=partial(_woken_title, case),
                path=f"/exceptions/{case.id}/",
            )
            notify(message, people=[case.owner], now=now)
    ExceptionCase.objects.bulk_update(cases, ["status", "snoozed_until", "updated_at", "version"])
    trail.record_all(
        [
            trail.Event(
                action="exception.woken", actor=MACHINE, subject=f"exception:{case.id}", about=(case.connection_id, case.company_id)
            )
            for case in cases
        ],
        now=now,
    )
    odoo_activities.sync(cases, now=now)
    live.announce(["queue"])

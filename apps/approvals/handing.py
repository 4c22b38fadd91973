"""Handing one's say on a request to somebody else: who may take it, and how it goes over."""

from datetime import datetime

from django.utils.translation import gettext

from apps.accounts import permissions as roles
from apps.accounts import sight
from apps.accounts.models import User
from apps.accounts.permissions import NotAllowedError
from apps.approvals import policy, reasons
from apps.approvals.models import Absence, Assignment, Request, Step
from apps.audit import trail
from apps.core import actor
from apps.core.actor import Actor
from apps.core.words import money

MACHINE = actor.system("absence")


def check_may_take(request: Request, own: Assignment, to: User) -> None:
    """Raises NotAllowedError unless ``to`` could have been asked just as well: handing over never widens power."""
    roles.check_may_decide(to)
    hands = {login.lower() for login in request.involved_logins if login}
    if to.pk in (own.user_id, request.requested_by_user_id) or (to.odoo_login and to.odoo_login.lower() in hands):
        raise NotAllowedError(
            gettext("%(to)s had a hand in %(record_name)s and may not decide it.") % {"to": to, "record_name": request.record_name}
        )
    if not sight.of(to).sees(request.connection_id, request.company_id):
        raise NotAllowedError(
            gettext("%(to)s may not see the company of %(record_name)s. Choose somebody who may.")
            % {"to": to, "record_name": request.record_name}
        )
    if not to.is_active or not policy.permissions_allow(to, request.amount):
        raise NotAllowedError(
            gettext("%(to)s's limit does not cover %(amount)s.") % {"to": to, "amount": money(request.amount, request.currency)}
        )
    if own.step.assignments.filter(user=to).exclude(decision="", is_active=True).exists():
        raise NotAllowedError(
            gettext("%(to)s has handed this request on or answered it already; it cannot come back to them.") % {"to": to}
        )


def hand_over(request: Request, own: Assignment, to: User, *, by: Actor, reason: str, now: datetime) -> None:
    """Ask ``to`` in the place of who holds ``own``, who is no longer asked. The caller tells ``to``."""
    own.is_active = False
    own.save(update_fields=["is_active"])
    Assignment.objects.get_or_create(
        step=own.step, user=to, defaults={"level": own.level, "delegated_by_id": own.user_id}
    )
    trail.record(
        trail.Event(action="approval.delegated", actor=by, subject=f"approval:{request.pk}",
                    data={"from": str(own.user), "to": str(to), "reason": reason},
                    about=(request.connection_id, request.company_id)),
        now=now,
    )  # fmt: skip


def replace_absent(request: Request, step: Step, *, now: datetime) -> dict[int, User]:
    """Hand what the absent were asked in this step to their deputies; who is asked now in the place of whom.

    A deputy who may not decide this one, or is asked already, is passed over: the absent person stays asked, and the
    step escalates as it would. The caller holds the request's row lock.
    """
    asked: dict[int, User] = {}
    open_ones = step.assignments.filter(is_active=True, decision="").select_related("user")
    away = {
        one.user_id: one
        for one in Absence.objects.select_related("deputy").filter(
            user__in=[row.user_id for row in open_ones], ended_at=None, starts_at__lte=now, until__gt=now
        )
    }
    for own in open_ones:
        absence = away.get(own.user_id)
        if absence is None or step.assignments.filter(user=absence.deputy).exists():
            continue
        try:
            check_may_take(request, own, absence.deputy)
        except NotAllowedError:
            continue
        hand_over(request, own, absence.deputy, by=MACHINE, reason=reasons.IS_AWAY.format(person=own.user), now=now)
        asked[own.user_id] = absence.deputy
    return asked

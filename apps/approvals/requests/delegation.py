"""Handing one's say on a request to somebody else: who may take it, and how it goes over."""

from datetime import datetime

from django.utils.translation import gettext

from apps.accounts import access
from apps.accounts import permissions as roles
from apps.accounts.models import Role, User
from apps.accounts.permissions import NotAllowedError, OutsideScopeError
from apps.approvals import reasons, step_names
from apps.approvals.errors import DelegateRefusedError, OverLimitError, SegregationError
from apps.approvals.models import Absence, Assignment, Request, Step
from apps.approvals.policies import limits, segregation
from apps.approvals.policies.segregation import Standing
from apps.approvals.requests import permissions
from apps.audit import trail
from apps.core import actor, sentences
from apps.core.actor import Actor

MACHINE = actor.system("absence")


def check_may_take(request: Request, own: Assignment, to: User) -> None:
    """Raises NotAllowedError unless ``to`` could have been asked just as well: handing over never widens power."""
    roles.check_may_decide(to)
    standing = segregation.standings([to], request)[to.pk]
    if to.pk == own.user_id or standing == Standing.HAND:
        raise SegregationError(
            gettext("%(to)s worked on %(record_name)s and cannot decide it.") % {"to": to, "record_name": request.record_name}
        )
    if standing == Standing.UNKNOWN:
        raise SegregationError(
            gettext("%(to)s is not linked to a user of %(connection)s, so their involvement in %(record_name)s is unknown.")
            % {"connection": request.connection, "to": to, "record_name": request.record_name}
        )
    if not access.scope_of(to).sees(request.connection_id, request.company_id):
        raise OutsideScopeError(
            gettext("%(to)s has no access to the company of %(record_name)s. Choose someone who has.")
            % {"to": to, "record_name": request.record_name}
        )
    if not to.is_active or not limits.covers(to, limits.amount_of(request)):
        raise OverLimitError(
            gettext("%(to)s's limit does not cover %(amount)s.")
            % {"to": to, "amount": limits.amount_of(request).text(limits.currency_of(to))}
        )
    present = own.step.assignments.filter(user=to, lapsed_at=None)
    if present.exclude(decision="", is_active=True).exists():
        raise DelegateRefusedError(
            gettext("%(to)s has already delegated or answered this request; it cannot return to them.") % {"to": to}
        )
    if own.step.needs_all and present.exists():
        raise DelegateRefusedError(gettext("%(to)s is already assigned, and all assignees must agree.") % {"to": to})
    # In an administrator's place, who is asked where nobody of the levels may, another administrator may be asked.
    in_for_admin = own.user.role == to.role == Role.ADMIN
    if why := permissions.obstacle(request, own.step, to, is_asked=in_for_admin):
        raise DelegateRefusedError(
            gettext("%(why)s. Choose someone eligible for %(step)s.")
            % {"why": reasons.told(why), "step": step_names.told(own.step.name)}
        )


def hand_over(request: Request, own: Assignment, to: User, *, by: Actor, reason: str, now: datetime) -> None:
    """Ask ``to`` in the place of who holds ``own``, who is no longer asked. The caller tells ``to``."""
    own.is_active = False
    own.save(update_fields=["is_active"])
    Assignment.objects.get_or_create(
        step=own.step, user=to, lapsed_at=None, defaults={"level": own.level, "delegated_by_id": own.user_id}
    )
    trail.record(
        trail.Event(
            action="approval.delegated",
            actor=by,
            subject=f"approval:{request.pk}",
            data={"from": str(own.user), "to": str(to), "reason": reason, **sentences.kept_beside(reason)},
            about=(request.connection_id, request.company_id),
        ),
        now=now,
    )


def replace_absent(request: Request, step: Step, *, now: datetime) -> dict[int, User]:
    """Hand what the absent were asked in this step to their deputies; who is asked now in the place of whom.

    A deputy who may not decide this one, or is asked already, is passed over: the absent person stays asked, and the
    step escalates as it would. The caller holds the request's row lock.
    """
    asked: dict[int, User] = {}
    for own in step.assignments.filter(is_active=True, decision="").select_related("user"):
        deputy = deputy_of(own.user, now=now)
        if deputy is None or step.assignments.filter(user=deputy, lapsed_at=None).exists():
            continue
        try:
            check_may_take(request, own, deputy)
        except NotAllowedError:
            continue
        hand_over(request, own, deputy, by=MACHINE, reason=sentences.in_english(reasons.IS_AWAY, person=str(own.user)), now=now)
        asked[own.user_id] = deputy
    return asked


def deputy_of(user: User, *, now: datetime) -> User | None:
    """Return who stands in for an absent person: the first deputy who is there, along the chain of deputies.

    None for a person who is there, and where the chain leads back to somebody in it.
    """
    passed = {user.pk}
    while True:
        away = Absence.objects.select_related("deputy").filter(user=user, ended_at=None, starts_at__lte=now, until__gt=now).first()
        if away is None:
            return user if len(passed) > 1 else None
        user = away.deputy
        if user.pk in passed:
            return None
        passed.add(user.pk)

"""Who may decide a request. A refusal is one sentence: the disabled button's tooltip and the API's answer alike."""

from django.utils.translation import gettext, ngettext

from apps.accounts import sight
from apps.accounts.models import User
from apps.accounts.permissions import NotAllowedError, check_may_decide, check_may_make_policy
from apps.approvals import policy
from apps.approvals.models import Assignment, Request, Status, StepStatus
from apps.core.words import money


def check_may_decide_request(request: Request, user: User) -> Assignment:
    """The person's open assignment on the request.

    Raises:
        NotAllowedError: they may not see its company, asked for it, had a hand in the record, are not asked, have said
            their word already, or their limit does not cover it.
    """
    check_may_decide(user)
    if not sight.of(user).sees(request.connection_id, request.company_id):
        raise NotAllowedError(gettext("The company that this is about is not for you to see; somebody else has to decide it."))
    if request.requested_by_user_id == user.pk:
        raise NotAllowedError(
            gettext("You asked for this yourself; somebody else has to decide %(record_name)s.")
            % {"record_name": request.record_name}
        )
    hands = {login.lower() for login in request.involved_logins if login}
    if user.odoo_login and user.odoo_login.lower() in hands:
        raise NotAllowedError(
            gettext("You had a hand in %(record_name)s in Odoo; somebody else has to decide it.")
            % {"record_name": request.record_name}
        )
    if not policy.permissions_allow(user, request.amount):
        limit = money(user.approval_limit, request.currency) if user.approval_limit is not None else "none"
        raise NotAllowedError(
            gettext(
                "%(record_name)s asks for %(amount)s; your limit is %(limit)s. It has to be decided by somebody with a higher one."
            )
            % {"record_name": request.record_name, "amount": money(request.amount, request.currency), "limit": limit}
        )
    assignment = (
        Assignment.objects.select_related("step")
        .filter(step__request=request, step__status=StepStatus.PENDING, user=user, is_active=True)
        .order_by("step__position")
        .first()
    )
    if assignment is None:
        raise NotAllowedError(
            gettext("You are not asked to decide %(record_name)s; %(who_is_asked)s.")
            % {"record_name": request.record_name, "who_is_asked": who_is_asked(request)}
        )
    if assignment.decision:
        raise NotAllowedError(
            gettext("You have already said %(decision)s on %(record_name)s; %(who_is_asked)s.")
            % {"decision": assignment.decision, "record_name": request.record_name, "who_is_asked": who_is_asked(request)}
        )
    return assignment


def who_is_asked(request: Request) -> str:
    """Who has to answer now, in words."""
    names = [
        str(assignment.user)
        for assignment in Assignment.objects.select_related("user")
        .filter(step__request=request, step__status=StepStatus.PENDING, is_active=True, decision="")
        .order_by("id")
    ]
    return (
        ngettext("%(names)s is asked", "%(names)s are asked", len(names)) % {"names": ", ".join(names)}
        if names
        else gettext("nobody is asked any more")
    )


def why_not(request: Request, user: User) -> str | None:
    """Why the person may not decide the request now; None where they may."""
    if request.status != Status.PENDING:
        return settled_sentence(request)
    try:
        check_may_decide_request(request, user)
    except NotAllowedError as refusal:
        return str(refusal)
    return None


def why_not_make_policy(user: User) -> str | None:
    """Why the person may not make policies; None where they may."""
    try:
        check_may_make_policy(user)
    except NotAllowedError as refusal:
        return str(refusal)
    return None


def settled_sentence(request: Request) -> str:
    """What became of a request that no longer waits: what, by whom, when."""
    reason = f": {request.told_reason}" if request.reason else ""
    status = request.get_status_display().lower()
    at = f"{request.decided_at:%Y-%m-%d at %H:%M}" if request.decided_at else ""
    if request.decided_by and at:
        told = gettext("This request was %(status)s by %(by)s on %(at)s UTC%(reason)s")
    elif at:
        told = gettext("This request was %(status)s on %(at)s UTC%(reason)s")
    else:
        told = gettext("This request was %(status)s%(reason)s")
    return told % {"status": status, "by": request.decided_by, "at": at, "reason": reason}

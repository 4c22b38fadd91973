"""Who may decide a request. A refusal is one sentence: the disabled button's tooltip and the API's answer alike."""

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
        raise NotAllowedError("The company that this is about is not for you to see; somebody else has to decide it.")
    if request.requested_by_user_id == user.pk:
        raise NotAllowedError(f"You asked for this yourself; somebody else has to decide {request.record_name}.")
    hands = {login.lower() for login in request.involved_logins if login}
    if user.odoo_login and user.odoo_login.lower() in hands:
        raise NotAllowedError(f"You had a hand in {request.record_name} in Odoo; somebody else has to decide it.")
    if not policy.permissions_allow(user, request.amount):
        limit = money(user.approval_limit, request.currency) if user.approval_limit is not None else "none"
        raise NotAllowedError(
            f"{request.record_name} asks for {money(request.amount, request.currency)}; your limit is {limit}. "
            "It has to be decided by somebody with a higher one."
        )
    assignment = (
        Assignment.objects.select_related("step")
        .filter(step__request=request, step__status=StepStatus.PENDING, user=user, is_active=True)
        .order_by("step__position")
        .first()
    )
    if assignment is None:
        raise NotAllowedError(f"You are not asked to decide {request.record_name}; {who_is_asked(request)}.")
    if assignment.decision:
        raise NotAllowedError(f"You have already said {assignment.decision} on {request.record_name}; {who_is_asked(request)}.")
    return assignment


def who_is_asked(request: Request) -> str:
    """Who has to answer now, in words."""
    names = [
        str(assignment.user)
        for assignment in Assignment.objects.select_related("user")
        .filter(step__request=request, step__status=StepStatus.PENDING, is_active=True, decision="")
        .order_by("id")
    ]
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} asked" if names else "nobody is asked any more"


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
    who = f" by {request.decided_by}" if request.decided_by else ""
    when = f" on {request.decided_at:%Y-%m-%d at %H:%M} UTC" if request.decided_at else ""
    reason = f": {request.reason}" if request.reason else ""
    return f"This request was {request.get_status_display().lower()}{who}{when}{reason}"

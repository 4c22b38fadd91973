"""Who may decide a request. A refusal is one sentence: the disabled button's tooltip and the API's answer alike."""

from django.db.models import Count, Q
from django.utils.translation import gettext, ngettext

from apps.accounts import access
from apps.accounts.models import Role, User
from apps.accounts.permissions import DECIDERS, NotAllowedError, OutsideScopeError, check_may_decide, check_may_make_policy
from apps.approvals import reasons, step_names
from apps.approvals.errors import NotAskedError, OverLimitError, SegregationError, StepExcludesError
from apps.approvals.models import Assignment, Request, Status, Step, StepStatus
from apps.approvals.policies import approvers, limits, policy, segregation
from apps.approvals.policies.segregation import Standing
from apps.core import sentences
from apps.core.words import moment


def check_may_decide_request(request: Request, user: User) -> Assignment:
    """The person's open assignment on the request.

    Raises:
        NotAllowedError: they may not see its company, asked for it, had a hand in the record, are not asked, have said
            their word already, their limit does not cover it, they have decided another step, or no level asks them any more.
    """
    check_may_decide(user)
    if not access.scope_of(user).sees(request.connection_id, request.company_id):
        raise OutsideScopeError(gettext("You have no access to this company; someone else must decide."))
    if refusal := segregation.why_not(request, user):
        raise SegregationError(refusal)
    if not limits.covers(user, limits.amount_of(request)):
        raise OverLimitError(
            gettext("%(record_name)s is for %(amount)s; your limit is %(limit)s. Someone with a higher limit must decide.")
            % {
                "record_name": request.record_name,
                "amount": limits.amount_of(request).text(limits.currency_of(user)),
                "limit": limits.limit_of(user),
            }
        )
    own = (
        Assignment.objects.select_related("step")
        .filter(step__request=request, step__status=StepStatus.PENDING, user=user, is_active=True)
        .annotate(others=Count("step__assignments", filter=Q(step__assignments__is_active=True, step__assignments__decision="")))
    )
    # Of several, the one that the fewest others could answer: nobody answers more than one.
    assignment = own.order_by("decision", "others", "step__position", "step_id").first()
    if assignment is None:
        raise NotAskedError(
            gettext("%(record_name)s is not assigned to you; %(who_is_asked)s.")
            % {"record_name": request.record_name, "who_is_asked": who_is_asked(request)}
        )
    if assignment.decision:
        raise NotAskedError(
            gettext("You have already decided %(record_name)s (%(decision)s); %(who_is_asked)s.")
            % {"decision": assignment.decision, "record_name": request.record_name, "who_is_asked": who_is_asked(request)}
        )
    if why := obstacle(request, assignment.step, user):
        raise StepExcludesError(
            gettext("%(why)s; someone else must decide %(record_name)s.")
            % {"why": reasons.told(why), "record_name": request.record_name}
        )
    return assignment


def obstacle(request: Request, step: Step, user: User, *, is_asked: bool = True) -> str:
    """Return why the person may not answer in this step, in English as it is kept; empty where they may.

    Whoever answers, by whatever way they came to be asked, is somebody whom the step could have asked: of one of its levels,
    with a limit that covers the amount, with the record in their scope, without a hand in it, and not one who has decided
    another step. Administrators who are asked already are those whom nobody else stands before.

    Args:
        is_asked: False where they are about to be asked in somebody's place.
    """
    person = str(user)
    if not user.is_active or user.role not in DECIDERS:
        return sentences.in_english(reasons.NO_APPROVER, person=person)
    if not access.scope_of(user).sees(request.connection_id, request.company_id):
        return sentences.in_english(reasons.OUT_OF_SCOPE, person=person)
    if not limits.covers(user, limits.amount_of(request)):
        return sentences.in_english(reasons.LIMIT_TOO_LOW, person=person, now=request.amount, currency=request.currency)
    standing = segregation.standings([user], request)[user.pk]
    if standing == Standing.HAND:
        return sentences.in_english(reasons.HAS_A_HAND, person=person)
    if standing == Standing.UNKNOWN:
        return sentences.in_english(reasons.NOT_KNOWN, person=person, connection=str(request.connection))
    if other := decided_step(request, step, user):
        return sentences.in_english(reasons.DECIDED_ANOTHER_STEP, person=person, step=step_names.part_of_sentence(other))
    if (is_asked and user.role == Role.ADMIN) or approvers.levels_ask(
        step.levels["levels"], user, owner_login=owner_login(request)
    ):
        return ""
    return sentences.in_english(reasons.NOT_OF_THE_LEVELS, person=person)


def decided_step(request: Request, step: Step, user: User) -> str:
    """Return the name of another step of the request that this person has decided; empty where there is none, or it may be."""
    if policy.same_person_may_decide(request.policy.rules):
        return ""
    said = Assignment.objects.filter(step__request=request, user=user, lapsed_at=None).exclude(decision="").exclude(step=step)
    return str(said.order_by("id").values_list("step__name", flat=True).first() or "")


def owner_login(request: Request) -> str:
    """Return the Odoo login of who looks after the record; empty where it is not known."""
    return str(request.context.get("account_owner_login") or "")


def who_is_asked(request: Request) -> str:
    """Who has to answer now, in words."""
    names = [
        str(assignment.user)
        for assignment in Assignment.objects.select_related("user")
        .filter(step__request=request, step__status=StepStatus.PENDING, is_active=True, decision="")
        .order_by("id")
    ]
    return (
        ngettext("assigned to %(names)s", "assigned to %(names)s", len(names)) % {"names": ", ".join(names)}
        if names
        else gettext("no one is assigned")
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


def why_not_recall(request: Request, user: User) -> str:
    """Why the person may not take the request back; empty where they asked for it themselves, and it waits."""
    if request.status != Status.PENDING:
        return settled_sentence(request)
    if request.requested_by_user_id != user.pk:
        return gettext("%(requested_by)s requested %(record_name)s; only they can recall it.") % {
            "requested_by": request.requested_by,
            "record_name": request.record_name,
        }
    return ""


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
    at = moment(request.decided_at) if request.decided_at else ""
    if request.decided_by and at:
        told = gettext("This request was %(status)s by %(by)s on %(at)s%(reason)s")
    elif at:
        told = gettext("This request was %(status)s on %(at)s%(reason)s")
    else:
        told = gettext("This request was %(status)s%(reason)s")
    return told % {"status": status, "by": request.decided_by, "at": at, "reason": reason}

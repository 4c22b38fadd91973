"""What each role may do. A refusal is one sentence: the page's tooltip and the API's answer alike."""

from django.utils.translation import gettext

from apps.accounts.models import Role, User
from apps.core.refusals import Problem, Refusal

EXCEPTION_WORKERS: set[str] = {Role.OPERATOR, Role.APPROVER, Role.MANAGER, Role.ADMIN}
DECIDERS: set[str] = {Role.APPROVER, Role.MANAGER, Role.ADMIN}
INTEGRATORS: set[str] = {Role.INTEGRATOR, Role.ADMIN}
EVENT_MATCHERS: set[str] = EXCEPTION_WORKERS | INTEGRATORS
POLICY_MAKERS: set[str] = {Role.MANAGER, Role.ADMIN}
AUDIT_READERS: set[str] = {Role.AUDITOR, Role.ADMIN}


class NotAllowedError(Refusal):
    """This person may not do this; the message says why and whom to ask."""

    problem = Problem(
        "not_allowed",
        403,
        "Not allowed",
        meaning="The person may not do this to this record.",
        remedy="Ask the people whom the sentence names.",
    )


class RoleNotAllowedError(NotAllowedError):
    """The person's role does not include this."""

    problem = Problem(
        "role_not_allowed",
        403,
        "Role not allowed",
        meaning="The role of the person, for a token the person it was made for, does not include this.",
        remedy="Ask somebody with the role that the sentence names, or have an administrator change the role.",
    )


class OutsideScopeError(NotAllowedError):
    """The record's company is outside of the person's access scope."""

    problem = Problem(
        "outside_access_scope",
        403,
        "Outside the access scope",
        meaning="The record belongs to a connection or company that the person, or the colleague they name, may not see.",
        remedy="Have somebody act who sees that company, or have an administrator widen the access scope.",
    )


def may_work_exceptions(user: User, *, of_integration: bool = False) -> bool:
    """Whether the person may own and move exceptions; those of the integration are integrators' work too."""
    return user.role in EXCEPTION_WORKERS or (of_integration and user.role in INTEGRATORS)


def check_may_work_exceptions(user: User, *, of_integration: bool = False) -> None:
    """Raises NotAllowedError unless the person may own and move exceptions, or those of the integration."""
    if not may_work_exceptions(user, of_integration=of_integration):
        raise RoleNotAllowedError(
            gettext("%(user)s is %(role)s and may only read exceptions. Ask an operator.")
            % {"user": user, "role": user.get_role_display()}
        )


def check_may_decide(user: User) -> None:
    """Raises NotAllowedError unless the person's role may decide approvals at all."""
    if user.role not in DECIDERS:
        raise RoleNotAllowedError(
            gettext("%(user)s is %(role)s and may not decide approvals. Ask an approver.")
            % {"user": user, "role": user.get_role_display()}
        )


def check_may_integrate(user: User) -> None:
    """Raises NotAllowedError unless the person may change connections, commands and deliveries."""
    if user.role not in INTEGRATORS:
        raise RoleNotAllowedError(
            gettext("%(user)s is %(role)s and may not change the integration. Ask an integrator.")
            % {"user": user, "role": user.get_role_display()}
        )


def check_may_match_events(user: User) -> None:
    """Raises NotAllowedError unless the person may say which record an outside event is about."""
    if user.role not in EVENT_MATCHERS:
        raise RoleNotAllowedError(
            gettext("%(user)s is %(role)s and may only read outside events. Ask an operator.")
            % {"user": user, "role": user.get_role_display()}
        )


def check_may_make_policy(user: User) -> None:
    """Raises NotAllowedError unless the person may write policies."""
    if user.role not in POLICY_MAKERS:
        raise RoleNotAllowedError(
            gettext("%(user)s is %(role)s and may not change policies. Ask a manager.")
            % {"user": user, "role": user.get_role_display()}
        )


def check_may_read_audit(user: User) -> None:
    """Raises NotAllowedError unless the person may read the audit trail."""
    if user.role not in AUDIT_READERS:
        raise RoleNotAllowedError(
            gettext("%(user)s is %(role)s and may not read the audit trail. Ask an auditor.")
            % {"user": user, "role": user.get_role_display()}
        )

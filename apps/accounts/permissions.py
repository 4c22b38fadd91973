"""What each role may do. A refusal is one sentence: the page's tooltip and the API's answer alike."""

from django.utils.translation import gettext

from apps.accounts.models import Role, User

EXCEPTION_WORKERS: set[str] = {Role.OPERATOR, Role.APPROVER, Role.MANAGER, Role.ADMIN}
DECIDERS: set[str] = {Role.APPROVER, Role.MANAGER, Role.ADMIN}
INTEGRATORS: set[str] = {Role.INTEGRATOR, Role.ADMIN}
EVENT_MATCHERS: set[str] = EXCEPTION_WORKERS | INTEGRATORS
POLICY_MAKERS: set[str] = {Role.MANAGER, Role.ADMIN}
AUDIT_READERS: set[str] = {Role.AUDITOR, Role.ADMIN}


class NotAllowedError(Exception):
    """This person may not do this; the message says why and whom to ask."""


def may_work_exceptions(user: User, *, of_integration: bool = False) -> bool:
    """Whether the person may own and move exceptions; those of the integration are integrators' work too."""
    return user.role in EXCEPTION_WORKERS or (of_integration and user.role in INTEGRATORS)


def check_may_work_exceptions(user: User, *, of_integration: bool = False) -> None:
    """Raises NotAllowedError unless the person may own and move exceptions, or those of the integration."""
    if not may_work_exceptions(user, of_integration=of_integration):
        raise NotAllowedError(
            gettext("%(user)s is %(role)s and may only read exceptions. Ask an operator.")
            % {"user": user, "role": user.get_role_display()}
        )


def check_may_decide(user: User) -> None:
    """Raises NotAllowedError unless the person's role may decide approvals at all."""
    if user.role not in DECIDERS:
        raise NotAllowedError(
            gettext("%(user)s is %(role)s and may not decide approvals. Ask an approver.")
            % {"user": user, "role": user.get_role_display()}
        )


def check_may_integrate(user: User) -> None:
    """Raises NotAllowedError unless the person may change connections, commands and deliveries."""
    if user.role not in INTEGRATORS:
        raise NotAllowedError(
            gettext("%(user)s is %(role)s and may not change the integration. Ask an integrator.")
            % {"user": user, "role": user.get_role_display()}
        )


def check_may_match_events(user: User) -> None:
    """Raises NotAllowedError unless the person may say which record an outside event is about."""
    if user.role not in EVENT_MATCHERS:
        raise NotAllowedError(
            gettext("%(user)s is %(role)s and may only read outside events. Ask an operator.")
            % {"user": user, "role": user.get_role_display()}
        )


def check_may_make_policy(user: User) -> None:
    """Raises NotAllowedError unless the person may write policies."""
    if user.role not in POLICY_MAKERS:
        raise NotAllowedError(
            gettext("%(user)s is %(role)s and may not change policies. Ask a manager.")
            % {"user": user, "role": user.get_role_display()}
        )


def check_may_read_audit(user: User) -> None:
    """Raises NotAllowedError unless the person may read the audit trail."""
    if user.role not in AUDIT_READERS:
        raise NotAllowedError(
            gettext("%(user)s is %(role)s and may not read the audit trail. Ask an auditor.")
            % {"user": user, "role": user.get_role_display()}
        )

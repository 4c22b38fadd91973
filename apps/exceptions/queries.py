"""Reading the exception queue."""

from django.db.models import Q, QuerySet

from apps.accounts.access import AccessScope
from apps.accounts.models import User
from apps.exceptions.models import ExceptionCase, Status
from apps.mirror import companies

UNRESOLVED = ~Q(status=Status.RESOLVED)


def queue(access_scope: AccessScope) -> QuerySet[ExceptionCase]:
    """Every exception that is in sight, with what a row of the queue shows."""
    return shown(ExceptionCase.objects.filter(access_scope.of_records()), access_scope)


def shown(cases: QuerySet[ExceptionCase], access_scope: AccessScope) -> QuerySet[ExceptionCase]:
    """``cases`` with what a row of the queue shows to whoever sees ``access_scope``."""
    return companies.with_company_name(cases.select_related("connection", "team__calendar", "owner"), access_scope)


def unresolved(access_scope: AccessScope) -> QuerySet[ExceptionCase]:
    """What somebody still has to work on."""
    return queue(access_scope).filter(UNRESOLVED)


def mine(user: User, access_scope: AccessScope) -> QuerySet[ExceptionCase]:
    """What the person owns and has not resolved."""
    return unresolved(access_scope).filter(owner=user)


def unowned(access_scope: AccessScope) -> QuerySet[ExceptionCase]:
    """What nobody owns."""
    return unresolved(access_scope).filter(owner=None)


def of_record(connection_id: int, model: str, odoo_id: int, access_scope: AccessScope) -> QuerySet[ExceptionCase]:
    """The exceptions of one record, newest first."""
    return queue(access_scope).filter(connection_id=connection_id, model=model, odoo_id=odoo_id).order_by("-opened_at")

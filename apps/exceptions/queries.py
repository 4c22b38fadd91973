"""Reading the exception queue."""

from django.db.models import Q, QuerySet

from apps.accounts.access import AccessScope
from apps.accounts.models import User
from apps.exceptions.models import ExceptionCase, Status
from apps.mirror import companies

UNRESOLVED = ~Q(status=Status.RESOLVED)


def queue(seen: AccessScope) -> QuerySet[ExceptionCase]:
    """Every exception that is in sight, with what a row of the queue shows."""
    return shown(ExceptionCase.objects.filter(seen.of_records()), seen)


def shown(cases: QuerySet[ExceptionCase], seen: AccessScope) -> QuerySet[ExceptionCase]:
    """``cases`` with what a row of the queue shows to whoever sees ``seen``."""
    return companies.with_company_name(cases.select_related("connection", "team__calendar", "owner"), seen)


def unresolved(seen: AccessScope) -> QuerySet[ExceptionCase]:
    """What somebody still has to work on."""
    return queue(seen).filter(UNRESOLVED)


def mine(user: User, seen: AccessScope) -> QuerySet[ExceptionCase]:
    """What the person owns and has not resolved."""
    return unresolved(seen).filter(owner=user)


def unowned(seen: AccessScope) -> QuerySet[ExceptionCase]:
    """What nobody owns."""
    return unresolved(seen).filter(owner=None)


def of_record(connection_id: int, model: str, odoo_id: int, seen: AccessScope) -> QuerySet[ExceptionCase]:
    """The exceptions of one record, newest first."""
    return queue(seen).filter(connection_id=connection_id, model=model, odoo_id=odoo_id).order_by("-opened_at")

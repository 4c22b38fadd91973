"""Reading the exception queue."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from apps.accounts.models import User
from apps.exceptions.models import ExceptionCase, Status

UNRESOLVED = ~Q(status=Status.RESOLVED)
DUE_SOON = timedelta(hours=1)


def queue() -> QuerySet[ExceptionCase]:
    """Every exception, with what a row of the queue shows."""
    return ExceptionCase.objects.select_related("connection", "team", "owner")


def unresolved() -> QuerySet[ExceptionCase]:
    """What somebody still has to work on."""
    return queue().filter(UNRESOLVED)


def mine(user: User) -> QuerySet[ExceptionCase]:
    """What the person owns and has not resolved."""
    return unresolved().filter(owner=user)


def of_my_teams(user: User) -> QuerySet[ExceptionCase]:
    """What the person's teams have not resolved."""
    return unresolved().filter(team__members=user)


def unowned() -> QuerySet[ExceptionCase]:
    """What nobody owns."""
    return unresolved().filter(owner=None)


def due_soon(now: datetime) -> QuerySet[ExceptionCase]:
    """What is over its SLA or will be within the hour."""
    return unresolved().filter(due_at__lt=now + DUE_SOON)


def of_record(connection_id: int, model: str, odoo_id: int) -> QuerySet[ExceptionCase]:
    """The exceptions of one record, newest first."""
    return queue().filter(connection_id=connection_id, model=model, odoo_id=odoo_id).order_by("-opened_at")

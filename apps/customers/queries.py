"""Reading what customers are to be told, and what they were told."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from apps.accounts.access import AccessScope
from apps.customers.models import CustomerMessage, CustomerRule, NewDate, Status
from apps.outbox.models import Command
from apps.vendors.mail.queries import by_decision
from apps.vendors.models import Mail

OF_ORDER = 5


def to_tell(access_scope: AccessScope) -> QuerySet[NewDate]:
    """Return the new dates in sight of which nothing was decided."""
    return NewDate.objects.filter(access_scope.of_records(), status=Status.OPEN).select_related("connection")


def of_order(connection_id: int, order_id: int, access_scope: AccessScope) -> list[NewDate]:
    """Return the newest new dates of one sales order."""
    found = NewDate.objects.filter(access_scope.of_records(), connection_id=connection_id, order_id=order_id)
    return list(found.select_related("connection", "message").order_by("-id")[:OF_ORDER])


def messages(access_scope: AccessScope) -> QuerySet[CustomerMessage]:
    """Return what was sent in sight, the newest first."""
    found = CustomerMessage.objects.filter(access_scope.of_records()).select_related("connection").prefetch_related("dates")
    return found.order_by("-sent_at", "-id")


def rules(access_scope: AccessScope) -> QuerySet[CustomerRule]:
    """Return the customers who are, or were, told without a person."""
    return CustomerRule.objects.filter(access_scope.of_records()).select_related("connection").order_by("partner_name", "id")


@dataclass(frozen=True, kw_only=True)
class SentMessage:
    """A message, its orders, the command that has Odoo post it, and where it stands that the tower's own mail server sends."""

    message: CustomerMessage
    orders: Sequence[NewDate]
    command: Command | None
    mail: Mail | None


def sent(found: Sequence[CustomerMessage]) -> list[SentMessage]:
    """Return those messages with what Odoo made of them."""
    first_of = [one.decision for one in found]
    commands = Command.objects.filter(decision__in=first_of).order_by("-sequence")
    first = {one.decision: one for one in commands}
    mails = by_decision(first_of)
    return [
        SentMessage(message=one, orders=list(one.dates.all()), command=first.get(one.decision), mail=mails.get(one.decision))
        for one in found
    ]

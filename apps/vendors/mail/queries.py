"""Reading what the tower's own mail server sends."""

from collections.abc import Collection, Mapping

from django.db.models import Case, IntegerField, QuerySet, Value, When

from apps.accounts.access import AccessScope
from apps.vendors.models import Mail, MailStatus

TO_DECIDE = (MailStatus.UNSURE, MailStatus.FAILED)


def mails(access_scope: AccessScope) -> QuerySet[Mail]:
    """Return the messages in sight, the newest first."""
    return Mail.objects.filter(access_scope.of_records()).select_related("connection").order_by("-created_at", "-id")


def to_decide_first(found: QuerySet[Mail]) -> QuerySet[Mail]:
    """Return them with those first of which a person has to decide."""
    waits = Case(When(status__in=TO_DECIDE, then=Value(0)), default=Value(1), output_field=IntegerField())
    return found.order_by(waits, "-created_at", "-id")


def by_decision(decisions: Collection[str]) -> Mapping[str, Mail]:
    """Return the messages that follow from those decisions."""
    return {mail.decision: mail for mail in Mail.objects.filter(decision__in=list(decisions))}

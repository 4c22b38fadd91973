"""Reading what people were told."""

from django.db.models import Q, QuerySet

from apps.accounts.access import AccessScope
from apps.accounts.models import User
from apps.notifications.models import Notification


def notifications_of(user: User, access_scope: AccessScope) -> QuerySet[Notification]:
    """The person's notifications, newest first: those about what they see, also where they once saw more."""
    told = Notification.objects.filter(user=user, held_until=None).order_by("-created_at", "-id")
    return told if access_scope.is_everything else told.filter(Q(connection_id=None) | access_scope.of_records())


def unread_of(user: User, access_scope: AccessScope) -> QuerySet[Notification]:
    """Those that the person has not read."""
    return notifications_of(user, access_scope).filter(read_at__isnull=True)

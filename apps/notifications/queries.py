"""Reading what people were told."""

from django.db.models import QuerySet

from apps.accounts.models import User
from apps.notifications.models import Notification


def of(user: User) -> QuerySet[Notification]:
    """The person's notifications, newest first."""
    return Notification.objects.filter(user=user).order_by("-created_at", "-id")


def unread_of(user: User) -> QuerySet[Notification]:
    """Those that the person has not read."""
    return of(user).filter(read_at__isnull=True)

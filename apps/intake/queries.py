"""Reading deliveries."""

from django.db.models import QuerySet

from apps.accounts.access import AccessScope
from apps.intake.models import Delivery, Status


def deliveries_in(access_scope: AccessScope) -> QuerySet[Delivery]:
    """Deliveries are of a connection and no company yet: they are for those who see all of it."""
    return Delivery.objects.filter(access_scope.of_whole_connections()).select_related("connection")


def dead(access_scope: AccessScope) -> QuerySet[Delivery]:
    """Those that were given up, the newest first. Index deliveries_dead."""
    return deliveries_in(access_scope).filter(status=Status.DEAD).order_by("-id")

"""Reading deliveries."""

from django.db.models import QuerySet

from apps.accounts.access import AccessScope
from apps.intake.models import Delivery, Status


def deliveries_in(seen: AccessScope) -> QuerySet[Delivery]:
    """Deliveries are of a connection and no company yet: they are for those who see all of it."""
    return Delivery.objects.filter(seen.of_whole_connections()).select_related("connection")


def dead(seen: AccessScope) -> QuerySet[Delivery]:
    """Those that were given up, the newest first. Index deliveries_dead."""
    return deliveries_in(seen).filter(status=Status.DEAD).order_by("-id")

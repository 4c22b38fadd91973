"""Status of an approval request: value, label, colour and icon in one place."""

from django.db import models
from django.utils.translation import gettext_lazy

from apps.core.looks import Look


class Status(models.TextChoices):
    """Where a request stands, the value being the API's own. All but pending are ends."""

    PENDING = "pending", gettext_lazy("Pending")
    APPROVED = "approved", gettext_lazy("Approved")
    REJECTED = "rejected", gettext_lazy("Rejected")
    CANCELLED = "cancelled", gettext_lazy("Cancelled")
    EXPIRED = "expired", gettext_lazy("Expired")

    @property
    def look(self) -> Look:
        """Its colour and icon."""
        return _STATUSES[self]


_STATUSES = {
    Status.PENDING: Look("calm", "clock"),
    Status.APPROVED: Look("done", "circle-check"),
    Status.REJECTED: Look("late", "circle-x"),
    Status.CANCELLED: Look("", "ban"),
    Status.EXPIRED: Look("risk", "hourglass"),
}

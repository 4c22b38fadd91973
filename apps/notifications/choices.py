"""Status of a message to another system: code, label, colour and icon in one place."""

from django.utils.translation import gettext_lazy

from apps.core.looks import Look, StatusChoices


class OutgoingStatus(StatusChoices):
    """Where a message to an endpoint stands."""

    PENDING = "pending", Look("calm", "loader"), gettext_lazy("Waiting")
    SENT = "sent", Look("done", "circle-check"), gettext_lazy("Sent")
    DEAD = "dead", Look("late", "octagon-alert"), gettext_lazy("Dead-lettered")

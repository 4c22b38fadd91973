"""Status of a timer: code, label, colour and icon in one place."""

from django.utils.translation import gettext_lazy

from apps.core.looks import Look, StatusChoices


class Status(StatusChoices):
    """Where a timer stands."""

    PENDING = "pending", Look("", "clock"), gettext_lazy("Pending")
    FIRED = "fired", Look("done", "circle-check"), gettext_lazy("Fired")
    CANCELLED = "cancelled", Look("", "ban"), gettext_lazy("Cancelled")

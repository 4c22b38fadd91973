"""Status of a delivery: code, label, colour and icon in one place."""

from django.utils.translation import gettext_lazy

from apps.core.looks import Look, StatusChoices


class Status(StatusChoices):
    """Where a delivery stands."""

    PENDING = "pending", Look("", "clock"), gettext_lazy("Waiting")
    CLAIMED = "claimed", Look("calm", "loader"), gettext_lazy("Being processed")
    DONE = "done", Look("done", "circle-check"), gettext_lazy("Processed")
    DEAD = "dead", Look("late", "octagon-alert"), gettext_lazy("Dead letter")

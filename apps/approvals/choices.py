"""Status of an approval request and of its steps: code, label, colour and icon in one place."""

from django.utils.translation import gettext_lazy

from apps.core.looks import Look, StatusChoices


class Status(StatusChoices):
    """Where a request stands. All but pending are ends."""

    PENDING = "pending", Look("calm", "clock"), gettext_lazy("Pending")
    APPROVED = "approved", Look("done", "circle-check"), gettext_lazy("Approved")
    REJECTED = "rejected", Look("late", "circle-x"), gettext_lazy("Rejected")
    CANCELLED = "cancelled", Look("", "ban"), gettext_lazy("Cancelled")
    EXPIRED = "expired", Look("risk", "hourglass"), gettext_lazy("Expired")


class StepStatus(StatusChoices):
    """Where a step stands."""

    WAITING = "waiting", Look("", "minus"), gettext_lazy("Waiting for an earlier step")
    PENDING = "pending", Look("calm", "clock"), gettext_lazy("Pending")
    APPROVED = "approved", Look("done", "check"), gettext_lazy("Approved")
    REJECTED = "rejected", Look("late", "x"), gettext_lazy("Rejected")
    SKIPPED = "skipped", Look("", "minus"), gettext_lazy("Skipped")

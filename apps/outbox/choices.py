"""Status of a command: code, label, colour and icon in one place."""

from django.utils.translation import gettext_lazy

from apps.core.looks import Look, StatusChoices


class Status(StatusChoices):
    """Where a command stands."""

    QUEUED = "queued", Look("", "clock"), gettext_lazy("Queued")
    # Sent, no answer: only read until Odoo's own time limit has passed.
    UNKNOWN = "unknown", Look("calm", "send"), gettext_lazy("Outcome unknown")
    DONE = "done", Look("done", "check-check"), gettext_lazy("Seen in Odoo")
    # Odoo or the precondition said no: a person must look.
    REFUSED = "refused", Look("late", "octagon-alert"), gettext_lazy("Refused")
    # Failed too often: a person must replay it.
    DEAD = "dead", Look("late", "octagon-alert"), gettext_lazy("Dead-lettered")
    # An earlier command of the same decision was refused, or what it was to change was ended by a person meanwhile.
    CANCELLED = "cancelled", Look("", "ban"), gettext_lazy("Cancelled")

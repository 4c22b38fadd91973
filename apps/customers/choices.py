"""Where a new date stands that a customer is to be told: value, label, colour and icon, in one place each."""

from django.utils.translation import gettext_lazy

from apps.core.looks import Look, StatusChoices


class Status(StatusChoices):
    """Where a new date stands, the value being the API's own."""

    OPEN = "open", Look("risk", "circle-dot"), gettext_lazy("To send")
    SENT = "sent", Look("done", "send"), gettext_lazy("Sent")
    DISMISSED = "dismissed", Look("", "ban"), gettext_lazy("Dismissed")
    WITHDRAWN = "withdrawn", Look("", "history"), gettext_lazy("Withdrawn")  # there is nothing left to tell

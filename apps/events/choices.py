"""Status of an outside event: code, label, colour and icon in one place."""

from django.utils.translation import gettext_lazy

from apps.core.looks import Look, StatusChoices


class Status(StatusChoices):
    """Whether it is known which record an event is about. It begins without one."""

    UNMATCHED = "unmatched", Look("risk", "circle-dashed"), gettext_lazy("Not matched")
    MATCHED = "matched", Look("done", "circle-check"), gettext_lazy("Matched")
    DISMISSED = "dismissed", Look("calm", "ban"), gettext_lazy("Dismissed")

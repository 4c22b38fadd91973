"""What a vendor can say of a line, what letters are about, where a proposal stands: value, label, colour, icon, in one place."""

from django.db import models
from django.utils.translation import gettext_lazy

from apps.core.looks import Look


class Said(models.TextChoices):
    """What a vendor says of one line."""

    AS_ORDERED = "as_ordered", gettext_lazy("As ordered")
    OTHERWISE = "otherwise", gettext_lazy("Another date or quantity")
    REFUSED = "refused", gettext_lazy("Cannot deliver")


class Kind(models.TextChoices):
    """What a letter is about."""

    FOLLOW_UP = "follow_up", gettext_lazy("Follow-ups to vendors")
    PROMISE = "promise", gettext_lazy("New dates to customers")


class Status(models.TextChoices):
    """Where a proposal stands, the value being the API's own."""

    OPEN = "open", gettext_lazy("To decide")
    ACCEPTED = "accepted", gettext_lazy("Accepted")  # Odoo is told, and does not show it yet
    APPLIED = "applied", gettext_lazy("In Odoo")
    PUSHED_BACK = "pushed_back", gettext_lazy("Pushed back")
    REPLACED = "replaced", gettext_lazy("Bought elsewhere")
    SUPERSEDED = "superseded", gettext_lazy("Superseded")  # the vendor has answered anew
    LAPSED = "lapsed", gettext_lazy("Lapsed")  # there is nothing left to decide

    @property
    def look(self) -> Look:
        """Its colour and icon."""
        return _LOOKS[self]


_LOOKS = {
    Status.OPEN: Look("risk", "circle-dot"),
    Status.ACCEPTED: Look("calm", "clock"),
    Status.APPLIED: Look("done", "circle-check"),
    Status.PUSHED_BACK: Look("calm", "reply"),
    Status.REPLACED: Look("calm", "shuffle"),
    Status.SUPERSEDED: Look("", "history"),
    Status.LAPSED: Look("", "ban"),
}


class MailStatus(models.TextChoices):
    """Where a message stands that the tower's own mail server sends."""

    QUEUED = "queued", gettext_lazy("Waiting")
    SENDING = "sending", gettext_lazy("Being sent")
    SENT = "sent", gettext_lazy("Sent")
    UNSURE = "unsure", gettext_lazy("Perhaps sent")  # the mail server had it, and nobody knows whether it kept it
    FAILED = "failed", gettext_lazy("Not sent")
    CANCELLED = "cancelled", gettext_lazy("Cancelled")

    @property
    def look(self) -> Look:
        """Its colour and icon."""
        return _MAIL_LOOKS[self]


_MAIL_LOOKS = {
    MailStatus.QUEUED: Look("calm", "clock"),
    MailStatus.SENDING: Look("calm", "send"),
    MailStatus.SENT: Look("done", "circle-check"),
    MailStatus.UNSURE: Look("risk", "triangle-alert"),
    MailStatus.FAILED: Look("late", "octagon-alert"),
    MailStatus.CANCELLED: Look("", "ban"),
}

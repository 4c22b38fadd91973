"""Severity and status of an exception: value, label, the API's code, colour and shape, in one place each; and what people are
offered to choose from."""

from django.db import models
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy, gettext_noop

from apps.core.looks import Look, StatusChoices


class Severity(models.IntegerChoices):
    """How bad; the number sorts."""

    LOW = 1, gettext_lazy("Low")
    MEDIUM = 2, gettext_lazy("Medium")
    HIGH = 3, gettext_lazy("High")
    CRITICAL = 4, gettext_lazy("Critical")

    @property
    def code(self) -> str:
        """What the API calls it, whatever the screens say."""
        return _SEVERITIES[self][0]

    @property
    def colour(self) -> str:
        """Its colour, a custom property of static/css/tokens.css, which says it for light, dark and print."""
        return f"var(--{_SEVERITIES[self][1]})"

    @property
    def mark(self) -> SafeString:
        """Its shape in its colour, so that colour alone says nothing: octagon, triangle, diamond, circle."""
        shape = mark_safe(_SEVERITIES[self][2])
        return format_html('<g fill="{}">{}</g>', self.colour, shape)

    @classmethod
    def of_code(cls, code: str) -> "Severity":
        """Return the severity that the API calls so. Raises KeyError."""
        return _BY_CODE[code]

    @classmethod
    def codes(cls) -> list[str]:
        """Return the API's names, the least first."""
        return list(_BY_CODE)


# Code, colour (tokens.css), shape.
_SEVERITIES = {
    Severity.LOW: ("low", "idle", '<circle cx="7" cy="7" r="5"/>'),
    Severity.MEDIUM: ("medium", "calm", '<path d="M7 0l7 7-7 7-7-7z"/>'),
    Severity.HIGH: ("high", "risk", '<path d="M7 0l7 13H0z"/>'),
    Severity.CRITICAL: ("critical", "late", '<path d="M5 0h4l5 5v4l-5 5H5L0 9V5z"/>'),
}
_BY_CODE = {found[0]: severity for severity, found in _SEVERITIES.items()}


class Status(StatusChoices):
    """Where an exception stands. All but resolved are open to work."""

    OPEN = "open", Look("risk", "circle-dot"), gettext_lazy("Open")
    ACKNOWLEDGED = "acknowledged", Look("calm", "eye"), gettext_lazy("Acknowledged")
    SNOOZED = "snoozed", Look("", "bell-off"), gettext_lazy("Snoozed")
    RESOLVED = "resolved", Look("done", "circle-check"), gettext_lazy("Resolved")


class JobState(StatusChoices):
    """How far a bulk job is."""

    WAITING = "waiting", Look("calm", "loader"), gettext_lazy("Waiting")
    DONE = "done", Look("done", "circle-check"), gettext_lazy("Done")
    UNDOING = "undoing", Look("calm", "loader"), gettext_lazy("Being undone")
    UNDONE = "undone", Look("", "undo-2"), gettext_lazy("Undone")


class Outcome(StatusChoices):
    """What a bulk job made of one exception."""

    WAITING = "", Look("", "clock"), gettext_lazy("Waiting")
    DONE = "done", Look("done", "circle-check"), gettext_lazy("Done")
    REFUSED = "refused", Look("late", "octagon-alert"), gettext_lazy("Refused")
    UNDONE = "undone", Look("", "undo-2"), gettext_lazy("Undone")
    KEPT = "kept", Look("risk", "circle-dot"), gettext_lazy("Kept")


# What a snooze can be until: hours from now, or a morning by the person's own clock.
SNOOZES = (
    ("1", gettext_noop("1 hour")),
    ("4", gettext_noop("4 hours")),
    ("tomorrow", gettext_noop("Tomorrow 8:00")),
    ("monday", gettext_noop("Monday 8:00")),
    ("72", gettext_noop("3 days")),
)

"""What a value of a fixed set is, declared beside the set in one place (``apps/*/choices.py``)."""

from dataclasses import dataclass

from django.db import models


@dataclass(frozen=True)
class Look:
    """What people see of one value beside its label.

    Attributes:
        tone: a colour of static/css/tokens.css without its dashes: ``late``, ``risk``, ``calm``, ``done``; empty for none.
        icon: the name of a lucide icon.
    """

    tone: str
    icon: str

    @property
    def tone_class(self) -> str:
        """The CSS class of its colour; empty for none."""
        return f"tone-{self.tone}" if self.tone else ""

    @property
    def classes(self) -> str:
        """The CSS classes of a badge."""
        return f"badge {self.tone_class}".rstrip()


# No colour of its own.
PLAIN = Look("", "circle")


class StatusChoices(models.TextChoices):
    """Base of every status. A value is declared as its code, its colour and icon, and its label.

    The code is what is stored and what the API says, whatever the label becomes: ``DONE = "done", Look("done", "check"), "Done"``.
    """

    look: Look

    def __new__(cls, code: str, look: Look = PLAIN) -> "StatusChoices":
        member = str.__new__(cls, code)
        member._value_ = code
        member.look = look
        return member

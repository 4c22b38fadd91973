"""How a value of a fixed set looks, declared beside the set (``apps/*/choices.py``)."""

from dataclasses import dataclass


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
    def classes(self) -> str:
        """The CSS classes of a badge."""
        return f"badge tone-{self.tone}" if self.tone else "badge"

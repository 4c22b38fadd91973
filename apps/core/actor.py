"""Who did something: a person, the tower itself, or Odoo."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The one who acts, as the audit trail names it."""

    kind: str  # "user", "token", "system" or "odoo"
    id: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


def system(name: str) -> Actor:
    """The tower itself, by the part that acts: ``system("timers")``."""
    return Actor(kind="system", id=name, name=f"Control Tower ({name})")

"""What the tower itself can do about an exception: suggested actions that tell Odoo nothing by the outbox.

Each is registered by the app that carries it out, as it starts: exceptions know nothing of floors above them.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.accounts.models import User
from apps.exceptions.models import ExceptionCase
from apps.workflows.offers import Option

type OptionsOf = Callable[[ExceptionCase, datetime], Sequence[Option]]
type Do = Callable[[ExceptionCase, Option, User, datetime], None]


@dataclass(frozen=True, kw_only=True)
class OwnAction:
    """A way to resolve an exception that the tower carries out itself.

    Attributes:
        name, title: what tells it from the type's other actions; what it does, in words for people.
        does: what follows from it, in words for people.
        types: the types on whose exceptions it is offered; every type, where none is named.
        options: what can be offered about an exception now; nothing, where it cannot be done.
        do: carries one out, in the caller's transaction. Raises a Refusal where the person may not, or it cannot be.
        may: whether a person may; it is not offered to others.
    """

    name: str
    title: str
    does: str
    options: OptionsOf
    do: Do
    may: Callable[[User], bool]
    types: Collection[str] = ()
    asks: str = ""
    letter: str = ""
    effect: None = None


_registered: dict[str, OwnAction] = {}


def register(action: OwnAction) -> None:
    """Have it offered from now on; called as an app starts."""
    _registered[action.name] = action


def of_type(kind: str) -> list[OwnAction]:
    """Return the actions that are offered on exceptions of a type."""
    return [action for action in _registered.values() if not action.types or kind in action.types]

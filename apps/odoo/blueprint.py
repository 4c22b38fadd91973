"""What the tower wants to stand in an Odoo, declared. The floors above say what; :mod:`apps.odoo.provision` does it.

Everything is made over RPC with what Odoo itself offers, bears the tower's mark, and is removed without trace.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from apps.odoo.models import Connection

# Code that runs inside Odoo, or code that depends on the connection (its name and the tower's address are in it).
Code = str | Callable[[Connection], str]


@dataclass(frozen=True)
class CustomField:
    """A field of its own on an Odoo model. ``name`` begins with ``x_ct_`` (or ``x_`` on a CustomModel).

    ``tower_only``: nobody but the tower's login (and Odoo itself) writes it. Never copied when a person duplicates a
    record: a copy is not released because its original was.
    """

    model: str
    name: str
    ttype: str
    label: str
    help: str = ""
    tower_only: bool = False


@dataclass(frozen=True)
class CustomModel:
    """A model of its own. ``name`` begins with ``x_ct_``; ``fields`` name it as their model.

    The tower's login may read and write its rows, and so may the members of ``access_groups`` (external ids).
    """

    model: str
    label: str
    fields: Sequence[CustomField]
    access_groups: Sequence[str] = ()


@dataclass(frozen=True)
class HookRule:
    """Tell the tower when a record of ``model`` changes.

    ``watch`` narrows writes to those fields (creations always tell). ``fields`` go into the message, beside
    ``write_date``, which always does: two messages with one body then speak of one change. ``domain`` is Odoo's.
    """

    model: str
    trigger: str = "on_create_or_write"
    watch: Sequence[str] = ()
    fields: Sequence[str] = ()
    domain: str = ""


@dataclass(frozen=True)
class GuardRule:
    """Code that runs in Odoo's own transaction when ``state_field`` of a record becomes ``state_value``.

    It raises ``UserError`` to refuse. :func:`apps.odoo.guards.guard_code` writes it.
    """

    name: str
    model: str
    state_field: str
    state_value: str
    code: Code


@dataclass(frozen=True)
class ContextAction:
    """An entry in the Action menu of ``model``'s forms and lists."""

    name: str
    model: str
    code: Code


@dataclass(frozen=True)
class ViewPatch:
    """An inherited view: ``arch`` applied to the form with the external id ``form``."""

    name: str
    model: str
    form: str
    arch: str


@dataclass(frozen=True)
class ScheduledAction:
    """Code that Odoo runs by itself every ``interval_minutes``."""

    name: str
    model: str
    code: Code
    interval_minutes: int


Item = CustomField | CustomModel | HookRule | GuardRule | ContextAction | ViewPatch | ScheduledAction


@dataclass(frozen=True)
class Blueprint:
    """Everything that is to stand in an Odoo."""

    items: Sequence[Item] = field(default_factory=tuple)

"""What the tower wants to stand in an Odoo, declared. The floors above say what; :mod:`apps.odoo.provision` does it.

Everything is made over RPC with what Odoo itself offers, bears the tower's mark, and is removed without trace.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from apps.odoo.models import Connection

# Code that runs inside Odoo, or code that depends on the connection (its name and the tower's address are in it).
Code = str | Callable[[Connection], str]


@dataclass(frozen=True)
class CustomField:
    """A field of its own on an Odoo model. ``name`` begins with ``x_ct_`` (or ``x_`` on a CustomModel).

    ``tower_only``: nobody but the tower's login (and Odoo itself) writes it. Never copied when a person duplicates a
    record: a copy is not released because its original was. ``compute``: code over ``self`` that works its value out when it is
    read, as who reads it; nothing is stored then.

    Odoo keeps groups on a custom field and never looks at them (tried on 19): whoever may read a record reads its custom fields,
    a customer their orders' too. What they must not read is computed, or not put there.
    """

    model: str
    name: str
    ttype: str
    label: str
    help: str = ""
    tower_only: bool = False
    compute: Code = ""


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
class CustomRow:
    """A row of a CustomModel that is always there, found by ``values``; what else stands in it is not looked at."""

    model: str
    values: Mapping[str, str | int]


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
    """Code that runs in Odoo's own transaction when ``state`` of a record becomes one of ``states``, or ``watch`` changes there.

    It raises ``UserError`` to refuse. :func:`apps.odoo.guards.guard_code` writes it. ``lines`` are models whose records
    belong to the guarded one and bear its ``state``, each with the field that points at it and the fields that are watched.
    """

    name: str
    model: str
    states: Sequence[str]
    code: Code
    watch: Sequence[str] = ()
    lines: Sequence[tuple[str, str, Sequence[str]]] = ()


@dataclass(frozen=True)
class ReleaseRule:
    """Code that runs when one of ``watch`` of a record of ``model`` changes: it ends releases that are true no longer."""

    model: str
    watch: Sequence[str]
    code: Code


@dataclass(frozen=True)
class ContextAction:
    """An entry in the Action menu of ``model``'s forms and lists."""

    name: str
    model: str
    code: Code


@dataclass(frozen=True)
class ViewPatch:
    """An inherited view: ``arch`` applied to the view with the external id ``form``; ``ttype`` is ``form``, ``list`` or ``qweb``.

    Where it is ``qweb`` the view is a page's template, and ``model`` is the one whose absence leaves the patch out.
    """

    name: str
    model: str
    form: str
    arch: str
    ttype: str = "form"


@dataclass(frozen=True)
class ScheduledAction:
    """Code that Odoo runs by itself every ``interval_minutes``."""

    name: str
    model: str
    code: Code
    interval_minutes: int


Item = CustomField | CustomModel | CustomRow | HookRule | GuardRule | ReleaseRule | ContextAction | ViewPatch | ScheduledAction


@dataclass(frozen=True)
class Blueprint:
    """Everything that is to stand in an Odoo."""

    items: Sequence[Item] = field(default_factory=tuple)

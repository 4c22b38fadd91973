"""Which part of the business an address asks for, what may be chosen instead, and what leads on to the same part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.translation import gettext

from apps.accounts.access import AccessScope
from apps.boards.boards.kpi_slices import BOARD_SLICES, SLICES, Part, Slice, connection_of, options, slices_of
from apps.odoo import request_scope
from apps.odoo.models import Connection
from apps.workflows.declare import Workflow

# The parameters of an address, each with the test for its value.
FIGURE_SLICES = dict.fromkeys(SLICES, request_scope.is_number)
ALL_SLICES = dict.fromkeys(BOARD_SLICES, request_scope.is_number)

# Behind the live topic of a board: its page is only told that it changed, and fetches what its own address asks for.
TOLD_ONLY = "@changed"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One slice as a form offers it: its parts by number, the one that is chosen, and whether there are many."""

    slice: Slice
    rows: Sequence[tuple[int, str]]
    chosen: int | None

    @property
    def is_long(self) -> bool:
        """Whether it is searched rather than scrolled."""
        return len(self.rows) > 12

    @property
    def name(self) -> str:
        """What is chosen, in words; "" where nothing is."""
        return next((name for number, name in self.rows if number == self.chosen), "")


class SliceChoice:
    """The filter line of a page.

    Attributes:
        part: what is asked for; None for all.
        scope: what the address has to say for numbers of Odoo to mean the same tomorrow: the connection, and its company.
    """

    def __init__(self, *, part: Part | None, scope: Mapping[str, Any], known: Mapping[str, Slice], shown: AccessScope) -> None:
        self.part, self.scope = part, scope
        self._known, self._shown = known, shown

    @property
    def query(self) -> str:
        """What keeps the part in an address; "" where none is asked for."""
        return urlencode({**self.scope, **self.part.numbers}) if self.part else ""

    @cached_property
    def choices(self) -> list[Choice]:
        """What may be chosen of each slice; asked for only by what shows it, and not by what is fetched live."""
        numbers = self.part.numbers if self.part else {}
        connection = Connection.objects.filter(name=self.scope.get("connection", "")).first()
        found = options(connection.pk, self._shown, slices=self._known, part=self.part) if connection else {}
        choices = []
        for name, one in self._known.items():
            rows, chosen = found.get(name, []), numbers.get(name)
            if chosen is not None and chosen not in dict(rows):
                # Deleted in Odoo, out of sight, or never there: the page says for what it finds nothing.
                rows = [*rows, (chosen, gettext("unknown (%(number)s)") % {"number": chosen})]
            if rows:
                choices.append(Choice(slice=one, rows=rows, chosen=chosen))
        return choices

    @property
    def names(self) -> list[str]:
        """What is chosen, in words."""
        return [one.name for one in self.choices if one.name]


def part_in(request: HttpRequest, shown: AccessScope, known: Mapping[str, Slice]) -> Part | None:
    """Return the part of the business that the address asks for; None where it asks for none."""
    numbers = {name: int(request.GET[name]) for name in known if request.GET.get(name)}
    if not numbers:
        return None
    # Numbers of several Odoos mean different things: of none of them there is anything to show.
    return Part(connection_id=connection_of(request_scope.choice_of(request), shown) or 0, numbers=numbers)


def choice_of(request: HttpRequest, shown: AccessScope, known: Mapping[str, Slice]) -> SliceChoice:
    """Return the filter line of a page that knows the slices ``known``."""
    chosen, part = request_scope.choice_of(request), part_in(request, shown, known)
    connection = Connection.objects.filter(pk=connection_of(chosen, shown) or 0).first()
    scope: dict[str, Any] = {"connection": connection.name} if connection else {}
    if chosen and chosen[1] is not None:
        scope["company"] = chosen[1]
    return SliceChoice(part=part, scope=scope, known=known, shown=shown)


def choice_for(request: HttpRequest, shown: AccessScope, workflows: Sequence[Workflow]) -> SliceChoice:
    """Return the filter line of boards of these workflows."""
    return choice_of(request, shown, slices_of([one.odoo_model for one in workflows]))


def problems_of(request: HttpRequest, workflow: Workflow) -> list[str]:
    """Return which slices the address asks for that the workflow does not know, a sentence each."""
    known = slices_of([workflow.odoo_model])
    return [
        gettext("%(board)s has no filter “%(slice)s”.") % {"board": gettext(workflow.title), "slice": gettext(one.title)}
        for name, one in BOARD_SLICES.items()
        if request.GET.get(name) and name not in known
    ]

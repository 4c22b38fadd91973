"""The columns of the queue: which of them a person shows, and what a spreadsheet gets of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, gettext_noop

from apps.exceptions import resolutions
from apps.exceptions.queue.screens import Row

# Which columns are hidden, with a dot between; a page that has no such cookie chooses by its width (static/css/queue.css).
COOKIE = "queue_hidden"
HIDE_NONE = "-"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column.

    Attributes:
        words: its headings in a spreadsheet, the first of them also its name on the page.
        of: the cells of a row, as many as there are headings.
        is_fixed: True if it is always shown.
    """

    name: str
    words: Sequence[str]
    of: Callable[[Row], Sequence[Any]]
    is_fixed: bool = False

    def headings(self) -> list[str]:
        """Return its headings in the reader's language."""
        return [gettext(word) for word in self.words]

    def cells(self, row: Row) -> Sequence[Any]:
        """Return the cells of ``row``."""
        return self.of(row)


COLUMNS = (
    Column(name="severity", words=[gettext_noop("Severity")], of=lambda row: [row.case.get_severity_display()]),
    Column(
        name="record",
        words=[gettext_noop("Record"), gettext_noop("Connection")],
        is_fixed=True,
        of=lambda row: [row.case.record_name, row.case.connection.name],
    ),
    Column(name="type", words=[gettext_noop("Type")], of=lambda row: [row.type]),
    Column(name="customer", words=[gettext_noop("Customer")], of=lambda row: [row.case.partner_name]),
    Column(
        name="money",
        words=[gettext_noop("Amount at risk"), gettext_noop("Currency")],
        of=lambda row: [row.case.amount, row.case.currency],
    ),
    Column(name="promised", words=[gettext_noop("Promised")], of=lambda row: [row.case.promised_at]),
    Column(name="due", words=[gettext_noop("Due")], of=lambda row: [row.case.due_at]),
    Column(name="age", words=[gettext_noop("Opened")], of=lambda row: [row.case.opened_at]),
    Column(
        name="owner",
        words=[gettext_noop("Owner"), gettext_noop("Team")],
        of=lambda row: [str(row.case.owner or ""), str(row.case.team)],
    ),
    Column(name="stage", words=[gettext_noop("Stage")], of=lambda row: [row.stage]),
    Column(
        name="status",
        words=[gettext_noop("Status"), gettext_noop("Resolution")],
        of=lambda row: [row.case.get_status_display(), resolutions.told(row.case.resolution)],
    ),
)
NAMES = {column.name for column in COLUMNS if not column.is_fixed}


def hidden_of(cookie: str | None) -> list[str] | None:
    """Return the columns that the person hides, None where they have not chosen."""
    if not cookie:
        return None
    return [name for name in cookie.split(".") if name in NAMES]


def shown(cookie: str | None) -> list[Column]:
    """Return the columns that the person shows; all of them where they have not chosen."""
    hidden = hidden_of(cookie) or []
    return [column for column in COLUMNS if column.name not in hidden]


def titles() -> list[tuple[str, str]]:
    """Return what can be hidden, each with its title."""
    return [(column.name, column.headings()[0]) for column in COLUMNS if not column.is_fixed]

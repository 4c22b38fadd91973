"""The queue by cause: one line a cause that holds up several, among the exceptions that stand alone.

Both come from an index of the order that was asked for, a page of each, and are merged: the page costs by what is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext

from apps.accounts.access import AccessScope
from apps.exceptions.models import SEVERAL, CauseGroup, ExceptionCase
from apps.exceptions.queue.orders import Order
from apps.exceptions.queue.screens import Row, rows_of
from apps.mirror import companies

# What tells a group's number from an exception's, where a page or a form names either.
MARK = "g"
# Beyond every number that there is: "after all of the same key".
LAST = 10**18 - 1


@dataclass(frozen=True, kw_only=True)
class GroupRow:
    """A cause group as a list shows it.

    Attributes:
        matching: how many of its exceptions the filters let through.
    """

    group: CauseGroup
    matching: int

    @property
    def mark(self) -> str:
        """How a page and a form name it."""
        return f"{MARK}{self.group.pk}"

    @property
    def version(self) -> str:
        """What changes when the line does."""
        return f"{self.group.updated_at.timestamp()}:{self.matching}"

    @property
    def count_words(self) -> str:
        """How many exceptions it has, and how many of them are shown."""
        if self.matching == self.group.cases_count:
            return gettext("%(n)s exceptions") % {"n": self.group.cases_count}
        return gettext("%(n)s of %(total)s exceptions") % {"n": self.matching, "total": self.group.cases_count}


type Line = Row | GroupRow


def groups_in_sight(access_scope: AccessScope) -> QuerySet[CauseGroup]:
    """The groups that somebody may see, with what a line shows."""
    found = CauseGroup.objects.filter(access_scope.of_records()).select_related("owner", "team", "connection")
    return companies.with_company_name(found, access_scope)


def page(
    cases: QuerySet[ExceptionCase],
    *,
    order: Order,
    cursor: str,
    size: int,
    access_scope: AccessScope,
    shown: AccessScope,
    is_filtered: bool,
) -> tuple[list[Line], str]:
    """Return a page of lines, and the cursor of the page after it ("" where this is the last).

    Args:
        cases: the open exceptions that the filters let through.
        access_scope: what the reader may see at all; ``shown``: what of it they look at.
        is_filtered: False where every open exception in sight is among ``cases``.
    """
    after = _after(order, cursor)
    groups = _groups(cases, order, after["group"], size + 1, access_scope=access_scope, shown=shown, is_filtered=is_filtered)
    alone = list(order.page(cases.filter(is_grouped=False), after["case"], size=size + 1, access_scope=access_scope))
    found: list[tuple[Any, int, int, CauseGroup | ExceptionCase]] = [
        *((vars(group)["key"], 0, group.pk, group) for group in groups),
        *((vars(case)["key"], 1, case.pk, case) for case in alone),
    ]
    found.sort(key=lambda one: one[:3] if not order.falls else (_reversed(one[0]), one[1], -one[2]))
    chosen = found[:size]
    rows = {row.case.pk: row for row in rows_of([one for *_, one in chosen if isinstance(one, ExceptionCase)])}
    lines: list[Line] = [
        rows[one.pk] if isinstance(one, ExceptionCase) else GroupRow(group=one, matching=_matching(one)) for *_, one in chosen
    ]
    if len(found) <= size:
        return lines, ""
    key, kind, pk, _ = chosen[-1]
    return lines, f"{MARK if kind == 0 else ''}{order.written(key)}~{pk}"


class _reversed:
    """A key that sorts the other way round."""

    def __init__(self, key: Any) -> None:
        self.key = key

    def __lt__(self, other: "_reversed") -> bool:
        return bool(other.key < self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _reversed) and bool(self.key == other.key)


def _after(order: Order, cursor: str) -> dict[str, str]:
    """The cursor of either list: of equal keys the groups come first."""
    if not cursor:
        return {"group": "", "case": ""}
    is_group, text = cursor.startswith(MARK), cursor.removeprefix(MARK)
    key = text.rpartition("~")[0]
    first, last = ("0", str(LAST)) if not order.falls else (str(LAST), "0")
    return {"group": text, "case": f"{key}~{first}"} if is_group else {"group": f"{key}~{last}", "case": text}


def _groups(
    cases: QuerySet[ExceptionCase],
    order: Order,
    cursor: str,
    size: int,
    *,
    access_scope: AccessScope,
    shown: AccessScope,
    is_filtered: bool,
) -> list[Any]:
    """At most ``size`` groups after the cursor, each with its ``key``; of which an index of the order tells."""
    several = CauseGroup.objects.filter(SEVERAL, shown.of_records(), ended_at=None)
    if is_filtered:
        several = several.filter(Exists(cases.order_by().filter(group=OuterRef("pk"), is_grouped=True)))
    chosen = order.annotated(several)
    if cursor:
        chosen = order.after(chosen, cursor)
    found = groups_in_sight(access_scope).filter(pk__in=chosen.values("pk")[:size])
    if is_filtered:
        counted = cases.order_by().filter(group=OuterRef("pk")).values("group").annotate(n=Count("pk")).values("n")
        found = found.annotate(matching=Subquery(counted))
    return list(order.annotated(found))


def _matching(group: CauseGroup) -> int:
    """How many of the group's exceptions the filters let through: all, where nothing is filtered."""
    return int(vars(group).get("matching", group.cases_count) or 0)


def read_ids(texts: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the exceptions and the groups that a form names; what is neither is left out."""
    cases: list[int] = []
    groups: list[int] = []
    for text in texts:
        number, found = text.removeprefix(MARK), groups if text.startswith(MARK) else cases
        if number.isascii() and number.isdecimal() and len(number) < 19:
            found.append(int(number))
    return cases, groups


def chosen_by(ids: tuple[Sequence[int], Sequence[int]]) -> Q:
    """Return the condition of the exceptions that a form names by themselves or by their groups."""
    return Q(pk__in=ids[0]) | (Q(group__in=ids[1]) if ids[1] else Q())

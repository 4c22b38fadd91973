"""The queue by cause: one line a cause that holds up several, among the exceptions that stand alone.

Both come from an index of the order that was asked for, a page of each, and are merged: the page costs by what is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Value
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


def groups_in_sight(seen: AccessScope) -> QuerySet[CauseGroup]:
    """The groups that somebody may see, with what a line shows."""
    found = CauseGroup.objects.filter(seen.of_records()).select_related("owner", "team", "connection")
    return companies.with_company_name(found, seen)


def page(
    cases: QuerySet[ExceptionCase],
    *,
    order: Order,
    cursor: str,
    size: int,
    seen: AccessScope,
    shown: AccessScope,
    is_filtered: bool,
) -> tuple[list[Line], str]:
    """Return a page of lines, and the cursor of the page after it ("" where this is the last).

    Args:
        cases: the open exceptions that the filters let through.
        seen: what the reader may see at all; ``shown``: what of it they look at.
        is_filtered: False where every open exception in sight is among ``cases``.
    """
    groups = CauseGroup.objects.filter(SEVERAL, shown.of_records(), ended_at=None)
    if is_filtered:
        groups = groups.filter(Exists(cases.order_by().filter(group=OuterRef("pk"), is_grouped=True)))
    after = _after(order, cursor)
    of_groups = _keyed(order, groups, after["group"], size + 1, kind=0)
    of_cases = _keyed(order, cases.filter(is_grouped=False), after["case"], size + 1, kind=1)
    keys = sorted(
        of_groups.union(of_cases, all=True),
        key=lambda one: one if not order.falls else (_reversed(one[0]), one[1], -one[2]),
    )
    chosen = keys[:size]
    lines = _lines(chosen, cases, order, seen, is_filtered=is_filtered)
    if len(keys) <= size:
        return lines, ""
    key, kind, pk = chosen[-1]
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


def _keyed(order: Order, rows: QuerySet[Any], cursor: str, size: int, *, kind: int) -> QuerySet[Any, Any]:
    chosen = order.annotated(rows)
    if cursor:
        chosen = order.after(chosen, cursor)
    found: QuerySet[Any, Any] = chosen.annotate(of=Value(kind)).values_list("key", "of", "pk")[:size]
    return found


def _lines(
    chosen: Sequence[tuple[Any, int, int]], cases: QuerySet[ExceptionCase], order: Order, seen: AccessScope, *, is_filtered: bool
) -> list[Line]:
    group_ids = [pk for _, kind, pk in chosen if kind == 0]
    single = ExceptionCase.objects.filter(pk__in=[pk for _, kind, pk in chosen if kind == 1])
    rows = {row.case.pk: row for row in rows_of(list(order.rows(single, seen)))} if len(group_ids) < len(chosen) else {}
    in_sight = groups_in_sight(seen).filter(pk__in=group_ids)
    if is_filtered:
        counted = cases.order_by().filter(group=OuterRef("pk")).values("group").annotate(n=Count("pk")).values("n")
        in_sight = in_sight.annotate(matching=Subquery(counted))
    groups = {group.pk: group for group in in_sight} if group_ids else {}
    lines: list[Line] = []
    for _, kind, pk in chosen:
        # One that has ended between the two statements is left out.
        if kind == 0 and pk in groups:
            group = groups[pk]
            lines.append(GroupRow(group=group, matching=vars(group).get("matching", group.cases_count) or 0))
        elif kind == 1 and pk in rows:
            lines.append(rows[pk])
    return lines


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

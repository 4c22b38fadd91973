"""The inbox and the list of decisions: filtered, sorted, grouped, and paged by key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext, gettext_noop

from apps.accounts import access
from apps.accounts.access import AccessScope
from apps.accounts.models import User
from apps.approvals import queries
from apps.approvals.inbox import screens
from apps.approvals.inbox.screens import Card
from apps.approvals.models import Request, Status
from apps.core.keyset import Key, Keyset
from apps.core.query_strings import Parameter, one_of, problems_of
from apps.mirror import rates
from apps.odoo import request_scope as page_scope
from apps.workflows import registry

PAGE = 50
# Requests that others decide, below one's own.
OTHERS = 6
AMOUNT = Coalesce(F("amount"), Value(0), output_field=Request._meta.get_field("amount"))

DUE_WITHIN = {
    "late": (timedelta(0), gettext_noop("Overdue")),
    "4h": (timedelta(hours=4), gettext_noop("Within 4 h")),
    "24h": (timedelta(hours=24), gettext_noop("Within 24 h")),
    "7d": (timedelta(days=7), gettext_noop("Within 7 days")),
}
SORTS: dict[str, tuple[str, tuple[Key, ...]]] = {
    "due": (gettext_noop("Earliest due"), (Key(name="due_at", kind="moment"),)),
    "amount": (gettext_noop("Largest amount"), (Key(name="sum", kind="number", falls=True),)),
    "new": (gettext_noop("Newest"), (Key(name="requested_at", kind="moment", falls=True),)),
    "old": (gettext_noop("Oldest"), (Key(name="requested_at", kind="moment"),)),
}
GROUPS = {
    "customer": (gettext_noop("By customer"), "partner_name"),
    "kind": (gettext_noop("By type"), "kind"),
    "asker": (gettext_noop("By requester"), "requested_by"),
}
WHOSE = ("me", "others")
ID = Key(name="id", kind="id")
DECIDED = Keyset((Key(name="decided_at", kind="moment", falls=True), Key(name="id", kind="id", falls=True)))
ENDS = [status for status in Status if status != Status.PENDING]


@dataclass(frozen=True, kw_only=True)
class Group:
    """The cards of a page that have something in common; ``count`` is how many there are on all pages."""

    word: str
    count: int
    cards: Sequence[Card]


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """One page of what waits for a decision."""

    filters: dict[str, str]
    sort: str
    group: str
    whose: str
    problems: Sequence[str] = ()
    cards: Sequence[Card] = ()
    groups: Sequence[Group] = ()
    total: int = 0
    next_query: str = ""
    is_first: bool = True
    others: Sequence[Card] = ()
    others_total: int = 0


@dataclass(frozen=True, kw_only=True)
class Decided:
    """One page of what has been decided, the latest first."""

    filters: dict[str, str]
    problems: Sequence[str] = ()
    rows: Sequence[tuple[Card, Request]] = ()
    next_query: str = ""
    is_first: bool = True
    choices: Mapping[str, Any] = field(default_factory=dict)


def _parameters(user: User) -> dict[str, Parameter]:
    """Return what both lists can be filtered by; the connection and company narrow the whole page."""
    own = access.scope_of(user)
    return {
        "q": Parameter(label=gettext("Record or customer")),
        "kind": Parameter(label=gettext("Type"), is_known=one_of(registry.approval_kinds())),
        "connection": Parameter(label=gettext("Connection"), is_known=lambda value: page_scope.is_connection(value, own)),
        "company": Parameter(label=gettext("Company"), is_known=page_scope.is_number),
    }


def choices() -> dict[str, Any]:
    """Return what the filters offer."""
    return {
        "kinds": sorted(((name, screens.kind_title(name)) for name in registry.approval_kinds()), key=lambda one: one[1]),
        "dues": [(name, gettext(word)) for name, (_, word) in DUE_WITHIN.items()],
        "sorts": [(name, gettext(word)) for name, (word, _) in SORTS.items()],
        "groupings": [(name, gettext(word)) for name, (word, _) in GROUPS.items()],
        "ends": [(status.value, status.label) for status in ENDS],
    }


def _sum(sort: str, now: datetime) -> Any:
    """What the largest are found by: sums in several currencies by what they are worth in the default one."""
    return rates.comparable(AMOUNT, day=now.date()) if sort == "amount" else AMOUNT


def inbox(query: Mapping[str, str], user: User, access_scope: AccessScope, *, now: datetime) -> Inbox:
    """Return the page of the inbox that the query string asks for, and how many requests it holds in all."""
    shown_by = {
        "sort": Parameter(label=gettext("Sort"), is_known=one_of(SORTS)),
        "group": Parameter(label=gettext("Group"), is_known=one_of(GROUPS)),
        "whose": Parameter(label=gettext("Approver"), is_known=one_of(WHOSE)),
        "due": Parameter(label=gettext("Due"), is_known=one_of(DUE_WITHIN)),
    }
    known = _parameters(user) | shown_by
    given = {name: value for name, value in query.items() if name in known and value}
    problems = problems_of(query, known, beside={"after"})
    sort, group, whose = given.get("sort", "due"), given.get("group", ""), given.get("whose", "me")
    filters = {name: value for name, value in given.items() if name not in ("sort", "group", "whose")}
    page = {"filters": filters, "sort": sort, "group": group, "whose": whose}
    if problems:
        return Inbox(problems=problems, **page)  # type: ignore[arg-type]
    mine = queries.inbox_of(user, access_scope)
    wanted = mine if whose == "me" else _of_others(mine, access_scope)
    wanted = _matching(wanted, filters, now=now)
    grouped_by = GROUPS[group][1] if group else ""
    keys = ((Key(name=grouped_by),) if group else ()) + SORTS[sort][1] + (ID,)
    cursor = query.get("after", "")
    rows, after = Keyset(keys).page(wanted.annotate(sum=_sum(sort, now)), cursor, size=PAGE)
    cards = screens.cards_of(rows, access.scope_of(user))
    others = _matching(_of_others(mine, access_scope), filters, now=now) if whose == "me" and not cursor else None
    return Inbox(
        cards=cards,
        groups=_grouped(cards, grouped_by, wanted),
        total=_count(wanted),
        is_first=not cursor,
        next_query=urlencode(given | {"after": after}) if after else "",
        others=screens.cards_of(others.order_by("due_at", "id")[:OTHERS], access.scope_of(user)) if others is not None else [],
        others_total=_count(others) if others is not None else 0,
        **page,  # type: ignore[arg-type]
    )


def decided(query: Mapping[str, str], user: User, access_scope: AccessScope) -> Decided:
    """Return the page of decisions that the query string asks for, the latest decision first."""
    known = _parameters(user) | {
        "status": Parameter(label=gettext("Decision"), is_known=one_of([status.value for status in ENDS])),
        "by": Parameter(label=gettext("Decided by"), is_known=one_of(["me"])),
    }
    filters = {name: value for name, value in query.items() if name in known and value}
    if problems := problems_of(query, known, beside={"after"}):
        return Decided(filters=filters, problems=problems)
    ended = _matching(queries.in_sight(access_scope).exclude(status=Status.PENDING), filters)
    if status := filters.get("status"):
        ended = ended.filter(status=status)
    if filters.get("by"):
        ended = ended.filter(decided_by=user)
    cursor = query.get("after", "")
    rows, after = DECIDED.page(ended.filter(decided_at__isnull=False), cursor, size=PAGE)
    return Decided(
        filters=filters,
        rows=[(screens.card_of(request), request) for request in rows],
        is_first=not cursor,
        next_query=urlencode(filters | {"after": after}) if after else "",
    )


def _of_others(mine: QuerySet[Request], access_scope: AccessScope) -> QuerySet[Request]:
    """What this person sees but somebody else has to decide."""
    return queries.in_sight(access_scope).filter(status=Status.PENDING).exclude(id__in=mine.order_by().values("id"))


def _matching(requests: QuerySet[Request], filters: Mapping[str, str], *, now: datetime | None = None) -> QuerySet[Request]:
    if kind := filters.get("kind"):
        requests = requests.filter(kind=kind)
    if now and (due := filters.get("due")):
        requests = requests.filter(due_at__lte=now + DUE_WITHIN[due][0])
    if words := filters.get("q", "").strip():
        requests = requests.filter(
            Q(record_name__icontains=words) | Q(partner_name__icontains=words) | Q(requested_by__icontains=words)
        )
    return requests


def _count(requests: QuerySet[Request]) -> int:
    return requests.order_by().select_related(None).prefetch_related(None).count()


def _grouped(cards: Sequence[Card], by: str, wanted: QuerySet[Request]) -> list[Group]:
    """Return the cards of a page under headings, which count what all pages hold."""
    if not by or not cards:
        return []
    parts: dict[str, list[Card]] = {}
    for card in cards:
        parts.setdefault(getattr(card.request, by), []).append(card)
    plain = wanted.order_by().select_related(None).prefetch_related(None).filter(**{f"{by}__in": list(parts)})
    counts = dict(plain.values(by).annotate(many=Count("pk")).values_list(by, "many"))
    return [Group(word=_word_of(by, value), count=counts.get(value, len(some)), cards=some) for value, some in parts.items()]


def _word_of(by: str, value: str) -> str:
    if by == "kind":
        return screens.kind_title(value)
    return value or (gettext("No customer") if by == "partner_name" else gettext("Unknown"))

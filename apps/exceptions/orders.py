"""The ways to sort the queue, each held by an index, and how a page goes on after the last row of the one before."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_noop

from apps.exceptions.models import DUE, MONEY, ExceptionCase


@dataclass(frozen=True, kw_only=True)
class Order:
    """A way to sort: expressions that an index holds, each with how its value stands in a cursor."""

    word: str
    by: Any
    falls: bool = False

    def annotated(self, cases: QuerySet[ExceptionCase]) -> QuerySet[ExceptionCase]:
        """``cases`` in this order, each with the value that it is ordered by as ``key``."""
        signs = "-" if self.falls else ""
        return cases.annotate(key=self.by).order_by(f"{signs}key", f"{signs}id")

    def after(self, cases: QuerySet[ExceptionCase], cursor: str) -> QuerySet[ExceptionCase]:
        """What comes after the row that the cursor names, ``<key>~<id>``. A broken cursor begins anew."""
        text, _, last = cursor.rpartition("~")
        if not last.isascii() or not last.isdecimal() or len(last) > 18:
            return cases
        try:
            key: Any = self._read(text)
        except (ValueError, InvalidOperation):
            return cases
        beyond = "lt" if self.falls else "gt"
        # The first condition is what the index is entered by.
        return cases.filter(**{f"key__{beyond}e": key}).filter(Q(**{f"key__{beyond}": key}) | Q(**{f"id__{beyond}": int(last)}))

    def page(self, cases: QuerySet[ExceptionCase], cursor: str, *, size: int) -> QuerySet[ExceptionCase]:
        """At most ``size`` of ``cases`` after the cursor, with what a row shows.

        Which they are is found in an index alone; only those are then read.
        """
        chosen = self.annotated(cases)
        if cursor:
            chosen = self.after(chosen, cursor)
        return self.rows(ExceptionCase.objects.filter(id__in=chosen.values("id")[:size]))

    def rows(self, cases: QuerySet[ExceptionCase]) -> QuerySet[ExceptionCase]:
        """``cases`` in this order, with what a row shows."""
        return self.annotated(cases).select_related("owner", "team", "connection").defer("evidence")

    def cursor(self, case: Any) -> str:
        """The cursor of a row of :meth:`annotated`."""
        key = case.key
        return f"{key.astimezone(UTC).isoformat() if isinstance(key, datetime) else key}~{case.id}"

    def _read(self, text: str) -> Any:
        if self is ORDERS["cost"]:
            return int(text)
        if self is ORDERS["money"]:
            number = Decimal(text)
            if not number.is_finite():
                raise ValueError(text)
            return number
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(text)
        return moment


ORDERS = {
    "cost": Order(word=gettext_noop("What it costs to wait"), by=F("rank")),
    "due": Order(word=gettext_noop("Due first"), by=DUE),
    "money": Order(word=gettext_noop("Most money at risk"), by=MONEY, falls=True),
    "age": Order(word=gettext_noop("Oldest"), by=F("opened_at")),
    "new": Order(word=gettext_noop("Newest"), by=F("opened_at"), falls=True),
}
ENDED = Order(word=gettext_noop("Ended last"), by=F("resolved_at"), falls=True)

"""The ways to sort the queue, each held by an index, and how a page goes on after the last row of the one before."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import BigIntegerField, Case, F, Func, Q, QuerySet, When
from django.utils.translation import gettext_noop

from apps.accounts.access import AccessScope
from apps.core import clock
from apps.exceptions.models import DUE, MONEY, ExceptionCase
from apps.mirror import companies, rates


class LaterBy(Func):
    """How many seconds less a sum brings a case forward than :class:`apps.exceptions.models.Rank` has it, by what one is worth.

    In floats, which are many times quicker than decimals: every open case in a foreign currency is worked out.
    """

    template = (
        "(21600 * (log(1 + GREATEST(%(expressions)s, 0)::float8)"
        " - log(1 + GREATEST(%(expressions)s, 0)::float8 * %(worth)s)))::bigint"
    )
    output_field = BigIntegerField()

    def __init__(self, amount: Any, worth: Decimal) -> None:
        super().__init__(amount, worth=f"{float(worth)!r}::float8")


@dataclass(frozen=True, kw_only=True)
class Order:
    """A way to sort: expressions that an index holds, each with how its value stands in a cursor.

    Where companies count in several currencies, sums (``is_money``) and what they bring forward (``is_rank``) are compared by what
    they are worth in the default one, which no index holds.
    """

    word: str
    by: Any
    falls: bool = False
    is_money: bool = False
    is_rank: bool = False

    def annotated[Rows: QuerySet[Any]](self, cases: Rows) -> Rows:
        """``cases``, or their groups, in this order, each with the value that it is ordered by as ``key``."""
        signs = "-" if self.falls else ""
        by, today = self.by, clock.now().date()
        if self.is_money:
            by = rates.comparable(by, day=today)
        elif self.is_rank and (worth := rates.ratios(day=today)):
            later = [When(currency=name, then=F("rank") + LaterBy(F("amount"), ratio)) for name, ratio in sorted(worth.items())]
            by = Case(*later, default=F("rank"), output_field=BigIntegerField())
        return cases.annotate(key=by).order_by(f"{signs}key", f"{signs}id")

    def after[Rows: QuerySet[Any]](self, cases: Rows, cursor: str) -> Rows:
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

    def page(self, cases: QuerySet[ExceptionCase], cursor: str, *, size: int, access_scope: AccessScope) -> QuerySet[ExceptionCase]:
        """At most ``size`` of ``cases`` after the cursor, with what a row shows to whoever sees ``access_scope``.

        Which they are is found in an index alone; only those are then read.
        """
        chosen = self.annotated(cases)
        if cursor:
            chosen = self.after(chosen, cursor)
        return self.rows(ExceptionCase.objects.filter(id__in=chosen.values("id")[:size]), access_scope)

    def rows(self, cases: QuerySet[ExceptionCase], access_scope: AccessScope) -> QuerySet[ExceptionCase]:
        """``cases`` in this order, with what a row shows to whoever sees ``access_scope``."""
        found = companies.with_company_name(self.annotated(cases), access_scope)
        return found.select_related("owner", "team", "connection").defer("evidence")

    def cursor(self, case: Any) -> str:
        """The cursor of a row of :meth:`annotated`."""
        return f"{self.written(case.key)}~{case.id}"

    def written(self, key: Any) -> str:
        """The value that a row is ordered by, as a cursor has it."""
        return key.astimezone(UTC).isoformat() if isinstance(key, datetime) else str(key)

    def _read(self, text: str) -> Any:
        if self is ORDERS["cost"]:
            return int(text)
        if self.is_money:
            number = Decimal(text)
            if not number.is_finite():
                raise ValueError(text)
            return number
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(text)
        return moment


ORDERS = {
    "cost": Order(word=gettext_noop("Cost of delay"), by=F("rank"), is_rank=True),
    "due": Order(word=gettext_noop("Earliest due"), by=DUE),
    "money": Order(word=gettext_noop("Highest amount at risk"), by=MONEY, falls=True, is_money=True),
    "age": Order(word=gettext_noop("Oldest"), by=F("opened_at")),
    "new": Order(word=gettext_noop("Newest"), by=F("opened_at"), falls=True),
}
ENDED = Order(word=gettext_noop("Recently closed"), by=F("resolved_at"), falls=True)

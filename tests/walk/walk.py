"""A walk: what a business does, act by act, and after each act the tower compared with Odoo.

A walk that fails is cut down to the few acts that it takes (:func:`shrink`), which then make a test.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import odoorpc
from django.db.models import Max, QuerySet

from apps.approvals.models import Request, Status
from apps.core import clock
from tests.walk.acts import ACTS, Act
from tests.walk.business import Business, OdooBrokeError
from tests.walk.tower import Tower

if TYPE_CHECKING:
    from tests.walk.sandbox import SandboxBusiness

TOLD_EVERY = 100

Check = Callable[["Walk"], list[str]]


@dataclass(frozen=True)
class Failure:
    """What did not hold after an act.

    Attributes:
        rule: the name of the check.
        text: what was found, with the records.
        after: how many acts had been done.
    """

    rule: str
    text: str
    after: int


@dataclass
class Report:
    """What a walk did and found."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    empty: Counter[str] = field(default_factory=Counter)
    checks: int = 0
    failures: list[Failure] = field(default_factory=list)
    diary: list[str] = field(default_factory=list)
    seconds: float = 0.0
    # Seconds by check, and those of acts and of the tower.
    cost: Counter[str] = field(default_factory=Counter)

    def summary(self) -> str:
        """One line for people."""
        return (
            f"{sum(self.done.values())} acts done, {sum(self.refused.values())} refused by Odoo, "
            f"{sum(self.empty.values())} with nothing to act on, {self.checks} checks, {len(self.failures)} failures, "
            f"{self.seconds:.0f} s"
        )

    def save(self, path: Path) -> None:
        """Write the whole of it, for whoever looks into a failure."""
        path.write_text(
            json.dumps(
                {
                    "summary": self.summary(),
                    "done": self.done,
                    "refused": self.refused,
                    "empty": self.empty,
                    "failures": [one.__dict__ for one in self.failures],
                    "seconds": {name: round(seconds, 1) for name, seconds in self.cost.most_common()},
                    "diary": self.diary,
                },
                indent=1,
            )
        )


class Walk:
    """One walk over a business of its own."""

    def __init__(
        self,
        business: "Business | SandboxBusiness",
        tower: Tower,
        checks: Sequence[Check],
        *,
        check_every: int = 1,
        knows_all: bool = False,
        full_every: int = 1,
        now_and_then: Sequence[Check] = (),
    ) -> None:
        """Make ready.

        Args:
            check_every: acts from one look to the next. The tower reads what changed before each look, and is behind in between.
            knows_all: nobody else works in this Odoo, so all its records are the walk's.
            full_every: looks from one at all records to the next. Those between look at what changed, in a business that
                says what that is.
            now_and_then: what is compared at the looks at all records alone.
        """
        # The sandbox answers what it can of what a business is asked; the rest is not among its acts.
        self.business: Any = business
        self.reader = getattr(business, "reader", self.business.odoo)
        self.tower, self.checks, self.check_every = tower, checks, check_every
        self.full_every, self.looks, self.now_and_then = full_every, 0, now_and_then
        # When cases were first seen to be due (tests/walk/oracle/due.py).
        self.last_case, self.due_of, self.dues = 0, dict[int, Any](), dict[Any, Any]()
        self.made: dict[str, list[int]] = {}
        # What changed since the last look, by model; None where all is looked at.
        self.scope: dict[str, set[int]] | None = None
        # The requests that waited at the last look, the last one there was, and those that may have changed since.
        self.waited: set[int] = set()
        self.last_request, self.stirred = 0, set[int]()
        self.knows_all = knows_all
        # What was ordered before there was a policy.
        ordered = [("state", "=", "purchase")]
        self.past: set[int] = set(self.reader.search("purchase.order", ordered)) if knows_all else set()
        # What was confirmed at the last look, and what an administrator of the business wrote, not the tower.
        self.confirmed: set[int] = set()
        self.by_machine: set[tuple[str, int]] = set()
        # What customers read as they signed.
        self.read_by_customers: list[tuple[int, str]] = []
        self.known: set[str] = set()
        self.report = Report()

    def know_all(self) -> None:
        """Take all documents and stock there are for this walk's: nobody else works here."""
        for model in ("sale.order", "purchase.order", "account.move", "stock.picking", "stock.quant"):
            self.made[model] = self.reader.search(model, [])

    def ids(self, model: str) -> list[int]:
        """This walk's records of the model that are to be looked at."""
        made = self.made.get(model, [])
        return made if self.scope is None else [one for one in sorted(self.scope.get(model, ())) if self.knows_all or one in made]

    def has(self, model: str, odoo_id: int) -> bool:
        """Whether the record is this walk's."""
        return self.knows_all or odoo_id in self.made.get(model, ())

    def requests(self) -> QuerySet[Request]:
        """The requests that are to be looked at: all, or those that waited at the last look or came since."""
        found = Request.objects.filter(connection=self.tower.connection)
        return found if self.scope is None else found.filter(pk__in=self.stirred)

    def _look_around(self, *, is_full: bool) -> None:
        """See what is to be looked at."""
        self.looks += 1
        changed = self.business.changed() if hasattr(self.business, "changed") else None
        self.scope = None if is_full or changed is None or self.looks % self.full_every == 0 else changed
        if self.knows_all and self.scope is None:
            self.know_all()
        here = Request.objects.filter(connection=self.tower.connection)
        waiting = set(here.filter(status=Status.PENDING).values_list("pk", flat=True))
        new = here.filter(pk__gt=self.last_request).values_list("pk", flat=True)
        self.stirred = self.waited | waiting | set(new)
        self.waited, self.last_request = waiting, here.aggregate(last=Max("pk"))["last"] or 0

    def _know_bought(self) -> None:
        """Take what Odoo bought for this walk's orders for this walk's: to order, straight from the vendor, by a rule."""
        bought = self.business.odoo.search("purchase.order", [("partner_id", "in", list(self.business.vendors))])
        known = self.made.setdefault("purchase.order", [])
        known += [one for one in sorted(bought) if one not in known]

    def note(self, model: str, odoo_id: int) -> None:
        """Remember a record as this walk's."""
        self.made.setdefault(model, []).append(odoo_id)

    def make(self, who: str, model: str, values: dict[str, Any], **named: Any) -> int:
        """Create a record as one of the people."""
        made = self.do(who, model, "create", values, **named)
        made = made[0] if isinstance(made, list) else made
        self.note(model, made)
        return int(made)

    def do(self, who: str, model: str, method: str, *arguments: Any, **named: Any) -> Any:
        """Call Odoo as one of the people."""
        return self.business.do(who, model, method, *arguments, **named)

    def those(self, model: str, domain: Sequence[Any]) -> list[int]:
        """This walk's records of the model that match."""
        if self.knows_all:
            found: list[int] = self.reader.search(model, domain)
            return found
        made = self.made.get(model)
        return self.business.odoo.search(model, [("id", "in", made), *domain]) if made else []

    def transfers(self, domain: Sequence[Any]) -> list[int]:
        """The transfers that this walk's orders led to."""
        if self.knows_all:
            limits = [] if self.scope is None else [("id", "in", self.ids("stock.picking"))]
            return list(self.reader.search("stock.picking", [*limits, *domain]))
        origins = [
            "|",
            ("sale_id", "in", self.made.get("sale.order", [])),
            ("purchase_id", "in", self.made.get("purchase.order", [])),
        ]
        return self.business.odoo.search("stock.picking", [*domain, *origins])

    def rows(self, model: str, domain: Sequence[Any], fields: Sequence[str], *, who: str = "") -> list[dict[str, Any]]:
        """Rows as the administrator sees them, or as one of the people."""
        if who:
            found: list[dict[str, Any]] = self.do(who, model, "search_read", list(domain), list(fields))
            return found
        read: list[dict[str, Any]] = self.reader.search_read(model, domain, fields)
        return read

    def shelf(self, warehouse: str) -> int:
        """The stock location of a warehouse."""
        rows = self.business.odoo.read("stock.warehouse", [self.business.warehouse[warehouse]], ["lot_stock_id"])
        return int(rows[0]["lot_stock_id"])

    def perform(self, acts: Sequence[Act], *, stop_at: int = 1) -> Report:
        """Do the acts in order, comparing as it goes; end after ``stop_at`` failures."""
        began, report = clock.now(), self.report
        self._look_around(is_full=True)
        # What an earlier walk beside the same tower left behind is not this one's.
        self.known = {text for check in self.checks for text in check(self)}
        is_unsettled = False
        for number, act in enumerate(acts, start=1):
            self.scope = None
            started = time.perf_counter()
            may_have_changed = self._one(act, number)
            acted = time.perf_counter()
            is_unsettled |= may_have_changed
            if is_unsettled and (number % self.check_every == 0 or number == len(acts)):
                self.tower.settle()
                is_unsettled = False
            report.cost["acts"] += acted - started
            report.cost["tower"] += time.perf_counter() - acted
            if number % self.check_every == 0 or number == len(acts):
                self.check(number, is_full=number == len(acts))
            if number % TOLD_EVERY == 0:
                report.seconds = (clock.now() - began).total_seconds()
                print(f"  {number}/{len(acts)} {report.summary()}", file=sys.stderr, flush=True)
            if len(report.failures) >= stop_at:
                break
        report.seconds = (clock.now() - began).total_seconds()
        return report

    def _one(self, act: Act, number: int) -> bool:
        """Do one act; whether anything may have changed by it. What Odoo refuses may leave an ask behind."""
        report, said = self.report, ""
        try:
            said = ACTS[act.name][1](self, Random(act.number))
            (report.done if said else report.empty)[act.name] += 1
        except odoorpc.error.RPCError as error:
            report.refused[act.name] += 1
            said = f"refused: {str(error).strip().splitlines()[0][:160]}"
        except OdooBrokeError as error:
            report.failures.append(Failure("Odoo does not break", str(error), number))
            said = "broke Odoo"
        if not self.knows_all:
            self._know_bought()
        report.diary.append(f"{number} {act}: {said or 'nothing to act on'}")
        return bool(said)

    def check(self, number: int, *, is_full: bool = True) -> None:
        """Compare, after so many acts: all records, or those that changed since the last look."""
        self._look_around(is_full=is_full)
        is_full = is_full or self.looks % self.full_every == 0
        for check in [*self.checks, *(self.now_and_then if is_full else ())]:
            self.report.checks += 1
            known = self.known | {failure.text for failure in self.report.failures}
            began = time.perf_counter()
            found = [text for text in check(self) if text not in known]
            self.report.cost[check.__name__] += time.perf_counter() - began
            for text in found:
                print(f"  act {number}: {check.__name__}: {text}", file=sys.stderr, flush=True)
                self.report.failures.append(Failure(check.__name__, text, number))


def shrink(acts: Sequence[Act], fails: Callable[[Sequence[Act]], bool], *, most_runs: int = 40) -> list[Act]:
    """The fewest acts found with which ``fails`` still holds: halves, quarters, single acts are left out in turn."""
    kept, parts, runs = list(acts), 2, 0
    while len(kept) > 1 and runs < most_runs:
        size = max(len(kept) // parts, 1)
        for start in range(0, len(kept), size):
            fewer = kept[:start] + kept[start + size :]
            runs += 1
            if fewer and fails(fewer):
                kept, parts = fewer, max(parts - 1, 2)
                break
            if runs >= most_runs:
                break
        else:
            if size == 1:
                break
            parts = min(parts * 2, len(kept))
    return kept

"""A walk: what a business does, act by act, and after each act the tower compared with Odoo.

A walk that fails is cut down to the few acts that it takes (:func:`shrink`), which then make a test.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import odoorpc

from apps.core import clock
from tests.walk.acts import ACTS, Act
from tests.walk.business import Business, OdooBrokeError
from tests.walk.tower import Tower

if TYPE_CHECKING:
    from tests.walk.sandbox import SandboxBusiness

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
    ) -> None:
        # The sandbox answers what it can of what a business is asked; the rest is not among its acts.
        self.business: Any = business
        self.tower, self.checks, self.check_every = tower, checks, check_every
        self.made: dict[str, list[int]] = {}
        self.knows_all = knows_all
        # What was ordered before there was a policy.
        ordered = [("state", "=", "purchase")]
        self.past: set[int] = set(self.business.odoo.search("purchase.order", ordered)) if knows_all else set()
        # What was confirmed at the last look, and what an administrator of the business wrote, not the tower.
        self.confirmed: set[int] = set()
        self.by_machine: set[tuple[str, int]] = set()
        self.known: set[str] = set()
        self.report = Report()

    def know_all(self) -> None:
        """Take all orders, purchases and invoices there are for this walk's: nobody else works here."""
        for model in ("sale.order", "purchase.order", "account.move"):
            self.made[model] = self.business.odoo.search(model, [])

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
        made = self.made.get(model)
        return self.business.odoo.search(model, [("id", "in", made), *domain]) if made else []

    def transfers(self, domain: Sequence[Any]) -> list[int]:
        """The transfers that this walk's orders led to."""
        if self.knows_all:
            return self.business.odoo.search("stock.picking", [*domain])
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
        return self.business.odoo.search_read(model, domain, fields)

    def shelf(self, warehouse: str) -> int:
        """The stock location of a warehouse."""
        rows = self.business.odoo.read("stock.warehouse", [self.business.warehouse[warehouse]], ["lot_stock_id"])
        return int(rows[0]["lot_stock_id"])

    def perform(self, acts: Sequence[Act], *, stop_at: int = 1) -> Report:
        """Do the acts in order, comparing as it goes; end after ``stop_at`` failures."""
        began, report = clock.now(), self.report
        if self.knows_all:
            self.know_all()
        # What an earlier walk beside the same tower left behind is not this one's.
        self.known = {text for check in self.checks for text in check(self)}
        for number, act in enumerate(acts, start=1):
            if self.knows_all:
                self.know_all()
            if self._one(act, number):
                self.tower.settle()
            if number % self.check_every == 0 or number == len(acts):
                self._check(number)
            if number % 25 == 0:
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

    def _check(self, number: int) -> None:
        if self.knows_all:
            self.know_all()
        for check in self.checks:
            self.report.checks += 1
            known = self.known | {failure.text for failure in self.report.failures}
            found = [text for text in check(self) if text not in known]
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

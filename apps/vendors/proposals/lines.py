"""The lines of a proposal: what stands in the order, and what the vendor says instead. Kept as JSON, read as rows.

A line that comes as ordered is none: it changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from apps.core import sentences
from apps.vendors.models import Said
from apps.vendors.orders.open_lines import OpenLine


@dataclass(frozen=True, kw_only=True)
class Part:
    """One delivery of what is still to come, in the line's own unit."""

    quantity: Decimal
    day: date


@dataclass(frozen=True, kw_only=True)
class ProposedLine:
    """Old and new of one line.

    Attributes:
        product: its name, as a sentence.
        old_quantity: what is still to come as the order stands.
        parts: what the vendor says instead, the first day first; none where it cannot deliver.
    """

    line_id: int
    product: Any
    unit: str
    old_quantity: Decimal
    old_day: date | None
    parts: Sequence[Part]
    reason: str

    @property
    def name(self) -> str:
        """The product's name in the active language."""
        return sentences.said(self.product)

    @property
    def says(self) -> Said:
        """What the vendor says of it."""
        return Said.OTHERWISE if self.parts else Said.REFUSED

    @property
    def new_quantity(self) -> Decimal:
        """All that the vendor will deliver."""
        return sum((part.quantity for part in self.parts), Decimal(0))

    @property
    def new_day(self) -> date | None:
        """When all of it will be there."""
        return max((part.day for part in self.parts), default=None)

    @property
    def is_split(self) -> bool:
        """Whether it comes in several deliveries."""
        return len(self.parts) > 1

    @property
    def days_later(self) -> int | None:
        """By how many days the last of it comes later, earlier below zero; None where either day is not known."""
        return (self.new_day - self.old_day).days if self.new_day and self.old_day else None

    def as_json(self) -> dict[str, Any]:
        """Return the line as a proposal keeps it."""
        return {
            "line": self.line_id,
            "product": self.product,
            "unit": self.unit,
            "old": {"quantity": plain(self.old_quantity), "day": self.old_day.isoformat() if self.old_day else None},
            "parts": [{"quantity": plain(part.quantity), "day": part.day.isoformat()} for part in self.parts],
            "reason": self.reason,
        }


def read(kept: Iterable[Mapping[str, Any]]) -> list[ProposedLine]:
    """Return the lines that a proposal keeps."""
    return [
        ProposedLine(
            line_id=one["line"],
            product=one["product"],
            unit=one["unit"],
            old_quantity=Decimal(one["old"]["quantity"]),
            old_day=date.fromisoformat(one["old"]["day"]) if one["old"]["day"] else None,
            parts=_parts(one["parts"]),
            reason=one["reason"],
        )
        for one in kept
    ]


def said_of(line: OpenLine, parts: Sequence[Mapping[str, str]], reason: str) -> ProposedLine:
    """Return what a vendor says of an open line. Without parts it cannot deliver."""
    return ProposedLine(
        line_id=line.line_id,
        product=line.product,
        unit=line.unit,
        old_quantity=line.to_come,
        old_day=line.planned_day,
        parts=_parts(parts),
        reason=reason,
    )


def again(kept: ProposedLine, line: OpenLine) -> ProposedLine:
    """Return the proposed line beside the order as it stands now."""
    return ProposedLine(
        line_id=line.line_id,
        product=line.product,
        unit=line.unit,
        old_quantity=line.to_come,
        old_day=line.planned_day,
        parts=kept.parts,
        reason=kept.reason,
    )


def is_there(line: ProposedLine) -> bool:
    """Return True where the order already stands as the vendor says."""
    return [(part.quantity, part.day) for part in line.parts] == [(line.old_quantity, line.old_day)]


def plain(number: Decimal) -> str:
    """Return a quantity as text without zeros behind it."""
    return f"{number.normalize():f}"


def _parts(kept: Iterable[Mapping[str, str]]) -> list[Part]:
    parts = [Part(quantity=Decimal(one["quantity"]), day=date.fromisoformat(one["day"])) for one in kept]
    return sorted(parts, key=lambda part: part.day)

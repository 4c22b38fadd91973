"""What an event of another system means for the lines of a purchase order."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from apps.events.declare import ITEM, QUANTITY
from apps.events.models import OutsideEvent
from apps.vendors.orders import naming
from apps.vendors.orders.open_lines import OpenLine
from apps.vendors.proposals import lines
from apps.vendors.proposals.lines import ProposedLine

# Beyond that a number is no quantity of goods.
MOST = Decimal(10**12)


def said_by(event: OutsideEvent, standing: Sequence[OpenLine]) -> list[ProposedLine] | None:
    """Return what the event says of each line; None where it speaks of a line and does not say which, or what of it.

    A date for the whole order that is later than the first line's moves those that were to come before; an earlier one moves all.
    """
    if event.kind == "order_line_changed":
        return _of_line(event, standing)
    if event.kind == "order_cancelled":
        return [lines.said_of(line, [], event.text) for line in standing]
    if event.expected_at is None:
        return []
    found = []
    days_planned = [line.planned_day for line in standing if line.planned_day]
    for line in standing:
        day = event.expected_at.astimezone(line.company_zone).date()
        is_later = not days_planned or day >= min(days_planned)
        if not is_later or line.planned_day is None or line.planned_day < day:
            found.append(lines.said_of(line, [{"quantity": lines.plain(line.to_come), "day": day.isoformat()}], ""))
    return found


def _of_line(event: OutsideEvent, standing: Sequence[OpenLine]) -> list[ProposedLine] | None:
    """A new quantity of a line, in all, or a new date, or both."""
    if not standing:
        return []  # of an order that is received or cancelled
    line = naming.line_named(event.connection_id, standing, str(event.data.get(ITEM, "")))
    quantity = _quantity(event.data.get(QUANTITY))
    if line is None or (quantity is None and event.expected_at is None):
        return None
    day = event.expected_at.astimezone(line.company_zone).date() if event.expected_at else line.planned_day
    to_come = line.to_come if quantity is None else quantity - line.received
    if to_come <= 0:
        return [lines.said_of(line, [], event.text)]
    if day is None:
        return None
    return [lines.said_of(line, [{"quantity": lines.plain(to_come), "day": day.isoformat()}], event.text)]


def _quantity(said: Any) -> Decimal | None:
    """The quantity that is said; None where it is none."""
    if isinstance(said, bool) or not isinstance(said, str | int | float):
        return None
    try:
        found = Decimal(str(said).strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() and 0 <= found < MOST else None

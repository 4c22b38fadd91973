"""What a vendor's form says, read line by line. What does not make sense is said beside its field, and nothing is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from apps.vendors.models import Said
from apps.vendors.orders.open_lines import OpenLine

DELIVERIES = (1, 2, 3)
LONGEST_TEXT = 1_000
PLACES = Decimal("0.000001")
# Beyond this a date is a slip of the keyboard.
LATEST = timedelta(days=3 * 366)


@dataclass
class ReadForm:
    """What was read: the content of an answer, and what is wrong, by line; under 0 what is wrong with the whole."""

    content: dict[str, Any] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)


def read(sent: Mapping[str, str], lines: Sequence[OpenLine], *, now: datetime) -> ReadForm:
    """Read a form about ``lines``; those that it says nothing of are left out.

    Args:
        sent: the fields, by name: ``do`` is ``all`` where everything comes as ordered.
    """
    found = ReadForm({"note": sent.get("note", "").strip()[:LONGEST_TEXT], "lines": []})
    if sent.get("do") == "all":
        for line in lines:
            if is_past(line, now):
                found.errors[line.line_id] = _name_the_day()
        found.content["lines"] = [_as_ordered(line) for line in lines]
        return found
    for line in lines:
        try:
            said = _said(sent, line, now)
        except ValueError as error:
            found.errors[line.line_id] = str(error)
            continue
        if said is not None:
            found.content["lines"].append(said)
    if not found.content["lines"] and not found.errors:
        found.errors[0] = gettext("Say of at least one line whether it comes as ordered.")
    return found


def is_past(line: OpenLine, now: datetime) -> bool:
    """True if the day for which the line was ordered has passed: it cannot come as ordered any more."""
    return line.planned_day is not None and line.planned_day < _today(line, now)


def _today(line: OpenLine, now: datetime) -> date:
    return now.astimezone(ZoneInfo(line.zone)).date()


def _name_the_day() -> str:
    return gettext("The date has passed. Enter when it comes.")


def _as_ordered(line: OpenLine) -> dict[str, Any]:
    return {"line": line.line_id, "says": Said.AS_ORDERED.value, "parts": [], "reason": ""}


def _said(sent: Mapping[str, str], line: OpenLine, now: datetime) -> dict[str, Any] | None:
    says, reason = sent.get(f"says-{line.line_id}", ""), sent.get(f"reason-{line.line_id}", "").strip()[:LONGEST_TEXT]
    if not says and not any(
        sent.get(f"{name}{number}-{line.line_id}", "").strip() for name in ("quantity", "day") for number in DELIVERIES
    ):
        return None
    # Whoever enters a date or a quantity and chooses nothing has said so.
    says = says or Said.OTHERWISE.value
    if says not in Said.values:
        raise ValueError(gettext("Choose one of the answers."))
    if says == Said.AS_ORDERED:
        if is_past(line, now):
            raise ValueError(_name_the_day())
        return _as_ordered(line) | {"reason": reason}
    if says == Said.REFUSED:
        if not reason:
            raise ValueError(gettext("Give a reason why it cannot be delivered."))
        return {"line": line.line_id, "says": says, "parts": [], "reason": reason}
    parts = [part for number in DELIVERIES if (part := _part(sent, line, number, now))]
    if not parts:
        raise ValueError(gettext("Enter a date or a quantity."))
    if len({part["day"] for part in parts}) < len(parts):
        raise ValueError(gettext("Two deliveries are for the same day. Put them together."))
    if parts == [{"quantity": _plain(line.to_come), "day": _iso(line.planned_day)}]:
        return _as_ordered(line) | {"reason": reason}
    return {"line": line.line_id, "says": says, "parts": sorted(parts, key=lambda part: part["day"]), "reason": reason}


def _part(sent: Mapping[str, str], line: OpenLine, number: int, now: datetime) -> dict[str, str] | None:
    """One delivery; None where its fields are empty. The first takes what it leaves out from the order."""
    quantity, day = (sent.get(f"{name}{number}-{line.line_id}", "").strip() for name in ("quantity", "day"))
    if not quantity and not day:
        return None
    if number > 1 and not (quantity and day):
        raise ValueError(gettext("A further delivery needs a quantity and a date."))
    return {"quantity": _quantity(quantity, line), "day": _day(day, line, now)}


def _quantity(text: str, line: OpenLine) -> str:
    if not text:
        return _plain(line.to_come)
    try:
        number = Decimal(text.replace(" ", "").replace(",", "."))
        number = number.quantize(PLACES)
    except InvalidOperation:
        raise ValueError(gettext("“%(text)s” is no quantity.") % {"text": text[:20]}) from None
    if not number.is_finite() or number <= 0 or number > line.to_come * 10:
        raise ValueError(gettext("“%(text)s” cannot be the quantity.") % {"text": text[:20]})
    return _plain(number)


def _day(text: str, line: OpenLine, now: datetime) -> str:
    if not text:
        if line.planned_day is None:
            raise ValueError(gettext("Enter a date."))
        if is_past(line, now):
            raise ValueError(_name_the_day())
        return line.planned_day.isoformat()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(gettext("“%(text)s” is no date. Write it as 2026-12-31.") % {"text": text[:20]}) from None
    today = _today(line, now)
    if not today <= day <= today + LATEST:
        raise ValueError(gettext("%(day)s is past, or too far away.") % {"day": day.isoformat()})
    return day.isoformat()


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None

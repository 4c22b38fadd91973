"""Facts in the words that a workflow declares for them: the evidence of an exception, what an approval rests on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext

from apps.core import sentences


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One fact. ``kind`` says how it is shown: money, number, percent, days, moment or text."""

    words: str
    value: Any
    kind: str


def figures(declared: Mapping[str, str], values: Mapping[str, Any]) -> Iterator[Figure]:
    """The ``declared`` columns (name to words) of which ``values`` has one.

    What a figure is, its column's name says: ``_days``, ``_at``, ``_percent``, ``_quantity`` and ``_count``, ``_name`` and
    ``_names``; any other number is money, and a text that is a moment is one, whatever Odoo calls its field.
    A sentence is text, in the active language.
    """
    for key, words in declared.items():
        value = values.get(key)
        if value not in (None, ""):
            kind, shown = _read(key, value)
            yield Figure(words=gettext(words), value=shown, kind=kind)


def _read(key: str, value: Any) -> tuple[str, Any]:
    if sentences.is_sentence(value):
        return "text", sentences.said(value)
    if key.endswith("_days"):
        return "days", value
    if (at := _moment(value)) is not None:
        return "moment", at
    if key.endswith(("_name", "_names")) or isinstance(value, bool):
        return "text", value
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return "text", value
    plain = Decimal(f"{number.normalize():f}")
    if key.endswith("_percent"):
        return "percent", plain
    return ("number", plain) if key.endswith(("_quantity", "_count")) else ("money", number)


def _moment(value: Any) -> datetime | None:
    """``value`` as the moment that it is, as JSON carries it; None where it is none, or no time of day is said."""
    if not isinstance(value, str | datetime) or len(str(value)) < len("2026-11-23T10:00Z"):
        return None
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at if at.tzinfo else None

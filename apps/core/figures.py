"""What a figure of evidence or context is: its label, its kind and its unit, declared once and shown the same everywhere.

A declaration says of each column ``Figure("Overdue", money)``. Nothing is read out of a column's name or out of what a value
looks like. Pages draw a figure with the tag ``figure`` (:mod:`apps.core.templatetags.show`); notes in Odoo, messages and sentences
say :attr:`Value.text`; the API answers :meth:`Value.as_json`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils import formats
from django.utils.translation import gettext, pgettext

from apps.core import sentences, words
from apps.core.currencies import digits_of

MOST_PLACES = 6  # of a price: as many as the mirror keeps


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What the values of a column are.

    Attributes:
        name: tells it from the others.
        is_number: whether values can be compared as numbers.
        unit: in which it counts, as UCUM writes it, where that is always the same.
        has_own_unit: whether a column may name the unit of each value.
        is_money: whether it is in the record's currency where no column names another.
        unit_column: that column (:meth:`unit_from`).
    """

    name: str
    is_number: bool = False
    unit: str = ""
    has_own_unit: bool = False
    is_money: bool = False
    unit_column: str = ""

    def unit_from(self, column: str) -> "Kind":
        """The same in the currency or unit of measure that ``column`` of the same record names."""
        return replace(self, unit_column=column)


money = Kind(name="money", is_number=True, has_own_unit=True, is_money=True)
# Of one unit: with as many decimals as it has, where that is more than its currency has.
price = Kind(name="price", is_number=True, has_own_unit=True, is_money=True)
quantity = Kind(name="quantity", is_number=True, has_own_unit=True)
count = Kind(name="count", is_number=True)
rank = Kind(name="rank", is_number=True)
percent = Kind(name="percent", is_number=True, unit="%")
days = Kind(name="days", is_number=True, unit="d")
hours = Kind(name="hours", is_number=True, unit="h")
moment = Kind(name="moment")
day = Kind(name="day")
# Names, references, what people or Odoo wrote: data, said as it is in every language.
text = Kind(name="text")
# One of the words that the tower has for it, in the reader's language.
word = Kind(name="word")
yes_no = Kind(name="yes_no")

KINDS = {one.name: one for one in (money, price, quantity, count, rank, percent, days, hours, moment, day, text, word, yes_no)}


@dataclass(frozen=True)
class Figure:
    """What a column says to people: its label, and what its values are."""

    label: str
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class Value:
    """One figure with its value.

    Attributes:
        name: the column.
        label: as it is declared, in English.
        unit: the currency's code, the unit of measure, ``%``, ``d`` or ``h``; empty where there is none, or it is not known.
    """

    name: str
    label: str
    kind: Kind
    value: Any
    unit: str = ""

    @property
    def title(self) -> str:
        """The label in the active language."""
        return gettext(self.label)

    @property
    def number(self) -> Decimal | None:
        """The value as a number; None where it is not one, or is of no kind that counts."""
        if not self.kind.is_number or isinstance(self.value, bool):
            return None
        try:
            found = Decimal(str(self.value))
        except InvalidOperation:
            return None
        return found if found.is_finite() else None

    @property
    def at(self) -> datetime | None:
        """The value as a moment; None where it is none."""
        return _moment_of(self.value) if self.kind.name == moment.name else None

    @property
    def text(self) -> str:
        """The value with its unit in the active language. What does not fit its kind, as it was stored before, is said as it is."""
        if self.value is None or sentences.is_sentence(self.value):
            return sentences.said(self.value)
        if (number := self.number) is not None:
            return _counted(number, self.kind.name, self.unit)
        if (at := self.at) is not None:
            return words.moment(at)
        if self.kind.name == day.name and (on := _day_of(self.value)) is not None:
            return formats.date_format(on, pgettext("a day in a message", "j M Y"))
        if self.kind.name == yes_no.name:
            return gettext("yes") if self.value in (True, "yes") else gettext("no")
        said = str(self.value)
        return gettext(sentences.current(said)) if said and self.kind.name == word.name else said

    def as_json(self) -> dict[str, Any]:
        """What programs read: the label in English, and the value as it is stored, with its unit."""
        return {"name": self.name, "label": self.label, "value": sentences.plain(self.value), "unit": self.unit or None}


def values_of(declared: Mapping[str, Figure], stored: Mapping[str, Any], *, currency: str) -> Iterator[Value]:
    """The figures of ``declared`` that ``stored`` has, in order.

    Args:
        currency: the record's, in which money is of which the declaration names no other.
    """
    for name, figure in declared.items():
        if stored.get(name) not in (None, ""):
            yield value_of(name, figure, stored, currency=currency)


def value_of(name: str, figure: Figure, stored: Mapping[str, Any], *, currency: str) -> Value:
    """The value of one figure among those that are ``stored`` with it, whether or not it is known."""
    kind = figure.kind
    unit = kind.unit
    if kind.unit_column:
        unit = str(stored.get(kind.unit_column) or "")
    elif kind.is_money:
        unit = currency
    return Value(name=name, label=figure.label, kind=kind, value=stored.get(name), unit=unit)


def undeclared(stored: Mapping[str, Any]) -> dict[str, Figure]:
    """What nothing declares any more, as its columns are called: text, whatever it was."""
    return {name: Figure(name.replace("_", " "), text) for name in stored}


def units_of(declared: Mapping[str, Figure]) -> set[str]:
    """The columns with the units of ``declared``, which are stored beside it."""
    return {figure.kind.unit_column for figure in declared.values()} - {""}


def problems(place: str, declared: Mapping[str, Any]) -> list[str]:
    """Return what of ``declared`` is no figure, or of no kind that there is, each with the remedy."""
    found = []
    for name, figure in declared.items():
        if not isinstance(figure, Figure):
            found.append(f'{place}: {name} has no figure. Write "{name}": Figure("{figure}", text), or the kind that it is of.')
        elif not isinstance(figure.kind, Kind) or figure.kind.name not in KINDS:
            said = figure.kind.name if isinstance(figure.kind, Kind) else figure.kind
            found.append(
                f"{place}: the kind {said} of {name} does not exist. There is: {', '.join(KINDS)}, all of apps.core.figures."
            )
        elif figure.kind.unit_column and not figure.kind.has_own_unit:
            able = ", ".join(one.name for one in KINDS.values() if one.has_own_unit)
            found.append(
                f"{place}: {name} takes its unit from {figure.kind.unit_column}, and {figure.kind.name} has none of its own. "
                f"Leave it out, or use one of: {able}."
            )
    return found


def _counted(number: Decimal, kind: str, unit: str) -> str:
    if kind == money.name:
        return words.money(number, unit)
    exponent = number.normalize().as_tuple().exponent
    places = max(-exponent, 0) if isinstance(exponent, int) else 0
    if kind == price.name:
        places = min(max(places, digits_of(unit)), MOST_PLACES)
    shown = formats.number_format(round(number, places), places, force_grouping=True)
    if kind == days.name:
        return gettext("%(days)s d") % {"days": shown}
    if kind == hours.name:
        return gettext("%(hours)s h") % {"hours": shown}
    return f"{shown} {unit}".strip()


def _moment_of(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at if at.tzinfo else None


def _day_of(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None

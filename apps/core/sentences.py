"""What is said of figures, put into words when somebody reads it, in their language.

A sentence is kept as its template and the values that the template names, as JSON: ``{"say": "{missing:quantity} of
{product} missing", "missing": 3, "product": "Desk"}``. Several in a row are ``{"each": [...], "by": "; "}``. A value may be a
sentence itself. Anything else, such as a text that was kept before there were sentences, is said as it is.

What programs read, and what is written into Odoo or into the trail, is the same sentence in English (:func:`plain`).
"""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from django.utils import formats, translation
from django.utils.translation import get_language, gettext, pgettext

from apps.core.former_wording import FORMER
from apps.core.words import sum_of

# ``{column}`` as it is, or said as a sentence; with a form behind it, a figure as the language writes it.
PLACEHOLDER = re.compile(r"\{(\w+)(?::(number|optional|money|quantity|day|moment))?\}")

# Values that are words of the tower: a step, a fact, a command, kinds of approval.
WORDS = {"step", "fact", "command", "kinds"}
BESIDE = "sentence"  # in the data of the trail
JSONB = 3802  # PostgreSQL's number of the type


def names(template: str) -> list[str]:
    """The values that ``template`` names, each once, in order."""
    return list(dict.fromkeys(match[1] for match in PLACEHOLDER.finditer(template)))


def compose(template: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sentence that says ``template`` with ``values``, as JSON can carry it."""
    return {"say": template, **{name: _kept(value) for name, value in values.items()}}


def _kept(value: Any) -> Any:
    return value if isinstance(value, str | int | float | Mapping) or value is None else str(value)


def is_sentence(value: Any) -> bool:
    """Whether ``value`` is kept as a sentence, or as several in a row."""
    return isinstance(value, Mapping) and ("say" in value or "each" in value)


def said(value: Any) -> str:
    """``value`` in the active language; a text as it is, nothing where there is none."""
    if isinstance(value, Mapping) and "each" in value:
        return str(value.get("by", ", ")).join(said(one) for one in value["each"])
    if isinstance(value, Mapping) and "say" in value:
        template = current(str(value["say"]))
        return filled(gettext(template), value) if template else ""
    return "" if value is None else str(value)


def filled(template: str, values: Mapping[str, Any]) -> str:
    """``template`` with its placeholders filled; one that ``values`` does not have is left out."""
    currency = values.get("currency")
    return PLACEHOLDER.sub(
        lambda match: formed(values.get(match[1]), match[2], currency if isinstance(currency, str) else ""), template
    ).strip()


def current(template: str) -> str:
    """Return the wording of today of a template that may have been stored under an earlier one."""
    return FORMER.get(template, template)


def wordings_of(template: str) -> list[str]:
    """The wording of today, and those under which the same was stored before."""
    return [template, *(old for old, new in FORMER.items() if new == template)]


class English(str):
    """What the tower says, in English, with the sentence that it was made of, which is stored beside it."""

    sentence: dict[str, Any]


def in_english(template: str, **values: Any) -> English:
    """The sentence that says ``template`` with ``values``: text for programs, Odoo and the trail, and what it was made of."""
    sentence = compose(template, values)
    text = English(plain(sentence))
    text.sentence = sentence
    return text


def sentence_of(text: str) -> dict[str, Any] | None:
    """What ``text`` was made of; None of what a person or Odoo wrote."""
    return text.sentence if isinstance(text, English) else None


def kept_beside(text: str) -> dict[str, Any]:
    """The entry of the trail's data with what ``text`` was made of; none where a person or Odoo wrote it."""
    sentence = sentence_of(text)
    return {} if sentence is None else {BESIDE: sentence}


def again(text: str, *templates: str) -> str:
    """What was stored in English alone, before sentences were stored beside it, in the active language.

    The values are read out of it by that of ``templates`` which it was made from, in its wording of today or an earlier one;
    as the catalogues have it, or as it is, where none of them was.
    """
    for template in (*templates, *(old for old, new in FORMER.items() if new in templates)):
        if match := _reading(template).fullmatch(text):
            sums = {name for name, form in PLACEHOLDER.findall(template) if form == "money"}
            values = {name: _read(name, text, is_sum=name in sums) for name, text in match.groupdict().items()}
            return filled(gettext(current(template)), values)
    return gettext(current(text)) if text else ""


def _read(name: str, text: str, *, is_sum: bool) -> str | None:
    """A value as it was read out of English: names of people, customers and records are in no catalogue."""
    if is_sum:
        return _sum_in(text)
    return gettext(current(text)) if name in WORDS else text


def _sum_in(text: str) -> str | None:
    """A sum that was written in English, as a number; None where none was known."""
    number = text.replace(",", "")
    return number if re.fullmatch(r"-?\d+(\.\d+)?", number) else None


@cache
def _reading(template: str) -> re.Pattern[str]:
    parts = PLACEHOLDER.split(template)
    literals, named = parts[::3], parts[1::3]
    groups = [f"(?P<{name}>.+)" for name in named]
    pattern = "".join(re.escape(text) + group for text, group in zip(literals, [*groups, ""], strict=True))
    return re.compile(pattern, re.DOTALL)


def formed(value: Any, form: str | None, currency: str = "") -> str:
    """``value`` as a placeholder of that form says it; a sum with the decimals of ``currency``."""
    if form == "money":
        return sum_of(value, currency)
    if value in (None, "") or is_sentence(value):
        return said(value)
    return FORMS[form](value) if form in FORMS else said(value)


def plain(value: Any) -> Any:
    """``value`` as programs and Odoo read it: sentences in English, however deep they stand; everything else as it is."""
    if is_sentence(value):
        with translation.override("en"):
            return said(value)
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    return value


def _quantity(value: Any) -> str:
    """With as many places as it has. English has no separators between thousands: programs read it as well."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    exponent = amount.normalize().as_tuple().exponent
    places = max(-exponent, 0) if isinstance(exponent, int) else 0
    return formats.number_format(amount, places, force_grouping=get_language() != "en")


def _day(value: Any) -> str:
    try:
        return formats.date_format(date.fromisoformat(str(value)[:10]), pgettext("a day in a sentence", "Y-m-d"))
    except ValueError:
        return str(value)


def _moment(value: Any) -> str:
    try:
        return formats.date_format(datetime.fromisoformat(str(value)), pgettext("a moment in a sentence", "Y-m-d H:i:s"))
    except ValueError:
        return str(value)


FORMS = {"quantity": _quantity, "day": _day, "moment": _moment}


def rows_of(cursor: Any) -> list[dict[str, Any]]:
    """What ``cursor`` found, by the names of its columns; what it says as sentences."""
    names = [column.name for column in cursor.description]
    said = [column.name for column in cursor.description if column.type_code == JSONB]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for name in said:
        for row in rows:
            # Django leaves the decoding to whoever reads the column.
            row[name] = json.loads(row[name]) if isinstance(row[name], str) else row[name]
    return rows

"""Validate a row as Odoo gave it: which value cannot be stored in its field, why, and what to do about it."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from apps.mirror.declare import Boolean, Day, Ids, Integer, Many2one, Mirrored, Moment, Number, Text

LARGEST = 2**63
LARGEST_NUMBER = Decimal(10) ** 20
SHOWN = 60
CORRECT = "Correct it in Odoo"
# What makes a number, a text or a year unusual enough to be named where a record cannot be evaluated.
LARGE_NUMBER, LONG_TEXT, FIRST_YEAR, LAST_YEAR = Decimal(10) ** 12, 1_000, 1900, 2200
MOST_SUSPECTS = 3
WHOLE = re.compile(r"^\s*-?[0-9]{1,19}\s*$")
YEAR = re.compile(r"^(\d{1,4})-")


class InvalidValueError(ValueError):
    """A value cannot be stored in its field; the message says what it is, ``remedy`` what to do."""

    def __init__(self, what: str, remedy: str = CORRECT) -> None:
        self.remedy = remedy
        super().__init__(what)


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A row that cannot be stored as it is."""

    odoo_id: int
    problem: str


def examined(model: type[Mirrored], rows: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], list[Refused]]:
    """Return the rows that can be stored, each value as its column takes it, and those that cannot, each with the reason."""
    fields = [name for name in model.odoo_fields() if any(name in row for row in rows)]
    good, refused = [], []
    for row in rows:
        found = _examined(model, row, fields)
        if isinstance(found, Refused):
            refused.append(found)
        else:
            good.append(found)
    return good, refused


def _examined(model: type[Mirrored], row: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any] | Refused:
    odoo_id = row.get("id")
    if not isinstance(odoo_id, int) or isinstance(odoo_id, bool) or not 0 < odoo_id < LARGEST:
        what = f"is {kind_of(odoo_id)}, and no id"
        return Refused(odoo_id=0, problem=problem(model.odoo_model, shown(odoo_id), name_of(row), "id", what))
    clean: dict[str, Any] = {"id": odoo_id}
    for name in ("create_date", "write_date", *fields):
        if name not in row:
            return Refused(
                odoo_id=odoo_id,
                problem=problem(
                    model.odoo_model,
                    odoo_id,
                    name_of(row),
                    name,
                    "is missing from Odoo's answer",
                    "See whether the login may read the field",
                ),
            )
        try:
            clean[name] = stored_as(model._meta.get_field(name), row[name])
        except InvalidValueError as error:
            told = problem(model.odoo_model, odoo_id, name_of(row), name, str(error), error.remedy)
            return Refused(odoo_id=odoo_id, problem=told)
    return clean | {name: row[name] for name in model.per_company() if name in row}


def problem(model: str, odoo_id: object, name: str, field: str, what: str, remedy: str = CORRECT) -> str:
    """Return the sentence of a dead letter: the record, the field, what its value is, and the remedy."""
    named = f" ({name})" if name else ""
    of = f", field {field}: it" if field else ":"
    return f"{model} {odoo_id}{named}{of} {what}. {remedy}; it is taken again when the record changes, every hour, and on replay."


def name_of(row: Mapping[str, Any]) -> str:
    """Return what people call the record, shortened; "" where nothing says."""
    for field in ("name", "display_name", "number", "default_code"):
        value = row.get(field)
        if isinstance(value, str) and value:
            return shown(value)
    return ""


def shown(value: object) -> str:
    """Return the beginning of ``value``, as a message can hold it."""
    text = " ".join(str(value).replace("\x00", "\ufffd").encode(errors="replace").decode().split())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def kind_of(value: object) -> str:
    """Return what a value is, in words: its type, and how large it is."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"the truth value {value}"
        case int() | float() | Decimal():
            return f"the number {shown(value)}"
        case str():
            return f"the text '{shown(value)}' of {len(value)} characters"
        case dict():
            return f"an object of {len(value)} parts ({shown(json.dumps(value, default=str))})"
        case list() | tuple():
            return f"a list of {len(value)} ({shown(value)})"
    return f"a {type(value).__name__}"


def stored_as(field: Any, value: Any) -> Any:
    """Return ``value`` as ``field`` stores it. Raises InvalidValueError."""
    if value is False or value is None:
        return value
    match field:
        case Text():
            return _text(value)
        case Boolean():
            if not isinstance(value, bool):
                raise InvalidValueError(f"is {kind_of(value)}, and neither yes nor no")
            return value
        case Many2one() | Integer():
            return _whole(value)
        case Number():
            return _number(value)
        case Ids():
            if not isinstance(value, list | tuple):
                raise InvalidValueError(f"is {kind_of(value)}, and no list of ids")
            return [_whole(one) for one in value]
        case Moment() | Day():
            return _moment(value, is_day=isinstance(field, Day))
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidValueError(f"is {kind_of(value)}, and no text")
    if "\x00" in value:
        raise InvalidValueError(
            f"holds a character that cannot be stored (NUL, number {value.index(chr(0)) + 1} of {len(value)})",
            "Remove the character in Odoo",
        )
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidValueError(
            f"holds half a character (U+{ord(value[error.start]):04X}, number {error.start + 1} of {len(value)})",
            "Remove the character in Odoo",
        ) from None
    return value


def _whole(value: Any) -> int:
    if isinstance(value, str) and WHOLE.match(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValueError(f"is {kind_of(value)}, and no whole number")
    if not -LARGEST <= value < LARGEST:
        raise InvalidValueError(f"is {kind_of(value)}, beyond what can be counted (2^63)")
    return value


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise InvalidValueError(f"is {kind_of(value)}, and no number")
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidValueError(f"is {kind_of(value)}, and no number that can be counted with")
    try:
        number = Decimal(str(value))
    except (InvalidOperation, ValueError):
        raise InvalidValueError(f"is {kind_of(value)}, and no number") from None
    if not number.is_finite():
        raise InvalidValueError(f"is {kind_of(value)}, and no number that can be counted with")
    if abs(number) >= LARGEST_NUMBER:
        raise InvalidValueError(f"is {kind_of(value)}, of more than 20 digits before the point")
    return number


def _moment(value: Any, *, is_day: bool) -> str:
    if isinstance(value, date):
        return str(value)
    if not isinstance(value, str):
        raise InvalidValueError(f"is {kind_of(value)}, and no {'day' if is_day else 'time'}")
    # Years before 1000 come from Odoo without their leading zeros.
    text = YEAR.sub(lambda year: f"{int(year[1]):04}-", value.strip())
    try:
        read = date.fromisoformat(text[:10]) if is_day else datetime.fromisoformat(text)
    except ValueError:
        raise InvalidValueError(f"is {kind_of(value)}, which is no {'day' if is_day else 'time'} of the calendar") from None
    return read.isoformat() if is_day else read.isoformat(" ")  # type: ignore[call-arg]


def suspects(model: type[Mirrored], children: Sequence[tuple[type[Mirrored], str]], connection_id: int, odoo_id: int) -> str:
    """Return what stands out in the mirrored record and its lines, for a message that names what to look at; "" for nothing."""
    found: list[str] = []
    sources = [(model, {"odoo_id": odoo_id}), *((child, {link: odoo_id}) for child, link in children)]
    for source, condition in sources:
        for row in source.objects.filter(connection_id=connection_id, deleted_at=None, **condition)[:1_000]:
            for name in source.odoo_fields():
                value = getattr(row, name)
                if _stands_out(value):
                    where = name if source is model else f"{name} of {source.odoo_model} {row.odoo_id}"
                    found.append(f"{where} is {kind_of(value)}")
    return "; ".join(found[:MOST_SUSPECTS])


def _stands_out(value: Any) -> bool:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return bool(abs(Decimal(value)) >= LARGE_NUMBER)
    if isinstance(value, str):
        return len(value) >= LONG_TEXT
    return isinstance(value, date) and not FIRST_YEAR <= value.year <= LAST_YEAR

"""From a source's own message to normalised events, by what its adapter declares."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from apps.events.declare import Adapter

LONGEST_TEXT = 2_000
LONGEST_REFERENCE = 10_000
MOST_EVENTS = 1_000
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class UnreadableError(Exception):
    """A message is not what its adapter expects; the message says where, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One normalised event, not yet matched with a record."""

    position: int
    kind: str
    reference: str
    occurred_at: datetime
    expected_at: datetime | None
    text: str
    data: Mapping[str, Any]


def read(adapter: Adapter, body: str, *, received_at: datetime) -> list[Reading]:
    """The events that a message tells of; none of what is ignored. Raises UnreadableError.

    An event cannot have happened after it was told of: one that says so counts as of then, or it would outrank all that
    comes after it.
    """
    message = json.loads(body)
    told = _at(message, adapter.events) if adapter.events else [message]
    if not isinstance(told, list):
        raise UnreadableError(f"There is no list at {adapter.events}.")
    if len(told) > MOST_EVENTS:
        raise UnreadableError(f"It tells of {len(told)} events at once; at most {MOST_EVENTS} are taken.")
    readings = []
    for position, event in enumerate(told):
        word = _text(_value(message, event, adapter.kind))
        if word in adapter.ignored:
            continue
        if word not in adapter.kinds:
            raise UnreadableError(
                f"{adapter.kind} is {word!r}, which the adapter does not know. Add it to its kinds, or to what it ignores."
            )
        reference = _text(_first(message, event, adapter.reference))
        if not reference:
            raise UnreadableError(f"There is no reference at {' or '.join(adapter.reference)}.")
        if len(reference) > LONGEST_REFERENCE:
            raise UnreadableError(
                f"The reference at {' or '.join(adapter.reference)} has {len(reference)} characters; at most "
                f"{LONGEST_REFERENCE} are taken. Have the source send the reference alone."
            )
        occurred = _moment(_value(message, event, adapter.occurred_at), adapter.occurred_at) if adapter.occurred_at else None
        expected = _first(message, event, adapter.expected_at)
        data = {label: value for label, path in adapter.data.items() if (value := _value(message, event, path)) not in (None, "")}
        text = _text(_value(message, event, adapter.text))[:LONGEST_TEXT] if adapter.text else ""
        _check_text(reference, " or ".join(adapter.reference))
        _check_text(text, adapter.text)
        for label, value in data.items():
            _check_text(value, adapter.data[label])
        readings.append(
            Reading(
                position=position,
                kind=adapter.kinds[word],
                reference=reference,
                occurred_at=min(occurred or received_at, received_at),
                expected_at=_moment(expected, " or ".join(adapter.expected_at)),
                text=text,
                data=data,
            )
        )
    return readings


def _check_text(value: Any, path: str) -> None:
    """Raise UnreadableError where a text, however deep, holds what no database keeps: a NUL, or half a character."""
    match value:
        case str() if UNSTORABLE.search(value):
            raise UnreadableError(
                f"The text at {path} holds a NUL or half a character. Edit it, or have the source send it without."
            )
        case dict():
            for name, inner in value.items():
                _check_text(name, path)
                _check_text(inner, path)
        case list():
            for inner in value:
                _check_text(inner, path)
        case float() if not math.isfinite(value):
            raise UnreadableError(f"The number at {path} is {value}. Edit it, or have the source send a number.")


def _value(message: Any, event: Any, path: str) -> Any:
    return _at(message, path[1:]) if path.startswith("/") else _at(event, path)


def _first(message: Any, event: Any, paths: Sequence[str]) -> Any:
    return next((value for path in paths if (value := _value(message, event, path)) not in (None, "")), None)


def _at(value: Any, path: str) -> Any:
    """What stands at ``path``; None where it leads nowhere."""
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _moment(value: Any, path: str) -> datetime | None:
    """A time in ISO 8601 (UTC where it names no zone), a day (its beginning in UTC), or seconds since 1970."""
    if value in (None, ""):
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if not isinstance(value, str):
            raise ValueError("neither text nor number")
        if len(value.strip()) == len("2026-11-23"):
            return datetime.combine(date.fromisoformat(value.strip()), time(), UTC)
        read = datetime.fromisoformat(value.strip())
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise UnreadableError(f"{path} is {str(value)[:60]!r}, which is no time in ISO 8601.") from None

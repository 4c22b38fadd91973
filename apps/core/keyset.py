"""Keyset pagination: a page goes on after the last row of the one before, whatever changed meanwhile.

The cursor is the row's own sort keys, as URL-safe text. A cursor that cannot be read begins anew.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from django.db.models import Model, Q, QuerySet

LONGEST_CURSOR = 2_000


@dataclass(frozen=True, kw_only=True)
class Key:
    """One sort key: a column or annotation that is never null, the type of its values, and its direction."""

    name: str
    kind: Literal["text", "number", "moment", "id"] = "text"
    falls: bool = False

    def write(self, value: Any) -> str:
        """Return ``value`` as a cursor carries it."""
        return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)

    def read(self, text: str) -> Any:
        """Return the value that ``text`` names. Raises ValueError."""
        if self.kind == "number":
            number = Decimal(text)
            if not number.is_finite():
                raise ValueError(text)
            return number
        if self.kind == "moment":
            at = datetime.fromisoformat(text)
            if at.tzinfo is None:
                raise ValueError(text)
            return at
        if self.kind == "id":
            if not text.isascii() or not text.isdecimal() or int(text) >= 2**63:
                raise ValueError(text)
            return int(text)
        if "\x00" in text:
            raise ValueError(text)
        return text


@dataclass(frozen=True)
class Keyset:
    """A total order: its last key is unique."""

    keys: tuple[Key, ...]

    def page[M: Model](self, rows: QuerySet[M], cursor: str, *, size: int) -> tuple[Sequence[M], str]:
        """Return at most ``size`` of ``rows`` after ``cursor``, and the cursor of the next page; "" where there is none."""
        ordered = rows.order_by(*(f"-{key.name}" if key.falls else key.name for key in self.keys))
        found = list(ordered.filter(self._after(cursor))[: size + 1])
        return found[:size], self.cursor(found[size - 1]) if len(found) > size else ""

    def cursor(self, row: Model) -> str:
        """Return the cursor of ``row``."""
        values = [key.write(getattr(row, key.name)) for key in self.keys]
        return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")

    def _after(self, cursor: str) -> Q:
        values = self._read(cursor)
        if values is None:
            return Q()
        after, same = Q(), Q()
        for number, (key, value) in enumerate(zip(self.keys, values, strict=True)):
            beyond = "lt" if key.falls else "gt"
            one = same & Q(**{f"{key.name}__{beyond}": value})
            after = after | one if number else one
            same &= Q(**{key.name: value})
        # The first key's bound is what an index is entered by.
        return Q(**{f"{self.keys[0].name}__{'lt' if self.keys[0].falls else 'gt'}e": values[0]}) & after

    def _read(self, cursor: str) -> list[Any] | None:
        if not cursor or len(cursor) > LONGEST_CURSOR:
            return None
        try:
            texts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            if not isinstance(texts, list):
                return None
            return [key.read(text) for key, text in zip(self.keys, texts, strict=True)]
        except (ValueError, TypeError, InvalidOperation, binascii.Error, RecursionError):
            return None

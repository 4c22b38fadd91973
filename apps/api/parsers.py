"""What a body must be before any field of it is looked at."""

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class KeepableJSON(JSONParser):
    """JSON whose text the database can hold.

    A NUL, or half of a surrogate pair, is valid as an escape and yet no text that PostgreSQL takes. Fields that look a
    value up, such as a person's name, would ask for it before any validator of text sees it.
    """

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """The value. Raises ParseError with a sentence."""
        try:
            value = super().parse(stream, media_type, parser_context)
            said = json.dumps(value, ensure_ascii=False)
            said.encode()
        except (UnicodeEncodeError, RecursionError):
            raise ParseError("The body holds what is no text, or is nested too deeply.") from None
        if "\\u0000" in said and _holds_nul(value):
            raise ParseError("The body holds a NUL character.")
        return value


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in key or _holds_nul(inner) for key, inner in value.items())
    return isinstance(value, list) and any(map(_holds_nul, value))

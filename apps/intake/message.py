"""What a message says: a JSON object that can be kept, and the record that Odoo's names."""

import json
import math
import re
from typing import Any

MODEL = re.compile(r"[a-z0-9_.]{1,80}")
NUL_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
LARGEST_BODY = 1024 * 1024


class Refused(Exception):
    """The message is not one; answered with a status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status, self.sentence = status, sentence


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large a number")
    return number


DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a message is. Raises Refused with a sentence."""
    try:
        message = DECODER.decode(body.decode("utf-8"))
        if rb"\u" in body:
            # Half a surrogate pair, or a NUL: valid as an escape, and yet text that PostgreSQL cannot hold.
            json.dumps(message, ensure_ascii=False).encode()
            if NUL_ESCAPE.search(body):
                raise ValueError("a NUL")
    except (ValueError, RecursionError):
        raise Refused(400, "The body is not JSON that can be kept.") from None
    if not isinstance(message, dict):
        raise Refused(400, "The body is not a JSON object.")
    return message


def read_hint(body: bytes) -> tuple[str, int]:
    """The model and id that Odoo's message names. Raises Refused with a sentence."""
    message = read_object(body)
    model, odoo_id = message.get("_model"), message.get("_id")
    if not isinstance(model, str) or not MODEL.fullmatch(model):
        raise Refused(400, "_model is missing, or is not the name of a model.")
    if type(odoo_id) is not int or not 0 < odoo_id < 2**63:
        raise Refused(400, "_id is missing, or is not the id of a record.")
    return model, odoo_id

"""The worst that a field can hold."""

import random
import string
from typing import Any

from apps.mirror.declare import Boolean, Day, Ids, Integer, Many2one, Moment, Number, Text

# Random, so that no compression makes an index row fit.
LONG = "".join(random.Random(7).choices(string.ascii_letters + string.digits, k=4_000))

NUL, HALF = "a\x00b", "half \ud800 of it"

ODD_TEXTS = [
    LONG,
    NUL,
    HALF,
    True,
    12,
    1.5,
    {"en_US": "Desk", "de_DE": "Tisch"},
    ["a", "b"],
    [],
    "\u202e\u200f",
    "'; DROP TABLE x; --",
]

ODD_NUMBERS = [
    95012345678903123456,
    float("nan"),
    float("inf"),
    1e300,
    -(10**20),
    "12.5",
    "twelve",
    "NaN",
    True,
    [1],
    {"a": 1},
    10**400,
]

ODD_WHOLES = [2**63, -(2**70), "7", "seven", 7.5, True, [7, "Name"], {"id": 7}, "\x00"]

ODD_TIMES = [
    "0000-01-01 00:00:00",
    "9999-12-31 23:59:59",
    "-001-01-01 00:00:00",
    "1-01-01 00:00:00",
    "2026-13-45 99:99:99",
    "infinity",
    "now",
    "yesterday",
    "",
    "10000-01-01 00:00:00",
    20260101,
    True,
    ["2026-01-01"],
    {"date": 1},
    "2026-02-30 10:00:00",
    NUL,
]

ODD_LISTS = [list(range(1, 20_001)), [[1, 2], [3, 4]], [2**64], ["x"], [None], 5, "1,2", {"1": 2}, [True], [1.5]]

ODD_TRUTHS = ["yes please", 2, [True], {"a": True}, "\x00", 1.5]

MISSING = object()


def odd_values(field: Any) -> list[Any]:
    """The worst that Odoo, a module of it, or a proxy before it can give for the field."""
    match field:
        case Text():
            return ODD_TEXTS
        case Many2one() | Integer():
            return ODD_WHOLES
        case Number():
            return ODD_NUMBERS
        case Ids():
            return ODD_LISTS
        case Moment() | Day():
            return ODD_TIMES
        case Boolean():
            return ODD_TRUTHS
    raise AssertionError(field)

"""An Odoo company in memory, answering reads as :class:`apps.odoo.client.OdooClient` does.

What the sync does with thousands of rows of one second, or with a transaction that commits late, cannot be brought
about at will in a real Odoo; tests/odoo holds the sync against one.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from apps.mirror.sync.times import moment, text
from apps.odoo.models import Connection

Row = dict[str, Any]


class Company:
    """Records of any model, with the dates that Odoo gives them. ``asked`` lists the calls; a replica lacks what is
    ``hidden``, and a rule keeps what is ``ruled`` from the login."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.records: dict[str, dict[int, Row]] = {}
        self.asked: list[tuple[str, str]] = []
        self.hidden: set[tuple[str, int]] = set()
        self.ruled: set[tuple[str, int]] = set()
        self.before_read: list[Any] = []

    def write(self, model: str, odoo_id: int, at: datetime, **values: Any) -> None:
        """The record has these values since ``at``; it is made where it was not."""
        rows = self.records.setdefault(model, {})
        row = rows.setdefault(odoo_id, {"id": odoo_id, "create_date": text(at)})
        row |= values | {"write_date": text(at)}

    def unlink(self, model: str, *odoo_ids: int) -> None:
        """The records are gone, without a trace."""
        for odoo_id in odoo_ids:
            del self.records[model][odoo_id]

    def search_read(
        self,
        model: str,
        domain: Sequence[Any],
        fields: Sequence[str],
        *,
        limit: int | None = None,
        order: str | None = None,
        context: Row | None = None,
        primary: bool = False,
    ) -> list[Row]:
        self.asked.append((model, "search_read"))
        while self.before_read:
            self.before_read.pop()()
        rows = [
            row
            for odoo_id, row in self.records.get(model, {}).items()
            if (primary or (model, odoo_id) not in self.hidden)
            and (model, odoo_id) not in self.ruled
            and all(_holds(row, *term) for term in domain)
        ]
        for key in reversed((order or "id").split(", ")):
            name, _, direction = key.partition(" ")
            rows.sort(key=lambda row: row[name], reverse=direction == "desc")
        return [{name: row.get(name, False) for name in ("id", *fields)} for row in rows[:limit]]

    def search(self, model: str, domain: Sequence[Any], **named: Any) -> list[int]:
        return [row["id"] for row in self.search_read(model, domain, [], **named)]

    def search_count(self, model: str, domain: Sequence[Any], **named: Any) -> int:
        return len(self.search_read(model, domain, [], **named))

    def read(self, model: str, ids: Sequence[int], fields: Sequence[str], *, primary: bool = False) -> list[Row]:
        return self.search_read(model, [("id", "in", list(ids))], fields, primary=primary)

    def hides(self, model: str, odoo_id: int) -> bool:
        self.asked.append((model, "read"))
        return (model, odoo_id) in self.ruled and odoo_id in self.records.get(model, {})

    def read_group(
        self, model: str, domain: Sequence[Any], groupby: Sequence[str], aggregates: Sequence[str], **named: Any
    ) -> list[Row]:
        assert aggregates == ["id:sum", "write_date:max"]
        self.asked.append((model, "read_group"))
        length = {"write_date:day": 10, "write_date:hour": 13}[groupby[0]]
        groups: dict[str, list[Row]] = {}
        for row in self.search_read(model, domain, ["write_date"]):
            groups.setdefault(row["write_date"][:length], []).append(row)
        return [
            {
                "__count": len(rows),
                groupby[0]: key,
                "id:sum": sum(row["id"] for row in rows),
                "write_date:max": max(row["write_date"] for row in rows),
            }
            for key, rows in groups.items()
        ]


def _holds(row: Row, name: str, operator: str, value: Any) -> bool:
    have = row.get(name, False)
    if name == "write_date" and value:
        have, value = moment(have), moment(value)
    if operator == "in":
        return have in value
    return {"=": have == value, "!=": have != value}[operator] if operator in "!=" else _ordered(have, operator, value)


def _ordered(have: Any, operator: str, value: Any) -> bool:
    return {">": have > value, ">=": have >= value, "<": have < value, "<=": have <= value}[operator]


class Clock:
    """A clock that tests move. Calling it gives the time."""

    def __init__(self, at: datetime = datetime(2026, 11, 23, 10, tzinfo=UTC)) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

"""Older Odoos: what the company shows of itself when it is told to be one.

Inside, the company is always of version 19. At its doors it hides what an older Odoo does not have and calls by the old
name what has been renamed since.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sandbox.errors import NoFieldError, NoMethodError

ROWS = ("read", "search_read")
LISTS = ("fields", "allfields", "groupby")
VALUES = ("vals", "vals_list")


class OfModel(Protocol):
    """What methods are called on: records, of one model."""

    _name: str


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One version at the doors.

    Attributes:
        hidden: model → fields that this version does not have.
        old_names: model → today's name of a field → its name in this version.
        missing_methods: methods that this version does not have.
        more_words: (model, field) → values of a selection, with their words, that later versions have no more.
        fewer_words: (model, field) → values of a selection that this version does not have yet.
        has_json2: whether it answers at ``/json/2``.
    """

    version: str
    hidden: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    old_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    missing_methods: tuple[str, ...] = ()
    more_words: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    fewer_words: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    has_json2: bool = True

    @property
    def told(self) -> dict[str, Any]:
        """What the server says of its version."""
        return {
            "server_version": self.version,
            "server_version_info": [int(self.version.split(".")[0]), 0, 0, "final", 0, ""],
            "server_serie": self.version,
            "protocol_version": 1,
        }

    def today(self, model: str, name: str) -> str:
        """The field that this version calls ``name``, by its name of today; "" where this version has none."""
        renamed = self.old_names.get(model, {})
        for now, then in renamed.items():
            if then == name:
                return now
        return "" if name in renamed or name in self.hidden.get(model, ()) else name

    def then(self, model: str, name: str) -> str:
        """What this version calls the field that is called ``name`` today; "" where it has none."""
        return "" if name in self.hidden.get(model, ()) else self.old_names.get(model, {}).get(name, name)

    def call(self, function: Callable[..., Any], records: OfModel, *args: Any, **named: Any) -> Any:
        """Call a method as somebody who speaks to this version. Raises what that version would."""
        name, model = function.__name__, records._name
        if name in self.missing_methods:
            raise NoMethodError(f"The method '{model}.{name}' does not exist")
        is_of_lines = any(model == parent for parent, _ in LINES)
        if model not in self.hidden and model not in self.old_names and name != "fields_get" and not is_of_lines:
            return function(records, *args, **named)
        bound = inspect.signature(function).bind(records, *args, **named)
        for key, value in bound.arguments.items():
            if value and key == "domain":
                bound.arguments[key] = [self._leaf(model, one) for one in value]
            elif value and key in LISTS:
                bound.arguments[key] = [self._asked(model, one) for one in value]
            elif value and key in VALUES:
                bound.arguments[key] = (
                    self._values(model, value) if isinstance(value, dict) else [self._values(model, one) for one in value]
                )
        result = function(*bound.args, **bound.kwargs)
        if name in ROWS:
            return [self._shown(model, row) for row in result]
        if name == "fields_get":
            self._word(model, result)
            return self._shown(model, result)
        return result

    def _leaf(self, model: str, leaf: Any) -> Any:
        return leaf if isinstance(leaf, str) else (self._asked(model, leaf[0]), *leaf[1:])

    def _asked(self, model: str, name: str) -> str:
        first, *rest = name.split(".")
        plain, colon, part = first.partition(":")
        found = self.today(model, plain)
        if not found:
            raise NoFieldError(f"Invalid field {plain!r} on {model!r}")
        return ".".join([f"{found}{colon}{part}", *rest])

    def _values(self, model: str, values: dict[str, Any]) -> dict[str, Any]:
        return {self._asked(model, name): self._lines(LINES.get((model, name), ""), value) for name, value in values.items()}

    def _lines(self, model: str, value: Any) -> Any:
        if not model or not isinstance(value, list | tuple):
            return value
        return [
            [*one[:2], self._values(model, one[2])]
            if isinstance(one, list | tuple) and len(one) > 2 and isinstance(one[2], dict)
            else one
            for one in value
        ]

    def _shown(self, model: str, row: dict[str, Any]) -> dict[str, Any]:
        return {then: value for name, value in row.items() if (then := self.then(model, name))}

    def _word(self, model: str, described: dict[str, Any]) -> None:
        for name, told in described.items():
            if "selection" in told:
                kept = [one for one in told["selection"] if one[0] not in self.fewer_words.get((model, name), ())]
                told["selection"] = kept + [list(one) for one in self.more_words.get((model, name), {}).items()]


# Lines that are written together with what they belong to.
LINES = {("purchase.order", "order_line"): "purchase.order.line", ("sale.order", "order_line"): "sale.order.line"}
BEFORE_19 = {"purchase.order": ("acknowledged",)}
RENAMED_19 = {
    "res.users": {"group_ids": "groups_id"},
    "sale.order.line": {"product_uom_id": "product_uom"},
    "purchase.order.line": {"product_uom_id": "product_uom"},
    "product.supplierinfo": {"product_uom_id": "product_uom"},
}
LOCKED_PURCHASES = {("purchase.order", "state"): {"done": "Locked"}}
BEFORE_18 = {**BEFORE_19, "product.template": ("is_storable",), "product.product": ("is_storable",)}
NOT_BLOCKED = {("account.move", "payment_state"): ("blocked",)}
# What each version added, renamed and dropped, by OpenUpgrade's lists; docs/odoo-versions.md says what is proven.
SHAPES = {
    "19": Shape(version="19.0"),
    "18": Shape(
        version="18.0",
        hidden=BEFORE_19,
        old_names=RENAMED_19,
        missing_methods=("formatted_read_group",),
        more_words=LOCKED_PURCHASES,
        has_json2=False,
    ),
    "17": Shape(
        version="17.0",
        hidden=BEFORE_18,
        old_names=RENAMED_19,
        missing_methods=("formatted_read_group", "has_access", "check_access"),
        more_words=LOCKED_PURCHASES,
        fewer_words=NOT_BLOCKED,
        has_json2=False,
    ),
    "16": Shape(
        version="16.0",
        hidden={
            **BEFORE_18,
            "stock.move": ("picked",),
            "sale.order": ("locked",),
            "stock.picking": ("return_id",),
            "ir.actions.server": ("webhook_url", "webhook_field_ids"),
        },
        old_names={**RENAMED_19, "stock.move": {"quantity": "quantity_done"}, "mail.tracking.value": {"field_id": "field"}},
        missing_methods=("formatted_read_group", "has_access", "check_access"),
        more_words={**LOCKED_PURCHASES, ("sale.order", "state"): {"done": "Locked"}},
        fewer_words=NOT_BLOCKED,
        has_json2=False,
    ),
}

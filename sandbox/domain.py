"""Odoo's search domains: read once into a tree, then asked row by row."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from sandbox.errors import NoFieldError

NEGATIVE = {"!=", "not in", "not like", "not ilike", "not any", "<>"}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


@dataclass
class Term:
    """A comparison; ``path`` is the dotted field."""

    path: list[str]
    operator: str
    value: Any


@dataclass
class Node:
    """``&``, ``|`` or ``!`` over terms and nodes."""

    operator: str
    children: list["Node | Term"]


def parse(domain: Sequence[Any]) -> Node:
    """The tree of a domain in Polish notation, terms after each other joined by and."""
    items = list(domain)
    roots: list[Node | Term] = []
    while items:
        roots.append(_take(items))
    return Node("&", roots)


def _take(items: list[Any]) -> Node | Term:
    if not items:
        raise ValueError("Domain() invalid item in domain: an operator lacks its operand")
    item = items.pop(0)
    if item in ("&", "|"):
        return Node(item, [_take(items), _take(items)])
    if item == "!":
        return Node("!", [_take(items)])
    if isinstance(item, (list, tuple)) and len(item) == 3:
        path, operator, value = item
        operator = {"<>": "!=", "==": "="}.get(str(operator).lower(), str(operator).lower())
        if isinstance(path, (int, float)):
            return Node("&" if path == value else "|", [])
        return Term(path.split("."), operator, _written(value))
    raise ValueError(f"Domain() invalid item in domain: {item!r}")


def _written(value: Any) -> Any:
    # Moments and days of code that runs here, as rows keep them.
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return value.isoformat() if isinstance(value, date) else value


def terms(node: Node) -> list[Term]:
    """The terms that must all hold whatever the others say."""
    found: list[Term] = []
    for child in node.children if node.operator == "&" else []:
        if isinstance(child, Term):
            found.append(child)
        else:
            found += terms(child)
    return found


def check(node: Node | Term, model: str, field_of: Callable[[str, str], Any]) -> None:
    """Raises NoFieldError where a term names no field."""
    if isinstance(node, Node):
        for child in node.children:
            check(child, model, field_of)
        return
    for name in node.path:
        field = field_of(model, name)
        if field is None:
            said = (".".join(node.path), node.operator, node.value)
            raise NoFieldError(f"Invalid field {model}.{name} in condition {said!r}")
        model = field.relation


class Matcher:
    """Whether a record of ``model`` matches; ``reader`` gives a field's raw value (ids for relations)."""

    def __init__(self, model: str, node: Node, reader: "Reader") -> None:
        self.model, self.node, self.reader = model, node, reader

    def __call__(self, odoo_id: int) -> bool:
        return self._node(self.model, self.node, odoo_id)

    def _node(self, model: str, node: Node | Term, odoo_id: int) -> bool:
        if isinstance(node, Term):
            return self._term(model, node, node.path, odoo_id)
        if node.operator == "!":
            return not self._node(model, node.children[0], odoo_id)
        check_all = all if node.operator == "&" else any
        return check_all(self._node(model, child, odoo_id) for child in node.children)

    def _term(self, model: str, term: Term, path: list[str], odoo_id: int) -> bool:
        field = self.reader.field(model, path[0])
        value = self.reader.value(model, odoo_id, path[0])
        if len(path) > 1:
            inner = [value] if field.type == "many2one" else value
            positive = term.operator not in NEGATIVE
            reached = [one for one in inner if one]
            if not reached:
                return compare(False, term.operator, term.value)
            if positive:
                return any(self._term(field.relation, term, path[1:], one) for one in reached)
            return all(self._term(field.relation, term, path[1:], one) for one in reached)
        if term.operator in ("any", "not any"):
            node = parse(term.value)
            reached = [one for one in ([value] if field.type == "many2one" else value) if one]
            found = any(self._node(field.relation, node, one) for one in reached)
            return found == (term.operator == "any")
        if field.relation and isinstance(term.value, str):
            names = [self.reader.name(field.relation, one) for one in ([value] if field.type == "many2one" else value) if one]
            if term.operator in NEGATIVE:
                return all(compare(name, term.operator, term.value) for name in names)
            return any(compare(name, term.operator, term.value) for name in names)
        if isinstance(value, list):
            return _compare_list(value, term.operator, term.value)
        if field.type == "boolean":
            return compare(bool(value), term.operator, term.value)
        return compare(value, term.operator, term.value)


class Reader(Protocol):
    """What a matcher needs to know of the records."""

    def field(self, model: str, name: str) -> Any:
        """The declaration of a field."""

    def value(self, model: str, odoo_id: int, name: str) -> Any:
        """Its raw value."""

    def name(self, model: str, odoo_id: int) -> str:
        """The record's display name."""


def _compare_list(value: list[int], operator: str, wanted: Any) -> bool:
    if wanted is False or wanted is None or wanted == []:
        return bool(value) == (operator in NEGATIVE)
    several = wanted if isinstance(wanted, (list, tuple)) else [wanted]
    found = any(one in value for one in several)
    return not found if operator in NEGATIVE else found


def compare(value: Any, operator: str, wanted: Any) -> bool:
    """One comparison as PostgreSQL and Odoo make it: nothing is equal to an unset value but ``False``."""
    unset = value is False or value is None
    if operator in ("=", "!="):
        if isinstance(wanted, (list, tuple)):
            return compare(value, "in" if operator == "=" else "not in", wanted)
        if wanted is False or wanted is None:
            same = unset or value == ""
        else:
            same = value == wanted
        return same == (operator == "=")
    if operator in ("in", "not in"):
        several = wanted if isinstance(wanted, (list, tuple, set)) else [wanted]
        found = (unset and (False in several or None in several)) if unset else value in several
        return found == (operator == "in")
    if operator in COMPARE:
        if unset or wanted is False or wanted is None:
            return False
        try:
            return COMPARE[operator](value, wanted)
        except TypeError:
            return False
    if "like" in operator:
        return _like("" if unset else str(value), operator, str(wanted))
    raise ValueError(f"Invalid operator {operator!r}")


def _like(value: str, operator: str, wanted: str) -> bool:
    negative, plain = operator.startswith("not "), operator.removeprefix("not ").lstrip("=")
    if not operator.removeprefix("not ").startswith("="):
        wanted = f"%{wanted}%"
    pattern = "".join(".*" if letter == "%" else "." if letter == "_" else re.escape(letter) for letter in wanted)
    found = re.fullmatch(pattern, value, re.DOTALL | (re.IGNORECASE if plain == "ilike" else 0)) is not None
    return found != negative

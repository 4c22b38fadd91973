"""Finding records: from a domain to ids, by index where there is one, and grouping them."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from sandbox import domain as domains
from sandbox.errors import NoFieldError
from sandbox.records import Env
from sandbox.store import History, Table

DEFAULT_ORDER = {
    "sale.order": "date_order desc, id desc",
    "purchase.order": "id desc",
    "stock.picking": "scheduled_date asc, id desc",
    "account.move": "date desc, name desc, id desc",
}
# Of history's rows these grow with the id, and are set.
GROW_WITH_ID = ("id", "write_date", "create_date", "date_order")
WINDOW = ("=", ">", ">=", "<", "<=")


def search(
    env: Env, model: str, domain: Sequence[Any], *, order: str | None = None, limit: int | None = None, offset: int = 0
) -> list[int]:
    """The ids that match ``domain``, in order."""
    company = env.engine
    node = _with_active(env, model, domain)
    domains.check(node, model, company.field)
    table = company.store.table(model)
    plain = _orders(company, model, order or DEFAULT_ORDER.get(model, "id"))
    end = None if not limit else offset + limit
    pointed = _pointed(company, table, node)
    matches = domains.Matcher(model, node, company)
    if pointed is not None:
        found = [one for one in pointed if table.get(one) is not None and matches(one)]
        return _sorted(company, model, found, plain)[offset:end]
    own = _sorted(company, model, [one for one in table.rows if matches(one)], plain)
    if not table.history or _history_is_out(company, model, table.history, node):
        return own[offset:end]
    down = [is_down for _, is_down in plain]
    streams = all(name in GROW_WITH_ID for name, _ in plain) and len(set(down)) == 1
    base = _base(table, node, matches, down=streams and down[0])
    if not streams:
        return _sorted(company, model, [*own, *base], plain)[offset:end]

    def key(odoo_id: int) -> Any:
        return tuple(company.value(model, odoo_id, name) for name, _ in plain)

    if not own:
        return list(islice(base, offset, end))
    return list(islice(heapq.merge(own, base, key=key, reverse=down[0]), offset, end))


def count(env: Env, model: str, domain: Sequence[Any], limit: int | None = None) -> int:
    """How many match."""
    node = _with_active(env, model, domain)
    domains.check(node, model, env.engine.field)
    table = env.engine.store.table(model)
    if not node.children:
        return table.count()
    if table.history and _only_window(node):
        matches = domains.Matcher(model, node, env.engine)
        low, high = _bounds(table.history, node)
        within = [one for one in (*table.rows, *table.gone) if low <= one <= high and one <= table.history.last]
        return max(high - low + 1, 0) - len(set(within)) + sum(1 for one in table.rows if matches(one))
    return len(search(env, model, domain, order="id", limit=limit))


def group(
    env: Env, model: str, domain: Sequence[Any], groupby: Sequence[str], aggregates: Sequence[str]
) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Groups by ``groupby`` with ``aggregates``, in the order of the keys."""
    company, table = env.engine, env.engine.store.table(model)
    for name in (*groupby, *(one for one in aggregates if one != "__count")):
        field = name.split(":")[0]
        if company.field(model, field) is None:
            raise NoFieldError(f"Invalid field '{field}' on '{model}'")
    node = _with_active(env, model, domain)
    days = list(groupby) == ["write_date:day"] and set(aggregates) <= {"__count", "id:sum", "write_date:max"}
    groups: dict[tuple[Any, ...], list[int]] = {}
    known: dict[tuple[Any, ...], dict[str, Any]] = {}
    if table.history and days and _only_window(node):
        known = _history_by_day(table, table.history, *_bounds(table.history, node))
        matches = domains.Matcher(model, node, company)
        ids: Iterable[int] = [one for one in table.rows if matches(one)]
    else:
        ids = search(env, model, domain, order="id")
    for one in ids:
        groups.setdefault(tuple(_key(company, model, one, by) for by in groupby), []).append(one)
    if not groupby and not groups:
        groups[()] = []
    for key, members in groups.items():
        made = {name: _aggregate(company, model, name, members) for name in aggregates}
        known[key] = _joined(known[key], made) if key in known else made
    return sorted(known.items(), key=lambda one: [(part is False, part) for part in one[0]])


def _joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {name: max(value, other[name]) if name.endswith(":max") else value + other[name] for name, value in one.items()}


def _aggregate(company: Any, model: str, name: str, ids: list[int]) -> Any:
    if name == "__count":
        return len(ids)
    field, _, how = name.partition(":")
    values = [value for one in ids if (value := company.value(model, one, field)) is not False and value is not None]
    chosen: dict[str, Callable[[list[Any]], Any]] = {
        "sum": sum,
        "max": lambda v: max(v, default=False),
        "min": lambda v: min(v, default=False),
        "count": len,
        "avg": lambda v: sum(v) / len(v) if v else False,
        "count_distinct": lambda v: len(set(v)),
        "array_agg": list,
    }
    if how not in chosen:
        raise ValueError(f"Invalid aggregate method {how!r} for {name!r}.")
    return chosen[how](values)


def _key(company: Any, model: str, odoo_id: int, by: str) -> Any:
    name, _, part = by.partition(":")
    value = company.value(model, odoo_id, name)
    if not value or not part:
        return value
    at = datetime.fromisoformat(str(value))
    if part == "month":
        return at.strftime("%Y-%m-01")
    if part == "year":
        return at.strftime("%Y-01-01")
    return at.strftime("%Y-%m-%d")


def _history_by_day(table: Table, history: History, low: int, high: int) -> dict[tuple[Any, ...], dict[str, Any]]:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    changed = sorted(one for one in {*table.rows, *table.gone} if one <= history.last)
    start = low
    while start <= high:
        day = history.row(start)["write_date"][:10]
        following = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
        end = min(history.first_at(following) - 1, high)
        here = {one for one in changed if start <= one <= end}
        number = end - start + 1 - len(here)
        newest = end
        while newest in here:
            newest -= 1
        if number:
            found[(day,)] = {
                "__count": number,
                "id:sum": (start + end) * (end - start + 1) // 2 - sum(here),
                "write_date:max": history.row(newest)["write_date"],
            }
        start = end + 1
    return found


def _with_active(env: Env, model: str, domain: Sequence[Any]) -> domains.Node:
    node = domains.parse(domain or [])
    tests = "active" in env.engine.models[model] and env.context.get("active_test", True)
    if tests and "active" not in str(domain):
        node = domains.Node("&", [node, domains.Term(["active"], "=", True)])
    return node


def _orders(company: Any, model: str, order: str) -> list[tuple[str, bool]]:
    plain = []
    for part in order.split(","):
        name, _, direction = part.strip().partition(" ")
        if company.field(model, name) is None:
            raise NoFieldError(f"Invalid field {name!r} on {model!r}")
        plain.append((name, "desc" in direction.lower()))
    return plain


def _sorted(company: Any, model: str, ids: list[int], plain: list[tuple[str, bool]]) -> list[int]:
    ids = sorted(ids, reverse=bool(plain) and plain[-1] == ("id", True))
    for name, is_down in reversed([one for one in plain if one[0] != "id"] if plain[-1][0] == "id" else plain):
        # As in PostgreSQL, what is not set counts as the greatest.
        def key(odoo_id: int, name: str = name) -> Any:
            value = company.value(model, odoo_id, name)
            unset = value is False or value is None
            return unset, 0 if unset else value

        ids.sort(key=key, reverse=is_down)
    return ids


def _pointed(company: Any, table: Table, node: domains.Node) -> set[int] | None:
    """The few ids among which all matches are, where the domain names them; None where it does not."""
    best: set[int] | None = None
    for term in domains.terms(node):
        if len(term.path) != 1 or term.operator not in ("=", "in"):
            continue
        wanted = term.value if isinstance(term.value, (list, tuple, set)) else [term.value]
        name = term.path[0]
        found: set[int] | None = None
        if name == "id":
            found = {one for one in wanted if isinstance(one, int) and one}
        elif name in table.indexes and not any(one is False or one is None or isinstance(one, list) for one in wanted):
            if isinstance(term.value, str) and company.field(table.model, name).relation:
                continue
            found = {one for value in wanted for one in table.indexes[name].get(value, ())}
            if table.history:
                for value in wanted:
                    more = table.history.ids_with(name, value)
                    if more is None:
                        found = None
                        break
                    found |= set(more)
        if found is not None and (best is None or len(found) < len(best)):
            best = found
    return best


def _history_is_out(company: Any, model: str, history: History, node: domains.Node) -> bool:
    """Whether a term that must hold fails for all rows of history."""
    for term in domains.terms(node):
        is_constant, value = _constant(company, model, history, term.path)
        if is_constant and not isinstance(value, list) and "any" not in term.operator:
            if len(term.path) == 1 and company.field(model, term.path[0]).relation and isinstance(term.value, str):
                continue
            if not domains.compare(value, term.operator, term.value):
                return True
    return False


def _constant(company: Any, model: str, history: History, path: list[str]) -> tuple[bool, Any]:
    if len(path) == 1:
        return history.constant(path[0])
    relation = company.field(model, path[0]).relation
    inner = company.store.table(relation).history
    if inner is None or history.constant(path[0])[0]:
        return False, None
    return _constant(company, relation, inner, path[1:])


def _only_window(node: domains.Node) -> bool:
    return all(
        child.path in (["id"], ["write_date"]) and child.operator in WINDOW and bool(child.value)
        if isinstance(child, domains.Term)
        else child.operator == "&" and _only_window(child)
        for child in node.children
    )


def _bounds(history: History, node: domains.Node) -> tuple[int, int]:
    low, high = 1, history.last
    for term in domains.terms(node):
        if term.operator not in WINDOW or not term.value or isinstance(term.value, (list, tuple)):
            continue
        if term.path == ["id"]:
            at_least, beyond = term.value, term.value + 1
        elif term.path == ["write_date"]:
            at_least, beyond = history.first_at(str(term.value)), history.first_at(f"{term.value}\0")
        else:
            continue
        if term.operator in ("=", ">=", ">"):
            low = max(low, beyond if term.operator == ">" else at_least)
        if term.operator in ("=", "<=", "<"):
            high = min(high, (at_least if term.operator == "<" else beyond) - 1)
    return low, high


def _base(table: Table, node: domains.Node, matches: Callable[[int], bool], *, down: bool) -> Iterator[int]:
    assert table.history
    low, high = _bounds(table.history, node)
    ids = table.base_ids(low, high, down=down)
    return ids if _only_window(node) else (one for one in ids if matches(one))

"""The methods by which records are read over RPC."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sandbox import searching, tracking
from sandbox.errors import NoFieldError
from sandbox.records import Records, method

Row = dict[str, Any]


@method(of_model=True)
def search(
    records: Records, domain: Sequence[Any] = (), offset: int = 0, limit: int | None = None, order: str | None = None
) -> Any:
    """Records that match ``domain``."""
    env = records.env
    env.engine.check_access(env, records._name, "read")
    found = searching.search(env, records._name, domain, order=order, limit=limit, offset=offset or 0)
    return records.browse(found)


@method(of_model=True)
def search_count(records: Records, domain: Sequence[Any] = (), limit: int | None = None) -> int:
    """How many match ``domain``."""
    env = records.env
    env.engine.check_access(env, records._name, "read")
    return searching.count(env, records._name, domain, limit)


@method(of_model=True)
def search_read(
    records: Records,
    domain: Sequence[Any] | None = None,
    fields: Sequence[str] | None = None,
    offset: int = 0,
    limit: int | None = None,
    order: str | None = None,
    **named: Any,
) -> list[Row]:
    """Rows of the records that match ``domain``."""
    found = search(records, domain or (), offset=offset, limit=limit, order=order)
    return read(found, fields, load=named.get("load", "_classic_read"))


@method()
def read(records: Records, fields: Sequence[str] | None = None, load: str | None = "_classic_read") -> list[Row]:
    """Rows of the records that are there."""
    company, model = records.env.engine, records._name
    company.check_access(records.env, model, "read")
    declared = company.models[model]
    names = list(dict.fromkeys(fields or declared))
    for name in names:
        if name not in declared:
            raise NoFieldError(f"Invalid field {name!r} on {model!r}")
    table, rows = company.store.table(model), []
    classic = load == "_classic_read"
    plan = [(name, declared[name]) for name in names if name != "id"]
    for odoo_id in records.ids:
        if table.get(odoo_id) is None:
            continue
        row: Row = {"id": odoo_id}
        for name, field in plan:
            value = company.value(model, odoo_id, name)
            if field.type == "many2one":
                value = value or False
                if classic and value:
                    value = [value, company.name(field.relation, value)]
            elif field.type == "datetime":
                value = value[:19] if value else False
            elif field.type == "boolean":
                value = bool(value)
            row[name] = value
        rows.append(row)
    return rows


@method(of_model=True)
def fields_get(records: Records, allfields: Sequence[str] | None = None, attributes: Sequence[str] | None = None) -> Row:
    """What there is of fields."""
    company = records.env.engine
    company.check_access(records.env, records._name, "read")
    said = {}
    for name, field in company.models[records._name].items():
        if allfields and name not in allfields:
            continue
        told = field.described()
        if words := tracking.WORDS.get((records._name, name)):
            told["selection"] = [list(one) for one in words.items()]
        said[name] = {key: value for key, value in told.items() if not attributes or key in attributes}
    return said


@method(of_model=True)
def name_search(
    records: Records,
    name: str = "",
    domain: Sequence[Any] | None = None,
    operator: str = "ilike",
    limit: int = 100,
    **named: Any,
) -> list[list[Any]]:
    """Ids and names of records whose name is like ``name``."""
    wanted = [*(domain or named.get("args") or [])]
    if name:
        wanted.append((records.env.engine.name_field(records._name), operator, name))
    found = search(records, wanted, limit=limit)
    return [[one, records.env.engine.name(records._name, one)] for one in found.ids]


@method(of_model=True)
def formatted_read_group(
    records: Records,
    domain: Sequence[Any] = (),
    groupby: Sequence[str] = (),
    aggregates: Sequence[str] = (),
    **named: Any,
) -> list[Row]:
    """Groups, as Odoo from 19 tells of them."""
    env = records.env
    env.engine.check_access(env, records._name, "read")
    rows = []
    for key, values in searching.group(env, records._name, domain, groupby, aggregates):
        row: Row = {}
        extra: list[Any] = []
        for by, part in zip(groupby, key, strict=True):
            row[by], terms = _shown(env.engine, records._name, by, part)
            extra = ["&", *extra, *terms] if extra else terms
        row["__extra_domain"] = extra
        for name, value in values.items():
            row[name] = value[:19] if isinstance(value, str) and name.endswith((":max", ":min")) else value
        rows.append(row)
    return rows


@method(of_model=True)
def read_group(
    records: Records,
    domain: Sequence[Any] = (),
    fields: Sequence[str] = (),
    groupby: Sequence[str] = (),
    lazy: bool = True,
    **named: Any,
) -> list[Row]:
    """Groups, as Odoo up to 18 told of them; 19 still does."""
    groupby = [groupby] if isinstance(groupby, str) else list(groupby)
    if lazy:
        groupby = groupby[:1]
    asked = {}
    for one in fields:
        name, _, how = one.partition(":")
        function, _, field = how.partition("(")
        if how:
            asked[name] = f"{field.rstrip(')') or name}:{function}"
        elif (declared := records.env.engine.field(records._name, name)) and declared.type in ("float", "monetary"):
            asked[name] = f"{name}:sum"
    rows = []
    aggregates = ["__count", *asked.values()]
    for row in formatted_read_group(records, domain, groupby, aggregates):
        kept = {key: value for key, value in row.items() if key in groupby or key == "__count"}
        if lazy and groupby:
            kept[f"{groupby[0].split(':')[0]}_count"] = kept.pop("__count")
        kept |= {name: row[full] for name, full in asked.items()}
        rows.append(kept | {"__domain": [*row["__extra_domain"], *domain]})
    return rows


def _shown(company: Any, model: str, by: str, value: Any) -> tuple[Any, list[Any]]:
    name, _, part = by.partition(":")
    field = company.field(model, name)
    if not value:
        return value, [[name, "=", False]] if value is False else [[name, "=", value]]
    if field.type == "many2one":
        return [value, company.name(field.relation, value)], [[name, "=", value]]
    if field.type in ("date", "datetime") and part:
        day = date.fromisoformat(value)
        following = day + timedelta(days=1)
        if part == "month":
            following = (day + timedelta(days=32)).replace(day=1)
        ends = [day.isoformat(), following.isoformat()]
        if field.type == "datetime":
            ends = [f"{end} 00:00:00" for end in ends]
        label = f"{day:%B %Y}" if part == "month" else f"{day:%d %b %Y}"
        return [ends[0], label], ["&", [name, ">=", ends[0]], [name, "<", ends[1]]]
    return value, [[name, "=", value]]


@method()
def has_access(records: Records, operation: str) -> bool:
    """Whether the login may ``operation`` here."""
    return bool(records.env.engine.may(records.env, records._name, operation))


@method()
def check_access(records: Records, operation: str) -> None:
    """Raises AccessError where the login may not."""
    records.env.engine.check_access(records.env, records._name, operation)


@method(of_model=True)
def check_access_rights(records: Records, operation: str, raise_exception: bool = True) -> bool:
    """Whether the login may ``operation`` here."""
    if raise_exception:
        records.env.engine.check_access(records.env, records._name, operation)
    return bool(records.env.engine.may(records.env, records._name, operation))


@method("res.users", of_model=True)
def context_get(records: Records) -> Row:
    """The login's own context."""
    return {"lang": "en_US", "tz": "Europe/Brussels", "uid": records.env.uid}


@method(of_model=True)
def default_get(records: Records, fields: Sequence[str] = ()) -> Row:
    """Values a new record begins with."""
    defaults = records.env.engine.defaults(records.env, records._name)
    return {name: value for name, value in defaults.items() if not fields or name in fields}

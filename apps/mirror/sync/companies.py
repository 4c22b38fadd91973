"""Company-dependent fields: one value a company, of which a read gives that of one company alone.

A record's own value is stored with the record, and writing it moves ``write_date``. The default of a company is not: to change
it changes what all records without a value of their own are, and moves no date of theirs. So the defaults are looked at
with every increment, and where they changed the model is read anew.
"""

import json
import math
from collections.abc import Sequence
from typing import Any

from apps.mirror.declare import Mirrored
from apps.odoo.client import OdooClient
from apps.odoo.errors import ForbiddenError, UnsupportedError

BATCH = 1_000
Row = dict[str, Any]


def seen(client: OdooClient, model: type[Mirrored]) -> list[int]:
    """The companies that the login sees now, where ``model`` has fields that depend on them; else none."""
    uid = client.connection.uid
    if not uid or not _columns(client, model):
        return []
    me = client.read("res.users", [uid], ["company_ids"])
    return sorted(me[0]["company_ids"] or []) if me else []


def add_values(client: OdooClient, model: type[Mirrored], rows: Sequence[Row], *, companies: Sequence[int] | None = None) -> None:
    """Add to ``rows`` of ``model``, as Odoo gave them, what its company-dependent fields are in each company.

    One read a company and thousand rows, and none where the login sees one company. A record that a rule hides in a company
    has no value there.

    Args:
        companies: what :func:`seen` said, where many batches are read one after the other.
    """
    columns = _columns(client, model)
    if not columns or not rows:
        return
    companies = seen(client, model) if companies is None else companies
    if not companies:
        return
    found: dict[int, dict[str, Row]] = {row["id"]: {column: {} for column in columns} for row in rows if row.get("id")}
    for company in companies:
        if len(companies) == 1:
            own: Sequence[Row] = rows
        else:
            own, ids, context = [], list(found), {"allowed_company_ids": [company]}
            for start in range(0, len(ids), BATCH):
                some = ids[start : start + BATCH]
                own += client.read(model.odoo_model, some, ["id", *columns.values()], context=context)
        for row in own:
            for column, name in columns.items():
                # What is no number has no place in JSON, and is no limit.
                if row["id"] in found and not (isinstance(row[name], float) and not math.isfinite(row[name])):
                    found[row["id"]][column][str(company)] = row[name]
    for row in rows:
        if not row.get("id"):
            continue  # an odd row, which is refused as a whole
        row.update({column: json.dumps(values, sort_keys=True) for column, values in found[row["id"]].items()})


def defaults(client: OdooClient, model: type[Mirrored]) -> str:
    """The companies' defaults of the company-dependent fields of ``model``, as text that compares; "" where none can be read."""
    columns = _columns(client, model)
    companies = seen(client, model)
    if not companies:
        return ""
    domain = [("field_id.model", "=", model.odoo_model), ("field_id.name", "in", sorted(columns.values())), ("user_id", "=", False)]
    try:
        rows = client.search_read("ir.default", domain, ["field_id", "company_id", "json_value"], order="id")
    except (ForbiddenError, UnsupportedError):
        return ""
    return json.dumps([companies, sorted([row["field_id"], row["company_id"] or 0, row["json_value"]] for row in rows)])


def _columns(client: OdooClient, model: type[Mirrored]) -> dict[str, str]:
    """The columns of ``model`` that this Odoo has the field for, with that field."""
    return {column: name for column, name in model.per_company().items() if not client.connection.lacks(model.odoo_model, name)}

"""Reading records by their ids where one that Odoo itself fails on stops none of the others."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.mirror import validation
from apps.mirror.declare import Mirrored
from apps.mirror.validation import Refused
from apps.odoo.client import OdooClient
from apps.odoo.errors import OdooError, RefusedError, ServerFaultError

# What Odoo answers where a single record is to blame: a value that it cannot compute, a rule that one record breaks.
OF_A_RECORD = (ServerFaultError, RefusedError)
# Where so many fail one by one and none is read, the fault is Odoo's, and not a record's.
HOPELESS_AFTER = 5


@dataclass(kw_only=True)
class Rows:
    """What was read, and the records that Odoo could not give."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def read(client: OdooClient, model: type[Mirrored], ids: Sequence[int], fields: Sequence[str], *, primary: bool = False) -> Rows:
    """Read ``ids`` together; where Odoo fails on them, by halves, down to the one that it fails on.

    Raises:
        OdooError: Odoo does not answer, or fails on each of them.
    """
    found = Rows()

    def attempt(some: Sequence[int]) -> None:
        try:
            found.rows += client.read(model.odoo_model, some, fields, primary=primary)
        except OF_A_RECORD as error:
            if len(some) == 1:
                if not found.rows:
                    # Where Odoo fails on everything, this raises, and no record is to blame.
                    client.search(model.odoo_model, [("id", "=", some[0])], limit=1)
                found.refused.append(_refused(model, some[0], error))
                if len(found.refused) >= HOPELESS_AFTER and not found.rows:
                    raise
                return
            middle = len(some) // 2
            attempt(some[:middle])
            attempt(some[middle:])

    if ids:
        attempt(ids)
    return found


@dataclass(kw_only=True)
class Page(Rows):
    """One page of a search. ``last`` is the id after which the next one begins; None where this is the end."""

    last: int | None = None


def page(client: OdooClient, model: type[Mirrored], domain: Sequence[Any], fields: Sequence[str], *, limit: int) -> Page:
    """Read the records that match ``domain``, by ascending id, at most ``limit`` of them.

    Raises OdooError as :func:`read` does.
    """
    try:
        rows = client.search_read(model.odoo_model, domain, fields, limit=limit, order="id")
        ids = [row["id"] for row in rows if isinstance(row.get("id"), int)]
        found = Rows(rows=rows)
    except OF_A_RECORD:
        ids = client.search(model.odoo_model, domain, limit=limit, order="id")
        found = read(client, model, ids, fields)
    is_full = max(len(ids), len(found.rows)) >= limit
    return Page(rows=found.rows, refused=found.refused, last=max(ids) if is_full and ids else None)


def _refused(model: type[Mirrored], odoo_id: int, error: OdooError) -> Refused:
    return Refused(
        odoo_id=odoo_id,
        problem=validation.problem(
            model.odoo_model,
            odoo_id,
            "",
            "",
            f"Odoo fails to read it ({error.what})",
            "Open it in Odoo, and correct what it complains of",
        ),
    )

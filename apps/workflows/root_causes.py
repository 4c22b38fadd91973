"""What an exception is caused by: the record that has to move before the others can.

Forty orders that wait for one late purchase order are one problem. Each exception type says which record is to blame
(:class:`RootCause`), in columns that its facts have worked out already; the queue then shows one line a cause.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection as database
from django.utils.translation import gettext_noop


@dataclass(frozen=True, kw_only=True)
class CauseKind:
    """A kind of record that others wait for.

    Attributes:
        name: how it is kept with every exception.
        title: what a group of such exceptions is called.
        model: Odoo's model of the record.
        team: slug of the team that owns the cause.
        sql: a SELECT of ``odoo_id``, ``place``, ``name`` (what people call the record) and ``about`` (whose it is, or ""), with
            ``%(connection)s``, ``%(ids)s`` and ``%(places)s``, two lists of one length.
        follows: what its record waits for is the cause, where the record's own exceptions name it.
        holds_goods: others wait for goods because of it.
    """

    name: str
    title: str
    model: str
    team: str
    sql: str
    follows: bool = False
    holds_goods: bool = False


@dataclass(frozen=True, kw_only=True)
class RootCause:
    """What an exception type says of its cause.

    Attributes:
        kind: what kind of record it is.
        record: column with the record's id, or with several, the most pressing first; NULL where it is not to blame.
        place: column with the id of the warehouse that it is told apart by; none where the record alone tells.
    """

    kind: CauseKind
    record: str
    place: str = ""


def _named(table: str, *, name: str = "t.name", about: str = "''", joins: str = "") -> str:
    """SQL that names the records of a mirrored table."""
    return f"""
        SELECT wanted.odoo_id, wanted.place, COALESCE({name}, '') AS name, COALESCE({about}, '') AS about
          FROM unnest(%(ids)s::bigint[], %(places)s::bigint[]) AS wanted(odoo_id, place)
          LEFT JOIN {table} t ON t.connection_id = %(connection)s AND t.odoo_id = wanted.odoo_id
          {joins}
    """


PARTNER = "LEFT JOIN mirror_res_partner p ON p.connection_id = t.connection_id AND p.odoo_id = t.partner_id"
PRODUCT = """
          LEFT JOIN mirror_product_template pt ON pt.connection_id = t.connection_id AND pt.odoo_id = t.product_tmpl_id
          LEFT JOIN mirror_stock_warehouse w ON w.connection_id = %(connection)s AND w.odoo_id = wanted.place
"""

PURCHASE_ORDER = CauseKind(
    name="purchase_order",
    title=gettext_noop("Purchase order holds up orders"),
    model="purchase.order",
    team="purchasing",
    sql=_named("mirror_purchase_order", about="p.name", joins=PARTNER),
    holds_goods=True,
)
SHORT_PRODUCT = CauseKind(
    name="short_product",
    title=gettext_noop("Product short in a warehouse"),
    model="product.product",
    team="purchasing",
    sql=_named("mirror_product_product", name="pt.name", about="w.name", joins=PRODUCT),
    holds_goods=True,
)
CUSTOMER_CREDIT = CauseKind(
    name="customer_credit",
    title=gettext_noop("Customer owes more than allowed"),
    model="res.partner",
    team="finance",
    sql=_named("mirror_res_partner"),
)
SILENT_VENDOR = CauseKind(
    name="silent_vendor",
    title=gettext_noop("Vendor who has not responded"),
    model="res.partner",
    team="purchasing",
    sql=_named("mirror_res_partner"),
)
WAREHOUSE = CauseKind(
    name="warehouse",
    title=gettext_noop("Work waiting in a warehouse"),
    model="stock.warehouse",
    team="warehouse",
    sql=_named("mirror_stock_warehouse"),
    holds_goods=True,
)
SALES_ORDER = CauseKind(
    name="sales_order",
    title=gettext_noop("Sales order with several exceptions"),
    model="sale.order",
    team="sales",
    sql=_named("mirror_sale_order", about="p.name", joins=PARTNER),
    follows=True,
)


@dataclass(frozen=True, order=True)
class Key:
    """One cause: a record, told apart by a warehouse where its kind says so (0 where it does not)."""

    kind: str
    odoo_id: int
    place: int = 0

    def __str__(self) -> str:
        return f"{self.kind}:{self.odoo_id}:{self.place}"


def keys_of(causes: Sequence[RootCause], columns: Mapping[str, Any]) -> list[Key]:
    """Return the causes that ``columns`` of a finding name, the first to blame first."""
    found: list[Key] = []
    for cause in causes:
        value = columns[cause.record]
        place = int(columns[cause.place] or 0) if cause.place else 0
        ids = value if isinstance(value, list) else [value]
        found += [Key(cause.kind.name, int(one), place) for one in ids if one]
    return list(dict.fromkeys(found))


def names_of(connection_id: int, kind: CauseKind, keys: Iterable[Key]) -> dict[Key, tuple[str, str]]:
    """Return the name of each cause and whose it is, one query for all of a kind."""
    wanted = list(keys)
    if not wanted:
        return {}
    values: dict[str, Any] = {
        "connection": connection_id,
        "ids": [key.odoo_id for key in wanted],
        "places": [key.place for key in wanted],
    }
    with database.cursor() as cursor:
        cursor.execute(kind.sql, values)
        return {Key(kind.name, odoo_id, place): (name, about) for odoo_id, place, name, about in cursor.fetchall()}

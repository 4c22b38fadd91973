"""The other side of an order between two companies of one Odoo: what one sells, the other buys.

Each order has to name the other's company as its partner. That they belong together their references say, as people write
them, in either direction; where neither names the other, the same goods in the same quantities within :data:`WITHIN` do.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection as database
from psycopg.rows import class_row

from apps.core import statements

WITHIN = timedelta(days=30)
MOST = 5


@dataclass(frozen=True, kw_only=True)
class Counterpart:
    """The order of the other company.

    Attributes:
        is_named: one of the two names the other; else they share partners, goods and time.
    """

    model: str
    odoo_id: int
    name: str
    company_id: int
    company: str
    is_named: bool


GOODS = """
(SELECT string_agg(concat(l.product_id, 'x', trim_scale(l.{quantity})), ',' ORDER BY l.product_id, l.{quantity})
   FROM {lines} l
  WHERE l.connection_id = o.connection_id AND l.order_id = o.odoo_id AND l.product_id IS NOT NULL AND l.{quantity} > 0
    AND l.deleted_at IS NULL)
"""
SOLD = GOODS.format(quantity="product_uom_qty", lines="mirror_sale_order_line")
BOUGHT = GOODS.format(quantity="product_qty", lines="mirror_purchase_order_line")

SALES = {"table": "mirror_sale_order", "reference": "client_order_ref", "goods": SOLD}
PURCHASES = {"table": "mirror_purchase_order", "reference": "partner_ref", "goods": BOUGHT}


def _statement(own: dict[str, str], other: dict[str, str], model: str) -> str:
    return statements.load(
        __file__, "intercompany_pair", **own, their_model=model, **{f"their_{name}": text for name, text in other.items()}
    )


STATEMENTS = {
    "sale.order": _statement(SALES, PURCHASES, "purchase.order"),
    "purchase.order": _statement(PURCHASES, SALES, "sale.order"),
}


def counterparts_of(connection_id: int, model: str, odoo_id: int) -> list[Counterpart]:
    """The orders of other companies that are the other side of this one; who may see them is the caller's to ask."""
    if model not in STATEMENTS:
        return []
    facts = {"connection": connection_id, "record": odoo_id, "within": WITHIN, "most": MOST}
    with database.cursor() as cursor:
        rows = cursor.connection.cursor(row_factory=class_row(Counterpart)).execute(STATEMENTS[model], facts)
        found: list[Counterpart] = rows.fetchall()
        return found

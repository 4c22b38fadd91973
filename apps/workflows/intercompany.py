"""The other side of an order between two companies of one Odoo: what one sells, the other buys.

Each order has to name the other's company as its partner. That they belong together their references say, as people write
them, in either direction; where neither names the other, the same goods in the same quantities within :data:`WITHIN` do.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection as database
from psycopg.rows import class_row

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

# The own order ``o``, then those of the other company ``c`` whose partner is the own one.
PAIR = """
WITH o AS (
  SELECT o.connection_id, o.odoo_id, o.company_id, o.name, o.{reference} AS reference, o.origin, o.create_date,
         their.odoo_id AS their_company, their.name AS their_name, ours.commercial_partner_id AS our_partner, {goods} AS goods
    FROM {table} o
    JOIN mirror_res_partner p ON p.connection_id = o.connection_id AND p.odoo_id = o.partner_id
    JOIN mirror_res_company co ON co.connection_id = o.connection_id AND co.odoo_id = o.company_id
    JOIN mirror_res_partner ours ON ours.connection_id = o.connection_id AND ours.odoo_id = co.partner_id
    JOIN mirror_res_company their ON their.connection_id = o.connection_id AND their.odoo_id <> o.company_id
     AND their.deleted_at IS NULL
    JOIN mirror_res_partner theirs ON theirs.connection_id = o.connection_id AND theirs.odoo_id = their.partner_id
     AND theirs.commercial_partner_id = p.commercial_partner_id
   WHERE o.connection_id = %(connection)s AND o.odoo_id = %(record)s AND o.deleted_at IS NULL
), other AS (
  SELECT own.their_company, own.their_name, o.odoo_id, o.name, o.state,
         reference_key(own.name) IN (reference_key(o.{their_reference}), reference_key(o.origin))
           OR reference_key(o.name) IN (reference_key(own.reference), reference_key(own.origin)) AS is_named,
         own.goods = {their_goods} AS is_same, abs(extract(epoch FROM o.create_date - own.create_date)) AS apart
    FROM o AS own
    JOIN mirror_res_partner member ON member.connection_id = own.connection_id AND member.commercial_partner_id = own.our_partner
    JOIN {their_table} o ON o.connection_id = own.connection_id AND o.partner_id = member.odoo_id
     AND o.company_id = own.their_company AND o.deleted_at IS NULL
     AND o.create_date BETWEEN own.create_date - %(within)s::interval AND own.create_date + %(within)s::interval
)
SELECT '{their_model}' AS model, odoo_id, COALESCE(name, '') AS name, their_company AS company_id,
       COALESCE(their_name, '') AS company, COALESCE(is_named, FALSE) AS is_named
  FROM other
 WHERE COALESCE(is_named, FALSE)
    OR is_same AND state <> 'cancel' AND NOT EXISTS (SELECT FROM other AS better WHERE better.is_named)
 ORDER BY is_named DESC NULLS LAST, apart, odoo_id
 LIMIT %(most)s
"""
SALES = {"table": "mirror_sale_order", "reference": "client_order_ref", "goods": SOLD}
PURCHASES = {"table": "mirror_purchase_order", "reference": "partner_ref", "goods": BOUGHT}


def _statement(own: dict[str, str], other: dict[str, str], model: str) -> str:
    return PAIR.format(**own, their_model=model, **{f"their_{name}": text for name, text in other.items()})


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

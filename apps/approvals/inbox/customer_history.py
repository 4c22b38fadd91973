"""What stands behind a request: what the customer has done before."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection as database

from apps.accounts.access import AccessScope
from apps.core import sentences

# A year of the customer's commercial entity; index: mirror_sale_order (connection_id, partner_id).
CUSTOMER_OF_ORDER = """
    WITH customer AS (
        SELECT p.commercial_partner_id AS id
          FROM mirror_sale_order o
          JOIN mirror_res_partner p ON p.connection_id = o.connection_id AND p.odoo_id = o.partner_id
         WHERE o.connection_id = %(connection)s AND o.odoo_id = %(order)s
    )
    SELECT count(*) FILTER (WHERE o.state = 'sale' AND o.date_order > %(since)s) AS orders,
           sum(o.amount_total / COALESCE(NULLIF(o.currency_rate, 0), 1))
             FILTER (WHERE o.state = 'sale' AND o.date_order > %(since)s) AS amount,
           count(*) FILTER (WHERE o.state = 'cancel' AND o.date_order > %(since)s) AS cancelled,
           min(o.date_order) AS first_order
      FROM customer
      JOIN mirror_res_partner member
        ON member.connection_id = %(connection)s AND member.commercial_partner_id = customer.id
      JOIN mirror_sale_order o
        ON o.connection_id = %(connection)s AND o.partner_id = member.odoo_id AND o.deleted_at IS NULL
       AND o.odoo_id <> %(order)s AND {seen}
"""


@dataclass(frozen=True, kw_only=True)
class Customer:
    """What the customer ordered in the year before, in the company's currency; this order not counted."""

    orders: int
    amount: Decimal | None
    cancelled: int
    first_order: datetime | None


def _rows(sql: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        return sentences.rows_of(cursor)


def customer_of(*, connection_id: int, model: str, odoo_id: int, access_scope: AccessScope, since: datetime) -> Customer | None:
    """What the order's customer has ordered since then in the companies in sight; none for other models."""
    if model != "sale.order":
        return None
    rows = _rows(
        CUSTOMER_OF_ORDER.format(seen=access_scope.sql("o")), {"connection": connection_id, "order": odoo_id, "since": since}
    )
    return Customer(**rows[0]) if rows else None

"""What a record promises and when that can be kept, and what it is worth."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection as database
from django.utils.translation import gettext_noop

from apps.boards.boards.figures import rows
from apps.workflows.rules import promises

PROMISED = f"""
SELECT r.commitment_date, f.forecast_at, f.promise_late_days, f.is_promise_at_risk, f.undelivered_amount
  FROM mirror_sale_order r
  LEFT JOIN LATERAL ({promises.OF_ONE}) AS f ON TRUE
 WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s AND r.deleted_at IS NULL
"""

# What the sums below are called, for whoever reads another language.
SUMS = (
    gettext_noop("Untaxed"),
    gettext_noop("Tax"),
    gettext_noop("Total"),
    gettext_noop("Margin"),
    gettext_noop("Invoiced"),
    gettext_noop("Still owed"),
)
# In the currency of the document itself, as Odoo prints it. Of an order also what was invoiced and is still owed, by the
# index entries_by_sale_line.
MONEY = {
    "sale.order": """
SELECT cu.name, r.amount_untaxed AS "Untaxed", r.amount_tax AS "Tax", r.amount_total AS "Total", r.margin AS "Margin",
       billed.total AS "Invoiced", billed.residual AS "Still owed"
  FROM mirror_sale_order r
  LEFT JOIN mirror_res_currency cu ON cu.connection_id = r.connection_id AND cu.odoo_id = r.currency_id
 CROSS JOIN LATERAL (
   SELECT sum(m.amount_total * m.sign) AS total, sum(m.amount_residual * m.sign) AS residual
     FROM (SELECT DISTINCT m.odoo_id, m.amount_total, m.amount_residual,
                  CASE WHEN m.move_type = 'out_refund' THEN -1 ELSE 1 END AS sign
             FROM mirror_sale_order_line l
             JOIN mirror_account_move_line e ON e.connection_id = l.connection_id AND e.sale_line_ids @> ARRAY[l.odoo_id]
              AND e.deleted_at IS NULL
             JOIN mirror_account_move m ON m.connection_id = e.connection_id AND m.odoo_id = e.move_id AND m.state = 'posted'
              AND m.deleted_at IS NULL
            WHERE l.connection_id = r.connection_id AND l.order_id = r.odoo_id AND l.deleted_at IS NULL) AS m) AS billed
 WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s AND r.deleted_at IS NULL
""",
    "purchase.order": """
SELECT cu.name, r.amount_untaxed AS "Untaxed", r.amount_total AS "Total"
  FROM mirror_purchase_order r
  LEFT JOIN mirror_res_currency cu ON cu.connection_id = r.connection_id AND cu.odoo_id = r.currency_id
 WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s AND r.deleted_at IS NULL
""",
    "account.move": """
SELECT cu.name, r.amount_untaxed AS "Untaxed", r.amount_total AS "Total", r.amount_residual AS "Still owed"
  FROM mirror_account_move r
  LEFT JOIN mirror_res_currency cu ON cu.connection_id = r.connection_id AND cu.odoo_id = r.currency_id
 WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s AND r.deleted_at IS NULL
""",
}


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What a sales order promised its customer, and what is expected.

    Attributes:
        undelivered: the value of what is not delivered, in the company's currency; None where all is.
    """

    promised_at: datetime | None
    forecast_at: datetime | None
    late_days: int
    is_at_risk: bool
    undelivered: Decimal | None


@dataclass(frozen=True, kw_only=True)
class Money:
    """A record's sums, each with its words, in one currency; what Odoo has not is left out."""

    currency: str
    sums: list[tuple[str, Decimal]]


def promise_of(connection_id: int, model: str, odoo_id: int, *, now: datetime) -> Promise | None:
    """The promise of a sales order; None for all else, and where there is neither promise nor forecast."""
    if model != "sale.order":
        return None
    found = rows(PROMISED, {"connection": connection_id, "record": odoo_id, "now": now})
    if not found or (found[0][0] is None and found[0][1] is None):
        return None
    promised_at, forecast_at, late_days, is_at_risk, undelivered = found[0]
    return Promise(
        promised_at=promised_at,
        forecast_at=forecast_at,
        late_days=int(late_days or 0),
        is_at_risk=bool(is_at_risk),
        undelivered=undelivered,
    )


def money_of(connection_id: int, model: str, odoo_id: int) -> Money | None:
    """A record's money; None for a model that has none, or a record that is gone."""
    if model not in MONEY:
        return None
    values: dict[str, Any] = {"connection": connection_id, "record": odoo_id}
    with database.cursor() as cursor:
        cursor.execute(MONEY[model], values)
        names = [column.name for column in cursor.description]
        found = cursor.fetchone()
    if found is None:
        return None
    sums = [(name, value) for name, value in zip(names[1:], found[1:], strict=True) if value is not None]
    return Money(currency=found[0] or "", sums=sums) if sums else None

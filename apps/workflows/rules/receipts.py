"""What has come of a purchase order, what is still to come and when, and what is late of it."""

from apps.core import statements
from apps.workflows import days, units
from apps.workflows.declare import Fact
from apps.workflows.rules import money, purchase_differences

# Whether receipts say how much of line l has come. Of services nobody may ever say so: those that are billed are done.
IS_GOODS = """
COALESCE(NULLIF(l.qty_received_method, '') = 'stock_moves',
         (SELECT t.type IN ('consu', 'product')
            FROM mirror_product_product pr
            JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
           WHERE pr.connection_id = l.connection_id AND pr.odoo_id = l.product_id), TRUE)
"""

# Lines without a quantity are headings and notes; those that were closed short bring nothing more. A vendor has two days
# to say that the order has arrived, and an approver one day after the last change; both are Odoo's times, so that history
# is judged alike.
RECEIPT = Fact(
    name="receipt",
    columns=[
        "is_received",
        "has_received",
        "is_late",
        "late_since",
        "expected_at",
        "late_days",
        "late_lines_count",
        "missing_quantity",
        "missing_amount",
        "late_products_names",
        "is_unanswered",
        "unanswered_days",
        "is_stalled",
        "stalled_days",
        "next_change_at",
    ],
    sql=statements.load(
        __file__,
        "receipt",
        missing_amount=money.rounded("g.missing_value / COALESCE(NULLIF(r.currency_rate, 0), 1)", money.SMALLEST),
        expected_day=days.day("g.expected_at", at="z.zone"),
        approved_day=days.day("r.date_approve", at="z.zone"),
        written_day=days.day("r.write_date", at="z.zone"),
        zoned=days.zoned(),
        to_come=units.own("l.product_qty - l.qty_received", "l"),
        planned_at=days.real("l.date_planned"),
        line_late_since=days.midnight(days.day(days.real("l.date_planned"), at="z.zone") + " + 1", at="z.zone"),
        closed_short=purchase_differences.CLOSED_SHORT,
        is_goods=IS_GOODS,
        late_since=days.midnight(days.day("g.expected_at", at="z.zone") + " + 1", at="z.zone"),
    ),
)

"""What remains to be done of an order where no delivery is open: to invoice, to credit, to deliver, to be paid."""

from apps.core import statements
from apps.workflows import returned, units
from apps.workflows.declare import Fact

# What customers owe less what they are owed: a credit note that is still to be paid back is the company's debt.
# Each step by itself (OFFSET 0): of a line's id among the ids of an entry the planner expects thousands, and would rather read
# all invoices there are.
PAID = Fact(
    name="paid",
    columns=["unpaid", "has_draft_invoice", "has_credit_note"],
    sql="""
        SELECT COALESCE(sum(CASE WHEN m.move_type = 'out_refund' THEN -abs(m.amount_residual) ELSE m.amount_residual END)
                          FILTER (WHERE m.state = 'posted'), 0) AS unpaid,
               COALESCE(bool_or(m.state = 'draft'), FALSE) AS has_draft_invoice,
               COALESCE(bool_or(m.state = 'posted' AND m.move_type = 'out_refund'), FALSE) AS has_credit_note
          FROM (
            SELECT DISTINCT il.move_id
              FROM mirror_sale_order_line sl
             CROSS JOIN LATERAL (
               SELECT e.move_id
                 FROM mirror_account_move_line e
                WHERE e.connection_id = sl.connection_id AND e.sale_line_ids @> ARRAY[sl.odoo_id] AND e.deleted_at IS NULL
               OFFSET 0) AS il
             WHERE r.state NOT IN ('draft', 'sent', 'cancel') AND sl.connection_id = r.connection_id
               AND sl.order_id = r.odoo_id) AS billed
         CROSS JOIN LATERAL (
           SELECT i.amount_residual, i.state, i.move_type
             FROM mirror_account_move i
            WHERE i.connection_id = r.connection_id AND i.odoo_id = billed.move_id AND i.state IN ('draft', 'posted')
              AND i.move_type IN ('out_invoice', 'out_refund', 'out_receipt') AND i.deleted_at IS NULL
           OFFSET 0) AS m
    """,
)

# What remains to be done where no delivery is open. Odoo's own reckoning (``qty_to_invoice``) holds but for four things: goods
# whose delivery was cancelled cannot be billed, though they were ordered; goods that came back are billed no more, whatever
# their invoicing policy; what a credit note gives for the invoice, without the order's line, is credited; and what is worth
# nothing needs no invoice. Down payments are no goods. Quantities of one line are
# all in the line's own unit. Of an order whose lines the mirror does not know yet its invoice status tells.
REMAINS = Fact(
    name="remains",
    columns=["to_bill_value", "is_to_credit", "awaits_delivery", "only_return_is_open", "has_unknown_lines"],
    unwatched=[returned.PLACES],
    sql=statements.load(
        __file__,
        "remains",
        credited_apart=returned.credited_apart("a"),
        ratio=units.ratio_of("a"),
        is_back=returned.goes_back("own"),
    ),
)

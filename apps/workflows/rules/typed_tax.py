"""The tax of an invoice that somebody raised by hand, beyond what the taxes on its lines come to.

Odoo lets whoever edits a draft write another tax total. Less than the lines give is nobody's loss, and early payment discounts take
some off; cents are rounding, by the line or of the whole. What rounds an invoice to coins is no tax. Said twice, as SQL over
mirrored rows and as Odoo server-action code.
"""

from apps.workflows.rules import money

# Of the invoice ``r``, in its own currency; zero where nothing was raised. Each line may round by one of the smallest sum.
RAISED = f"""
    SELECT CASE WHEN t.typed - t.given > t.lines * {money.smallest_in("r")} THEN t.typed - t.given ELSE 0 END AS raised
      FROM (
        SELECT COALESCE(sum(e.amount_currency) FILTER (WHERE e.display_type = 'tax'), 0)
                 * CASE WHEN r.move_type IN ('out_invoice', 'in_refund') THEN -1 ELSE 1 END AS typed,
               COALESCE(sum(e.price_total - e.price_subtotal) FILTER (WHERE e.display_type = 'product'), 0) AS given,
               count(*) FILTER (WHERE e.display_type IN ('tax', 'product')) AS lines
          FROM mirror_account_move_line e
         WHERE e.connection_id = r.connection_id AND e.move_id = r.odoo_id AND e.deleted_at IS NULL
      ) AS t
"""

IN_ODOO = """
def tax_by_hand(move):
    # By how much the tax was raised beyond what the lines' taxes come to: each line may round by one of the smallest sum.
    typed = 0.0
    given = 0.0
    lines = 0
    for line in move.line_ids:
        if line.display_type == 'tax':
            typed = typed + line.amount_currency * (-1 if move.move_type in ['out_invoice', 'in_refund'] else 1)
            lines = lines + 1
        elif line.display_type == 'product':
            given = given + line.price_total - line.price_subtotal
            lines = lines + 1
    raised = typed - given
    return raised if raised > lines * move.currency_id.rounding + 0.0000001 else 0.0
"""

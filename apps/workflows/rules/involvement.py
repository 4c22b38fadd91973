"""Declare the columns with the Odoo users who own, made and last edited a record, beside who asked: they do not decide about it.

Odoo keeps the last editor alone, and what the tower itself writes takes that place; so a request adds up whom it sees, and of
orders the last editors of the lines count as well, which the tower never writes.
"""

from apps.workflows.declare import Fact

OF_RECORD = ("user_id", "create_uid", "write_uid")
OF_ORDER = (*OF_RECORD, "line_editor_uids")
OF_INVOICE = ("invoice_user_id", "create_uid", "write_uid")


def line_editors(table: str, *, states: str) -> Fact:
    """Who last edited a line of the order, while it is in one of ``states`` (quoted, with commas)."""
    return Fact(
        name="line_editors",
        columns=["line_editor_uids"],
        sql=f"""
        SELECT array_agg(DISTINCT l.write_uid) AS line_editor_uids
          FROM {table} l
         WHERE r.state IN ({states}) AND l.connection_id = r.connection_id AND l.order_id = r.odoo_id
           AND l.write_uid IS NOT NULL AND l.deleted_at IS NULL
    """,
    )


OF_SALE_LINES = line_editors("mirror_sale_order_line", states="'draft', 'sent'")
OF_PURCHASE_LINES = line_editors("mirror_purchase_order_line", states="'draft', 'sent', 'to approve'")

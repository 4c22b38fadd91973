"""Declare the columns with the Odoo users who own, made and last edited a record, beside who asked: they do not decide about it.

Odoo keeps the last editor alone, and what the tower itself writes takes that place; so a request adds up whom it sees, and of
orders the last editors of the lines count as well, which the tower never writes.
"""

from apps.workflows.declare import Dependency, Fact

OF_RECORD = ("user_id", "create_uid", "write_uid")
OF_ORDER = (*OF_RECORD, "line_editor_uids")
OF_INVOICE = ("invoice_user_id", "create_uid", "write_uid")


def people(workflow: str, model: str, table: str, *columns: str) -> Dependency:
    """Open records are looked at again when a person changes who owns, made or asked about them: cases and requests name them.

    Args:
        workflow: the name of the workflow.
        model, table: Odoo's name of its model, and the table in which it is mirrored.
        columns: the record's columns with users.
    """
    return Dependency(
        model="res.users",
        sql=f"""
        SELECT p.odoo_id
          FROM workflows_position p
          JOIN {table} r ON r.connection_id = p.connection_id AND r.odoo_id = p.odoo_id
         WHERE p.connection_id = %(connection)s AND p.workflow = '{workflow}' AND p.is_open
           AND ({" OR ".join(f"r.{column} = ANY(%(ids)s)" for column in columns)})
         UNION
        SELECT a.x_res_id::bigint
          FROM mirror_x_ct_request a
         WHERE a.connection_id = %(connection)s AND a.x_res_model = '{model}' AND a.x_state = 'open'
           AND a.x_requested_uid = ANY(%(ids)s) AND a.deleted_at IS NULL
    """,
    )


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

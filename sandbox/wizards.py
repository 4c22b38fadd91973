"""Odoo's wizards, by which programs do what has no method of its own."""

from sandbox.errors import UserError
from sandbox.records import Records, method


@method("sale.advance.payment.inv")
def create_invoices(wizards: Records) -> dict[str, object]:
    """Draft what may be invoiced of the orders, or credited; the action that shows it."""
    made: list[int] = []
    for wizard in wizards:
        if wizard.advance_payment_method != "delivered":
            raise UserError("The sandbox company takes no down payments.")
        made += wizard.sale_order_ids.create_invoices().ids
    return {"type": "ir.actions.act_window", "res_model": "account.move", "res_id": made[0] if len(made) == 1 else False}

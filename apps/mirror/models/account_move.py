"""Odoo's ``account.move``."""

from django.db import models

from apps.mirror.declare import Day, Many2one, Mirrored, Number, Text


class AccountMove(Mirrored):
    """An invoice, credit note or other entry."""

    odoo_model = "account.move"
    children = (("account.move.line", "move_id"),)

    name = Text()
    state = Text()
    move_type = Text()
    payment_state = Text()
    partner_id = Many2one()
    commercial_partner_id = Many2one()
    invoice_user_id = Many2one()
    company_id = Many2one()
    currency_id = Many2one()
    invoice_date = Day()
    invoice_date_due = Day()
    date = Day()
    ref = Text()
    invoice_origin = Text()
    amount_untaxed = Number()
    amount_total = Number()
    amount_residual = Number()
    amount_total_signed = Number()
    amount_residual_signed = Number()
    reversed_entry_id = Many2one()
    create_uid = Many2one()
    write_uid = Many2one()
    x_ct_hold = Text()
    x_ct_released_difference = Number()
    x_ct_released_credit = Number()

    class Meta(Mirrored.Meta):
        db_table = "mirror_account_move"
        indexes = [
            # The credit rule (workflows/catalogue/order_to_cash.py): what is about to be owed.
            models.Index(
                fields=["connection", "commercial_partner_id"],
                condition=models.Q(state="draft"),
                name="invoices_in_draft",
            ),
            # workflows/catalogue/invoicing.py: what a customer owes, the oldest first, whatever has been paid before.
            models.Index(
                fields=["connection", "commercial_partner_id", "invoice_date_due", "odoo_id"],
                condition=models.Q(state="posted", payment_state__in=["not_paid", "partial", "blocked"]),
                name="invoices_owed",
            ),
            # boards/profiles/customers.py: how a customer pays.
            models.Index(
                fields=["connection", "commercial_partner_id", "invoice_date_due"],
                condition=models.Q(state="posted", move_type="out_invoice"),
                name="invoices_of_customers",
            ),
            # workflows/returned.py: the credit notes of an invoice. Most entries reverse none.
            models.Index(
                fields=["connection", "reversed_entry_id"],
                condition=models.Q(reversed_entry_id__isnull=False),
                name="invoices_reversing",
            ),
        ]

"""Odoo's ``account.move.line``."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from apps.mirror.declare import Boolean, Day, Ids, Many2one, Mirrored, Number, Text


class AccountMoveLine(Mirrored):
    """A line of an entry."""

    odoo_model = "account.move.line"

    move_id = Many2one()
    account_id = Many2one()
    partner_id = Many2one()
    product_id = Many2one()
    display_type = Text()
    parent_state = Text()
    product_uom_id = Many2one()
    quantity = Number()
    price_unit = Number()
    discount = Number()
    price_subtotal = Number()
    price_total = Number()
    debit = Number()
    credit = Number()
    balance = Number()
    amount_currency = Number()
    amount_residual = Number()
    currency_id = Many2one()
    date = Day()
    date_maturity = Day()
    reconciled = Boolean()
    company_id = Many2one()
    sale_line_ids = Ids()
    purchase_line_id = Many2one()

    class Meta(Mirrored.Meta):
        db_table = "mirror_account_move_line"
        indexes = [
            # The credit rule (workflows/rules/credit_limit.py): what is owed. Odoo reconciles only what can be owed, and calls
            # everything else unreconciled for ever; there is no residual on it.
            models.Index(
                fields=["connection", "partner_id"],
                condition=models.Q(parent_state="posted") & (models.Q(amount_residual__gt=0) | models.Q(amount_residual__lt=0)),
                name="entries_owed",
            ),
            # mirror/sync/refresh.py: the lines of an invoice that is read again.
            models.Index(fields=["connection", "move_id"], name="entries_by_move"),
            # The stage "invoiced, unpaid": the invoices of an order. No pending list: after a first read every search would
            # walk it.
            GinIndex(fields=["sale_line_ids"], name="entries_by_sale_line", fastupdate=False),
            # workflows/catalogue/invoicing.py: the bills of a purchase order's line.
            models.Index(
                fields=["connection", "purchase_line_id"],
                condition=models.Q(purchase_line_id__isnull=False),
                name="entries_by_purchase_line",
            ),
        ]

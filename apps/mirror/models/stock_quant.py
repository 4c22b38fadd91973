"""Odoo's ``stock.quant``."""

from django.db import models

from apps.mirror.declare import Boolean, Day, Many2one, Mirrored, Moment, Number, Text


class Quant(Mirrored):
    """How much of a product is in one place, and what was counted there.

    Odoo makes, merges and removes these as goods come and go: one that is gone is no news.
    """

    odoo_model = "stock.quant"

    product_id = Many2one()
    location_id = Many2one()
    lot_id = Many2one()
    package_id = Many2one()
    owner_id = Many2one()
    company_id = Many2one()
    # Of its lot, only where expiry dates are kept: from then on Odoo does not reserve it any more.
    removal_date = Moment()
    quantity = Number()
    reserved_quantity = Number()
    inventory_quantity = Number()
    inventory_diff_quantity = Number()
    inventory_quantity_set = Boolean()
    # The next day to count; Odoo keeps one for internal and transit places alone.
    inventory_date = Day()
    # Not stored in Odoo, and to be relied on for change all the same: to apply a count is to write the quant.
    last_count_date = Day()
    user_id = Many2one()
    create_uid = Many2one()
    write_uid = Many2one()
    x_ct_hold = Text()
    x_ct_hold_reason = Text()
    x_ct_released_value = Number()

    class Meta(Mirrored.Meta):
        db_table = "mirror_stock_quant"
        indexes = [
            # What there is of a product, and where.
            models.Index(fields=["connection", "product_id", "location_id"], name="quants_by_product"),
            # workflows/catalogue/inventory_control.py: what is counted or below zero when a product's cost changes.
            models.Index(
                fields=["connection", "product_id"],
                condition=models.Q(inventory_quantity_set=True) | models.Q(quantity__lt=0),
                name="quants_to_settle",
            ),
        ]

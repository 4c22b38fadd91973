"""Odoo's ``product.supplierinfo``."""

from django.db import models

from apps.mirror.declare import Day, Integer, Many2one, Mirrored, Number


class SupplierInfo(Mirrored):
    """A price that a vendor has agreed to, from a quantity on and for a time."""

    odoo_model = "product.supplierinfo"

    partner_id = Many2one()
    product_tmpl_id = Many2one()
    product_id = Many2one()
    sequence = Integer()
    # Of the least quantity and the price. Called product_uom before 19: there taken to be the product's own.
    product_uom_id = Many2one()
    min_qty = Number()
    price = Number()
    discount = Number()
    delay = Integer()
    currency_id = Many2one()
    company_id = Many2one()
    date_start = Day()
    date_end = Day()

    class Meta(Mirrored.Meta):
        db_table = "mirror_product_supplierinfo"
        indexes = [
            # workflows/rules/purchase_differences.py: what vendors have agreed to for a product.
            models.Index(fields=["connection", "product_tmpl_id"], name="vendor_prices_by_product"),
        ]

"""Odoo's ``purchase.order.line``."""

from django.db import models

from apps.mirror.declare import Many2one, Mirrored, Moment, Number, Text


class PurchaseOrderLine(Mirrored):
    """A line of a purchase order."""

    odoo_model = "purchase.order.line"
    remembered = ("date_planned", "product_qty")

    order_id = Many2one()
    product_id = Many2one()
    name = Text()
    display_type = Text()
    # Called product_uom before 19: there the unit is taken to be the product's own.
    product_uom_id = Many2one()
    product_qty = Number()
    qty_received = Number()
    qty_received_method = Text()
    qty_invoiced = Number()
    qty_to_invoice = Number()
    price_unit = Number()
    discount = Number()
    price_subtotal = Number()
    price_total = Number()
    date_planned = Moment()
    # Of what is bought for one customer, and goes there from the vendor.
    sale_line_id = Many2one()
    company_id = Many2one()
    write_uid = Many2one()

    class Meta(Mirrored.Meta):
        db_table = "mirror_purchase_order_line"
        indexes = [
            # mirror/sync/refresh.py: the lines of an order that is read again.
            models.Index(fields=["connection", "order_id"], name="purchase_lines_by_order"),
            # workflows/rules/promises.py: what is bought for a sales order. Most lines are for stock.
            models.Index(
                fields=["connection", "sale_line_id"],
                condition=models.Q(sale_line_id__isnull=False),
                name="purchase_lines_by_sale_line",
            ),
            # workflows/supply_chain.py: the next purchase that brings a product.
            models.Index(
                fields=["connection", "product_id", "date_planned"],
                condition=models.Q(qty_received__lt=models.F("product_qty")),
                name="purchase_lines_to_come",
            ),
        ]

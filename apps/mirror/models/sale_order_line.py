"""Odoo's ``sale.order.line``."""

from django.db import models

from apps.mirror.declare import Boolean, Integer, Many2one, Mirrored, Number, Text


class SaleOrderLine(Mirrored):
    """A line of a sales order."""

    odoo_model = "sale.order.line"
    remembered = ("product_uom_qty",)

    order_id = Many2one()
    product_id = Many2one()
    name = Text()
    sequence = Integer()
    display_type = Text()
    is_downpayment = Boolean()
    qty_delivered_method = Text()
    # Called product_uom before 19: there the unit is taken to be the product's own.
    product_uom_id = Many2one()
    product_uom_qty = Number()
    qty_delivered = Number()
    qty_invoiced = Number()
    qty_to_invoice = Number()
    price_unit = Number()
    discount = Number()
    purchase_price = Number()
    margin = Number()
    price_subtotal = Number()
    price_total = Number()
    price_tax = Number()
    untaxed_amount_invoiced = Number()
    untaxed_amount_to_invoice = Number()
    state = Text()
    company_id = Many2one()
    write_uid = Many2one()

    class Meta(Mirrored.Meta):
        db_table = "mirror_sale_order_line"
        indexes = [
            # mirror/sync/refresh.py, workflows/supply_chain.py and the credit rule: the lines of an order.
            models.Index(fields=["connection", "order_id"], name="sale_lines_by_order"),
            # boards/profiles/product_waiting.sql: who waits for a kit by its components.
            models.Index(
                fields=["connection", "product_id"],
                condition=models.Q(qty_delivered__lt=models.F("product_uom_qty")),
                name="sale_lines_to_deliver",
            ),
        ]

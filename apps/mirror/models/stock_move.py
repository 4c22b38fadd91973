"""Odoo's ``stock.move``."""

from django.db import models

from apps.mirror.declare import Boolean, Ids, Many2one, Mirrored, Moment, Number, Text


class StockMove(Mirrored):
    """A product's move from one place to another."""

    odoo_model = "stock.move"

    product_id = Many2one()
    product_uom_qty = Number()
    quantity = Number()
    picked = Boolean()
    state = Text()
    picking_id = Many2one()
    sale_line_id = Many2one()
    purchase_line_id = Many2one()
    location_id = Many2one()
    location_dest_id = Many2one()
    date = Moment()
    date_deadline = Moment()
    origin = Text()
    company_id = Many2one()
    warehouse_id = Many2one()
    move_orig_ids = Ids()

    class Meta(Mirrored.Meta):
        db_table = "mirror_stock_move"
        indexes = [
            *Mirrored.Meta.indexes,
            # The chain.
            models.Index(fields=["connection", "sale_line_id"], name="moves_by_sale_line"),
            # Refresh: a transfer's moves.
            models.Index(fields=["connection", "picking_id"], name="moves_by_picking"),
        ]

"""Odoo's ``stock.move.line``."""

from django.db import models

from apps.mirror.declare import Boolean, Many2one, Mirrored, Number, Text


class StockMoveLine(Mirrored):
    """What of a move lies where, and in which lot or under which serial number."""

    odoo_model = "stock.move.line"

    move_id = Many2one()
    picking_id = Many2one()
    product_id = Many2one()
    lot_id = Many2one()
    # What a receiver typed; it becomes a lot once the receipt is done.
    lot_name = Text()
    product_uom_id = Many2one()
    quantity = Number()
    picked = Boolean()
    state = Text()

    class Meta(Mirrored.Meta):
        db_table = "mirror_stock_move_line"
        indexes = [
            # mirror/sync/refresh.py and workflows/catalogue/fulfilment.py: the lines of a transfer.
            models.Index(fields=["connection", "picking_id"], name="move_lines_by_picking"),
            # workflows/catalogue/fulfilment.py: the transfers that a lot is still to leave with.
            models.Index(
                fields=["connection", "lot_id"],
                condition=models.Q(lot_id__isnull=False) & ~models.Q(state__in=["done", "cancel"]),
                name="move_lines_to_go_by_lot",
            ),
        ]

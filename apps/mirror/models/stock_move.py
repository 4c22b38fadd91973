"""Odoo's ``stock.move``."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from apps.mirror.declare import Boolean, Ids, Many2one, Mirrored, Moment, Number, Text


class StockMove(Mirrored):
    """A product's move from one place to another."""

    odoo_model = "stock.move"

    product_id = Many2one()
    product_uom = Many2one()
    product_uom_qty = Number()
    quantity = Number()
    picked = Boolean()
    state = Text()
    picking_id = Many2one()
    picking_type_id = Many2one()
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
    create_uid = Many2one()

    class Meta(Mirrored.Meta):
        db_table = "mirror_stock_move"
        indexes = [
            # workflows/supply_chain.py: the moves of an order's lines. Most moves have no such line.
            models.Index(
                fields=["connection", "sale_line_id"],
                condition=models.Q(sale_line_id__isnull=False),
                name="moves_by_sale_line",
            ),
            # mirror/sync/refresh.py: the moves of a transfer that is read again.
            models.Index(fields=["connection", "picking_id"], name="moves_by_picking"),
            # The chain backwards, from a purchase to what waits for it: first its own moves, then what they feed.
            models.Index(
                fields=["connection", "purchase_line_id"],
                condition=models.Q(purchase_line_id__isnull=False),
                name="moves_by_purchase_line",
            ),
            # workflows/catalogue/fulfilment.py: who is short of a product whose stock has changed;
            # workflows/supply_allocation.py: what sales orders are short of.
            models.Index(
                fields=["connection", "product_id"],
                condition=models.Q(state__in=["waiting", "confirmed", "partially_available"]),
                name="moves_waiting",
            ),
            # workflows/catalogue/warehouse_load.py: what a warehouse got done of late, counted from the index alone.
            models.Index(
                fields=["connection", "picking_type_id", "date"],
                condition=models.Q(state="done", deleted_at__isnull=True),
                name="moves_done",
            ),
            # workflows/supply_allocation.py: what is in the house and still to be put away.
            models.Index(
                fields=["connection", "product_id"],
                condition=models.Q(state="assigned", sale_line_id__isnull=True, purchase_line_id__isnull=True),
                name="moves_to_put_away",
            ),
            # workflows/supply_allocation.py: the components that a purchase of a kit is still to bring.
            models.Index(
                fields=["connection", "product_id"],
                condition=models.Q(
                    state__in=["waiting", "confirmed", "partially_available", "assigned"], purchase_line_id__isnull=False
                ),
                name="moves_to_come",
            ),
            GinIndex(fields=["move_orig_ids"], name="moves_by_origin", fastupdate=False),
        ]

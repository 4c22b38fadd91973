"""Odoo's ``stock.picking``."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from apps.core.indexes import prefix
from apps.mirror.declare import Many2one, Mirrored, Moment, Number, Text


class Picking(Mirrored):
    """A transfer."""

    odoo_model = "stock.picking"
    children = (("stock.move", "picking_id"), ("stock.move.line", "picking_id"))

    name = Text()
    state = Text()
    origin = Text()
    partner_id = Many2one()
    picking_type_id = Many2one()
    # Not stored in Odoo, and not to be relied on for change; a type's code does not change once it has transfers.
    picking_type_code = Text()
    location_id = Many2one()
    location_dest_id = Many2one()
    scheduled_date = Moment()
    date_deadline = Moment()
    date_done = Moment()
    sale_id = Many2one()
    return_id = Many2one()
    backorder_id = Many2one()
    priority = Text()
    carrier_id = Many2one()
    carrier_tracking_ref = Text()
    company_id = Many2one()
    user_id = Many2one()
    create_uid = Many2one()
    write_uid = Many2one()
    x_ct_hold = Text()
    x_ct_hold_reason = Text()
    x_ct_released_value = Number()

    class Meta(Mirrored.Meta):
        db_table = "mirror_stock_picking"
        indexes = [
            # boards/boards/sold_lines.sql: deliveries that Odoo wanted out in the days of a figure.
            models.Index(fields=["date_deadline"], condition=models.Q(sale_id__isnull=False), name="pickings_by_deadline"),
            # Stages, and workflows/supply_chain.py: the deliveries of an order.
            models.Index(fields=["connection", "sale_id"], name="pickings_by_order"),
            # workflows/catalogue/warehouse_load.py: what is ready, whatever has been done before.
            models.Index(fields=["connection", "picking_type_id"], condition=models.Q(state="assigned"), name="pickings_ready"),
            # boards/boards/kpi_catalogue.py: what was shipped and received lately.
            models.Index(fields=["date_done"], condition=models.Q(state="done"), name="pickings_done"),
            # Events outside of Odoo name records by these.
            models.Index("connection", prefix("name"), condition=~models.Q(name=""), name="pickings_named"),
            models.Index(
                "connection",
                prefix("carrier_tracking_ref"),
                condition=~models.Q(carrier_tracking_ref=""),
                name="pickings_tracked",
            ),
            # Events and people name records by these, written as people write them (migration 0037).
            models.Index(models.Func("name", function="reference_key"), name="pickings_by_name_key"),
            # One field may hold several numbers.
            GinIndex(
                models.Func("carrier_tracking_ref", function="tracking_keys"), fastupdate=False, name="pickings_tracking_keys"
            ),
            # boards/search/finding.py: any part of it.
            GinIndex(
                fields=["carrier_tracking_ref"],
                opclasses=["gin_trgm_ops"],
                condition=models.Q(carrier_tracking_ref__gt=""),
                name="pickings_tracking_trigrams",
            ),
        ]

"""Odoo's ``stock.warehouse``."""

from apps.mirror.declare import Many2one, Mirrored, Text


class Warehouse(Mirrored):
    """A warehouse."""

    odoo_model = "stock.warehouse"

    name = Text()
    code = Text()
    company_id = Many2one()
    partner_id = Many2one()
    lot_stock_id = Many2one()
    in_type_id = Many2one()
    out_type_id = Many2one()
    int_type_id = Many2one()

    class Meta(Mirrored.Meta):
        db_table = "mirror_stock_warehouse"

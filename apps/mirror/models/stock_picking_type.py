"""Odoo's ``stock.picking.type``."""

from apps.mirror.declare import Boolean, Many2one, Mirrored, Text


class PickingType(Mirrored):
    """A kind of transfer of a warehouse."""

    odoo_model = "stock.picking.type"

    name = Text()
    code = Text()
    warehouse_id = Many2one()
    company_id = Many2one()
    use_create_lots = Boolean()
    use_existing_lots = Boolean()

    class Meta(Mirrored.Meta):
        db_table = "mirror_stock_picking_type"

"""Odoo's ``stock.lot``."""

from apps.mirror.declare import Many2one, Mirrored, Moment, Text


class StockLot(Mirrored):
    """A lot, or a serial number. Odoo before 16 calls the model otherwise."""

    odoo_model = "stock.lot"
    optional = True

    name = Text()
    product_id = Many2one()
    # Only where expiry dates are kept.
    expiration_date = Moment()

    class Meta(Mirrored.Meta):
        db_table = "mirror_stock_lot"

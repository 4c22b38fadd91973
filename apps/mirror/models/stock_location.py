"""Odoo's ``stock.location``."""

from apps.mirror.declare import Boolean, Many2one, Mirrored, Text


class Location(Mirrored):
    """A place where goods can be: a shelf, a vendor, a customer, or the place where what is lost goes."""

    odoo_model = "stock.location"

    name = Text()
    complete_name = Text()
    usage = Text()
    location_id = Many2one()
    warehouse_id = Many2one()
    company_id = Many2one()
    active = Boolean()

    class Meta(Mirrored.Meta):
        db_table = "mirror_stock_location"

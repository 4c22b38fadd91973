"""Odoo's ``delivery.carrier``, of the module ``delivery``."""

from apps.mirror.declare import Boolean, Many2one, Mirrored, Number, Text


class Carrier(Mirrored):
    """A way to ship goods, and what it costs where the price is fixed."""

    odoo_model = "delivery.carrier"

    name = Text()
    active = Boolean()
    delivery_type = Text()
    fixed_price = Number()
    company_id = Many2one()

    class Meta(Mirrored.Meta):
        db_table = "mirror_delivery_carrier"

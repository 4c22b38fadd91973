"""Odoo's ``res.currency``."""

from apps.mirror.declare import Boolean, Integer, Mirrored, Number, Text


class Currency(Mirrored):
    """A currency."""

    odoo_model = "res.currency"

    name = Text()
    decimal_places = Integer()
    rounding = Number(max_digits=26, decimal_places=6)
    active = Boolean()

    class Meta(Mirrored.Meta):
        db_table = "mirror_res_currency"

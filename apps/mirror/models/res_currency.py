"""Odoo's ``res.currency``."""

from apps.mirror.declare import Boolean, Integer, Mirrored, Text


class Currency(Mirrored):
    """A currency."""

    odoo_model = "res.currency"

    name = Text()
    decimal_places = Integer()
    active = Boolean()

    class Meta(Mirrored.Meta):
        db_table = "mirror_res_currency"

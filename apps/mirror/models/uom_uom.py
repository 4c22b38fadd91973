"""Odoo's ``uom.uom``."""

from apps.mirror.declare import Boolean, Many2one, Mirrored, Number, Text


class UnitOfMeasure(Mirrored):
    """A unit of measure: how much of its reference unit one of it holds (:mod:`apps.workflows.units`)."""

    odoo_model = "uom.uom"

    name = Text()
    active = Boolean()
    # How many of the reference unit it holds; up to 18 the reverse, how many of it the reference unit holds. All the digits
    # that Odoo has: a twelfth of six places is no dozen any more.
    factor = Number(max_digits=40, decimal_places=20)
    # From 19 on: which tells the two apart.
    relative_factor = Number(max_digits=40, decimal_places=20)
    relative_uom_id = Many2one()

    class Meta(Mirrored.Meta):
        db_table = "mirror_uom_uom"

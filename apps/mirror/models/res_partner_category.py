"""Odoo's ``res.partner.category``."""

from apps.mirror.declare import Boolean, Mirrored, Text


class PartnerCategory(Mirrored):
    """A tag of partners: what class of customer somebody is."""

    odoo_model = "res.partner.category"

    name = Text()
    active = Boolean()

    class Meta(Mirrored.Meta):
        db_table = "mirror_res_partner_category"

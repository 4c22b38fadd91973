"""Odoo's ``res.users``."""

from apps.mirror.declare import Boolean, Many2one, Mirrored, Text


class OdooUser(Mirrored):
    """A person who works in Odoo."""

    odoo_model = "res.users"

    name = Text()
    login = Text()
    email = Text()
    active = Boolean()
    partner_id = Many2one()
    company_id = Many2one()
    share = Boolean()

    class Meta(Mirrored.Meta):
        db_table = "mirror_res_users"

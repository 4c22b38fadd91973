"""Odoo's ``res.company``."""

from apps.mirror.declare import Many2one, Mirrored, Text


class Company(Mirrored):
    """A company of the database."""

    odoo_model = "res.company"

    name = Text()
    currency_id = Many2one()
    partner_id = Many2one()
    # Its time zone says where a day of the company ends, unless the address has one (workflows/days.py).
    resource_calendar_id = Many2one()
    # A branch has a parent; rates are those of the root company.
    parent_id = Many2one()

    class Meta(Mirrored.Meta):
        db_table = "mirror_res_company"

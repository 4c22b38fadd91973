"""Odoo's ``res.partner``."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from apps.mirror.declare import Boolean, Ids, Many2one, Mirrored, Number, PerCompany, Text


class Partner(Mirrored):
    """A customer, supplier or address."""

    odoo_model = "res.partner"
    # A user's name and address are its partner's, and change without a trace on the user.
    children = (("res.users", "partner_id"),)

    name = Text()
    email = Text()
    phone = Text()
    ref = Text()
    active = Boolean()
    is_company = Boolean()
    street = Text()
    city = Text()
    country_id = Many2one()
    tz = Text()
    lang = Text()
    parent_id = Many2one()
    commercial_partner_id = Many2one()
    credit_limit = Number()
    credit_limit_by_company = PerCompany(of="credit_limit")
    category_id = Ids()
    user_id = Many2one()
    company_id = Many2one()

    class Meta(Mirrored.Meta):
        db_table = "mirror_res_partner"
        indexes = [
            # The credit rule: who shares a limit.
            models.Index(fields=["connection", "commercial_partner_id"], name="partners_by_commercial"),
            # boards/search/finding.py: any part of it.
            GinIndex(fields=["name"], opclasses=["gin_trgm_ops"], name="partners_name_trigrams"),
            # boards/search/finding.py: any part of it.
            GinIndex(
                fields=["ref"],
                opclasses=["gin_trgm_ops"],
                condition=models.Q(ref__gt=""),
                name="partners_ref_trigrams",
            ),
        ]

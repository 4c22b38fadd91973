"""Odoo's ``product.template``."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from apps.mirror.declare import Boolean, Many2one, Mirrored, Number, Text


class ProductTemplate(Mirrored):
    """What products share: the name is theirs, and changes here alone."""

    odoo_model = "product.template"

    name = Text()
    type = Text()
    list_price = Number()
    active = Boolean()
    tracking = Text()
    invoice_policy = Text()
    categ_id = Many2one()
    uom_id = Many2one()

    class Meta(Mirrored.Meta):
        db_table = "mirror_product_template"
        indexes = [
            # workflows/rules/substitution.py: what may stand in for a product.
            models.Index(fields=["connection", "categ_id"], name="templates_by_category"),
            # boards/search/finding.py: any part of it.
            GinIndex(fields=["name"], opclasses=["gin_trgm_ops"], name="templates_name_trigrams"),
        ]

"""Odoo's ``product.template``."""

from django.contrib.postgres.indexes import GinIndex

from apps.mirror.declare import Boolean, Mirrored, Number, Text


class ProductTemplate(Mirrored):
    """What products share: the name is theirs, and changes here alone."""

    odoo_model = "product.template"

    name = Text()
    type = Text()
    list_price = Number()
    active = Boolean()
    tracking = Text()

    class Meta(Mirrored.Meta):
        db_table = "mirror_product_template"
        indexes = [
            # boards/search.py: any part of it.
            GinIndex(fields=["name"], opclasses=["gin_trgm_ops"], name="templates_name_trigrams"),
        ]

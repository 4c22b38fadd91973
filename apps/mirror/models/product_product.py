"""Odoo's ``product.product``."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from apps.mirror.declare import Boolean, Exact, Many2one, Mirrored, PerCompany, Text


class Product(Mirrored):
    """A product as it is stocked and sold."""

    odoo_model = "product.product"

    default_code = Text()
    product_tmpl_id = Many2one()
    active = Boolean()
    standard_price = Exact()
    standard_price_by_company = PerCompany(of="standard_price")

    class Meta(Mirrored.Meta):
        db_table = "mirror_product_product"
        indexes = [
            # workflows/rules/purchase_differences.py: the products that a vendor's price is for.
            models.Index(fields=["connection", "product_tmpl_id"], name="products_by_template"),
            # boards/search/finding.py: any part of it.
            GinIndex(
                fields=["default_code"],
                opclasses=["gin_trgm_ops"],
                condition=models.Q(default_code__gt=""),
                name="products_code_trigrams",
            ),
        ]

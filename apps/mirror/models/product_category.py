"""Odoo's ``product.category``."""

from apps.mirror.declare import Many2one, Mirrored, Text


class ProductCategory(Mirrored):
    """A category of products, below another one or at the top.

    Odoo's ``complete_name`` and ``parent_path`` change without moving ``write_date`` where a parent is renamed or moved: both are
    worked out from these.
    """

    odoo_model = "product.category"

    name = Text()
    parent_id = Many2one()

    class Meta(Mirrored.Meta):
        db_table = "mirror_product_category"

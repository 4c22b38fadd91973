"""Which line of an order another system means by what it calls the item."""

import re
from collections.abc import Sequence

from apps.mirror.models.product_product import Product
from apps.mirror.models.product_template import ProductTemplate
from apps.mirror.models.purchase_order_line import PurchaseOrderLine
from apps.vendors.orders.open_lines import OpenLine

# Odoo writes a line's text as "[code] name", with the vendor's own code and name where it knows them.
CODED = re.compile(r"\[([^\]]+)\]\s*(.*)")


def line_named(connection_id: int, lines: Sequence[OpenLine], item: str) -> OpenLine | None:
    """Return the one open line whose code, product or text is ``item``; None where none is, or several are."""
    wanted = _plain(item)
    if not wanted:
        return None
    ids = {line.product_id for line in lines}
    products = {one.odoo_id: one for one in Product.objects.filter(connection_id=connection_id, odoo_id__in=ids)}
    templates = ProductTemplate.objects.filter(
        connection_id=connection_id, odoo_id__in={one.product_tmpl_id for one in products.values()}
    )
    names = dict(templates.values_list("odoo_id", "name"))
    texts = dict(
        PurchaseOrderLine.objects.filter(connection_id=connection_id, odoo_id__in=[line.line_id for line in lines]).values_list(
            "odoo_id", "name"
        )
    )
    found = []
    for line in lines:
        product = products.get(line.product_id)
        of_product = [product.default_code, names.get(product.product_tmpl_id)] if product else []
        if wanted in {_plain(one) for one in [*of_product, *_called(texts.get(line.line_id) or "")] if one}:
            found.append(line)
    return found[0] if len(found) == 1 else None


def _called(text: str) -> list[str]:
    first = text.strip().partition("\n")[0]
    coded = CODED.fullmatch(first)
    return [text, first, *(coded.groups() if coded else ())]


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()

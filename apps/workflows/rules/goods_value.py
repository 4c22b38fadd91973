"""What goods in a transfer are worth: a piece of SQL that the figures of a transfer share."""

from apps.workflows import kits, units

# What one unit of the move ``m``, in the unit that the move counts in, is worth in the company's currency, taxes left out: what
# it was sold for, else what it was bought for, else what the product costs. The value of a kit is shared out over its components
# alike, so that all of them together are worth it once.
UNIT_VALUE = f"""
    SELECT {units.ratio_of("m", units.MOVE)} * COALESCE(
      (SELECT CASE WHEN {kits.is_kit("sl", "m.product_id")}
                   THEN sl.price_subtotal / NULLIF({kits.components("sl")}, 0) / NULLIF({kits.wanted("sl", "m.product_id")}, 0)
                   ELSE COALESCE(sl.price_subtotal / NULLIF({kits.wanted("sl", "m.product_id")}, 0),
                                 sl.price_unit * (1 - COALESCE(sl.discount, 0) / 100) / {units.ratio_of("sl")}) END
              / COALESCE(NULLIF(so.currency_rate, 0), 1)
         FROM mirror_sale_order_line sl
         JOIN mirror_sale_order so ON so.connection_id = sl.connection_id AND so.odoo_id = sl.order_id
        WHERE sl.connection_id = m.connection_id AND sl.odoo_id = m.sale_line_id),
      (SELECT CASE WHEN {kits.is_kit("pl", "m.product_id")}
                   THEN pl.price_subtotal / NULLIF({kits.components("pl", line_id="purchase_line_id")}, 0)
                        / NULLIF({kits.wanted("pl", "m.product_id", quantity="product_qty", line_id="purchase_line_id")}, 0)
                   ELSE COALESCE(
                          pl.price_subtotal
                          / NULLIF({kits.wanted("pl", "m.product_id", quantity="product_qty", line_id="purchase_line_id")}, 0),
                                 pl.price_unit / {units.ratio_of("pl")}) END
              / COALESCE(NULLIF(po.currency_rate, 0), 1)
         FROM mirror_purchase_order_line pl
         JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
        WHERE pl.connection_id = m.connection_id AND pl.odoo_id = m.purchase_line_id),
      (SELECT pr.standard_price FROM mirror_product_product pr
        WHERE pr.connection_id = m.connection_id AND pr.odoo_id = m.product_id),
      0) AS unit
"""

"""What goods in a transfer are worth: a piece of SQL that the figures of a transfer share."""

# What one unit of the move ``m`` is worth in the company's currency, taxes left out: what it was sold for, else what it
# was bought for, else what the product costs. Where order and move count in different units, a dozen and pieces, the
# line's sum is shared out over its moves.
UNIT_VALUE = """
    SELECT COALESCE(
      (SELECT CASE WHEN sl.product_uom_id IS NULL OR m.product_uom IS NULL OR sl.product_uom_id = m.product_uom
                   THEN COALESCE(sl.price_subtotal / NULLIF(sl.product_uom_qty, 0),
                                 sl.price_unit * (1 - COALESCE(sl.discount, 0) / 100))
                   ELSE sl.price_subtotal / NULLIF(
                     (SELECT sum(o.product_uom_qty) FROM mirror_stock_move o
                       WHERE o.connection_id = sl.connection_id AND o.sale_line_id = sl.odoo_id AND o.state <> 'cancel'
                         AND o.location_dest_id = m.location_dest_id AND o.deleted_at IS NULL), 0) END
              / COALESCE(NULLIF(so.currency_rate, 0), 1)
         FROM mirror_sale_order_line sl
         JOIN mirror_sale_order so ON so.connection_id = sl.connection_id AND so.odoo_id = sl.order_id
        WHERE sl.connection_id = m.connection_id AND sl.odoo_id = m.sale_line_id),
      (SELECT CASE WHEN pl.product_uom_id IS NULL OR m.product_uom IS NULL OR pl.product_uom_id = m.product_uom
                   THEN COALESCE(pl.price_subtotal / NULLIF(pl.product_qty, 0), pl.price_unit)
                   ELSE pl.price_subtotal / NULLIF(
                     (SELECT sum(o.product_uom_qty) FROM mirror_stock_move o
                       WHERE o.connection_id = pl.connection_id AND o.purchase_line_id = pl.odoo_id AND o.state <> 'cancel'
                         AND o.location_dest_id = m.location_dest_id AND o.deleted_at IS NULL), 0) END
              / COALESCE(NULLIF(po.currency_rate, 0), 1)
         FROM mirror_purchase_order_line pl
         JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
        WHERE pl.connection_id = m.connection_id AND pl.odoo_id = m.purchase_line_id),
      (SELECT pr.standard_price FROM mirror_product_product pr
        WHERE pr.connection_id = m.connection_id AND pr.odoo_id = m.product_id),
      0) AS unit
"""

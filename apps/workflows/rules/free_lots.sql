-- Suggested actions on a transfer: lots and serial numbers that lie free where a line has none, each at its place.
--
-- In a package, or of another owner, a lot is another one to Odoo: such are left.
--
-- %(connection)s  bigint                       the connection
-- %(record)s      bigint                       the transfer's id in Odoo
-- %(now)s         timestamptz                  the moment at which it is offered: what has expired by then is left
-- {{text}}        jsonb                        what is offered, in words
-- {{quantity}}    numeric, product's own unit  the goods of line ml
-- {{is_within}}   boolean                      whether place is where transfer r takes from, or within it
-- {{is_fresh}}    boolean                      whether quant q is not past its removal date

SELECT concat(ml.odoo_id, '-', lot.odoo_id, '@', stock.location_id) AS option,
       {{text}} AS text,
       ml.odoo_id AS line_id, lot.odoo_id AS lot_id, lot.name AS lot_name, t.name AS product_name,
       stock.location_id AS place_id, r.location_id AS from_id, trim_scale(line.quantity) AS quantity
  FROM mirror_stock_picking r
  JOIN mirror_stock_move_line ml
    ON ml.connection_id = r.connection_id AND ml.picking_id = r.odoo_id AND ml.lot_id IS NULL AND ml.quantity > 0
   AND COALESCE(ml.lot_name, '') = '' AND ml.deleted_at IS NULL
  JOIN mirror_product_product pr ON pr.connection_id = ml.connection_id AND pr.odoo_id = ml.product_id
  JOIN mirror_product_template t
    ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id AND t.tracking IN ('lot', 'serial')
 CROSS JOIN LATERAL (SELECT {{quantity}} AS quantity) AS line
 CROSS JOIN LATERAL (
   SELECT q.lot_id, q.location_id, place.complete_name, sum(q.quantity - COALESCE(q.reserved_quantity, 0)) AS free
     FROM mirror_stock_quant q
     JOIN mirror_stock_location place
       ON place.connection_id = q.connection_id AND place.odoo_id = q.location_id AND place.usage = 'internal'
      AND {{is_within}}
    WHERE q.connection_id = ml.connection_id AND q.product_id = ml.product_id AND q.lot_id IS NOT NULL
      AND q.package_id IS NULL AND q.owner_id IS NULL AND q.deleted_at IS NULL AND {{is_fresh}}
    GROUP BY q.lot_id, q.location_id, place.complete_name
 ) AS stock
  JOIN mirror_stock_lot lot
    ON lot.connection_id = r.connection_id AND lot.odoo_id = stock.lot_id AND lot.deleted_at IS NULL
   AND (lot.expiration_date IS NULL OR lot.expiration_date > %(now)s)
 WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s AND r.deleted_at IS NULL
   AND r.state = 'assigned' AND r.picking_type_code <> 'incoming' AND stock.free >= line.quantity
   AND NOT (t.tracking = 'serial' AND (line.quantity <> 1 OR EXISTS (
     SELECT FROM mirror_stock_move_line other
      WHERE other.connection_id = ml.connection_id AND other.picking_id = ml.picking_id AND other.lot_id = stock.lot_id
        AND other.deleted_at IS NULL)))
 ORDER BY ml.odoo_id, lot.expiration_date NULLS LAST, lot.odoo_id

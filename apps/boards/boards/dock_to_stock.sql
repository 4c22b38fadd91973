-- From the receipt of goods until they stand on a shelf: each move into the stock of a warehouse that goes on from a receipt.
--
-- Where goods are received in one step there is nothing to measure: Odoo does not know when they arrived.
--
-- %(since)s          timestamptz  begin of the window
-- {{seen}}           boolean      whether the person may see transfer r
-- {{from_customer}}  boolean      whether receipt d brings goods back

WITH RECURSIVE shelves AS (
  SELECT w.connection_id, w.lot_stock_id AS odoo_id FROM mirror_stock_warehouse w WHERE w.deleted_at IS NULL
   UNION
  SELECT l.connection_id, l.odoo_id
    FROM shelves s JOIN mirror_stock_location l ON l.connection_id = s.connection_id AND l.location_id = s.odoo_id
),
put AS MATERIALIZED (
  SELECT r.connection_id, r.odoo_id, m.odoo_id AS move_id, m.date AS at, m.move_orig_ids
    FROM mirror_stock_picking r
    JOIN mirror_stock_move m ON m.connection_id = r.connection_id AND m.picking_id = r.odoo_id AND m.state = 'done'
     AND m.deleted_at IS NULL AND cardinality(m.move_orig_ids) > 0
    JOIN shelves ON shelves.connection_id = m.connection_id AND shelves.odoo_id = m.location_dest_id
   WHERE r.state = 'done' AND r.date_done > %(since)s AND r.picking_type_code = 'internal' AND r.deleted_at IS NULL AND {{seen}}
),
-- Back over quality control and what else lies between; a chain is no longer than a few steps.
steps AS (
  SELECT p.connection_id, p.odoo_id, p.move_id, p.at, o.id AS origin, 1 AS depth
    FROM put p CROSS JOIN LATERAL unnest(p.move_orig_ids) AS o(id)
   UNION
  SELECT s.connection_id, s.odoo_id, s.move_id, s.at, o.id, s.depth + 1
    FROM steps s
    JOIN mirror_stock_move m ON m.connection_id = s.connection_id AND m.odoo_id = s.origin
   CROSS JOIN LATERAL unnest(m.move_orig_ids) AS o(id)
   WHERE s.depth < 6
)
SELECT 'procure_to_pay' AS workflow, s.connection_id, 'stock.picking' AS model, s.odoo_id, s.at,
       greatest(extract(epoch FROM s.at - max(m.date)), 0) AS seconds
  FROM steps s
  JOIN mirror_stock_move m ON m.connection_id = s.connection_id AND m.odoo_id = s.origin AND m.state = 'done'
   AND m.deleted_at IS NULL
  JOIN mirror_stock_picking d ON d.connection_id = m.connection_id AND d.odoo_id = m.picking_id
   AND d.picking_type_code = 'incoming' AND NOT {{from_customer}}
 GROUP BY s.connection_id, s.odoo_id, s.move_id, s.at

-- Suggested actions: what lies free in the stock of other warehouses of the company, for what is needed in a warehouse.
--
-- It is brought to the warehouse's stock, from which orders are delivered, where the goods were to come in elsewhere in it. What goes
-- from the vendor to the customer is needed in no warehouse.
--
-- %(connection)s  bigint       the connection
-- %(now)s         timestamptz  the moment at which it is offered: a transfer can be there at once
-- {{free_there}}  jsonb        what is offered, in words
-- {{needed}}      rows         product_id, quantity (product's own unit), place_id, company_id: what is needed where
-- {{product}}     JOIN clause  product pr and template t of n
-- {{free}}        rows         location_id, free: what is free of n's product, product's own unit
-- {{is_stock}}    boolean      whether place is a part of the stock of its warehouse w
-- {{internal}}    bigint       the operation type of transfers within the warehouse of place
-- {{needed_in}}   boolean      whether needed_at is a part of the stock of its warehouse h

SELECT concat(n.product_id, '-', q.location_id) AS option,
       {{free_there}} AS text,
       n.product_id, LEAST(q.free, n.quantity) AS quantity,
       CASE WHEN {{needed_in}} THEN n.place_id ELSE h.lot_stock_id END AS place_id, q.location_id AS from_id,
       kind.odoo_id AS type_id, t.name AS product_name, place.warehouse_id AS from_warehouse,
       needed_at.warehouse_id AS to_warehouse, %(now)s::timestamptz AS arrives_at
  FROM ({{needed}}) AS n
  {{product}}
  JOIN mirror_stock_location needed_at
    ON needed_at.connection_id = %(connection)s AND needed_at.odoo_id = n.place_id AND needed_at.usage = 'internal'
  JOIN mirror_stock_warehouse h ON h.connection_id = %(connection)s AND h.odoo_id = needed_at.warehouse_id
 CROSS JOIN LATERAL ({{free}}) AS q
  JOIN mirror_stock_location place
    ON place.connection_id = %(connection)s AND place.odoo_id = q.location_id
   AND place.company_id IS NOT DISTINCT FROM n.company_id
   AND place.warehouse_id <> needed_at.warehouse_id
  JOIN mirror_stock_warehouse w ON w.connection_id = %(connection)s AND w.odoo_id = place.warehouse_id AND {{is_stock}}
 CROSS JOIN LATERAL (SELECT {{internal}} AS odoo_id) AS kind
 WHERE q.free > 0 AND kind.odoo_id IS NOT NULL
 ORDER BY LEAST(q.free, n.quantity) DESC, q.location_id

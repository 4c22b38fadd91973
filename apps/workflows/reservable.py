"""What Odoo itself would reserve of the goods on hand, as SQL: all that is said to be free comes from here.

Odoo reserves from the place that a move takes from and from the places within it, and an order's first step takes from its
warehouse's stock: what lies in quarantine, at the input or packed at the output, beside that stock, is in the house and free for
nobody. Of what is kept by lots, a lot below zero takes nothing from the others, and one past its removal date is left. What lies
there for another owner on consignment is reserved like any other (tried on 19).
"""

# Where product_expiry is installed, Odoo leaves what is to be removed.
FRESH = "(q.removal_date IS NULL OR q.removal_date > %(now)s::timestamptz)"
UNRESERVED = "q.quantity - COALESCE(q.reserved_quantity, 0)"
OF_LOTS = "sum(CASE WHEN lot.lot_id IS NULL THEN lot.free ELSE GREATEST(lot.free, 0) END)"


def is_within(place: str, top: str) -> str:
    """Return SQL for whether a place is another one, or lies within it over however many levels.

    Args:
        place: the alias of a row of ``mirror_stock_location``.
        top: SQL of the other place's id.
    """
    return f"""({place}.odoo_id = {top} OR {place}.location_id = {top} OR EXISTS (
      WITH RECURSIVE above(location_id, depth) AS (
        SELECT {place}.location_id, 1
         UNION ALL
        SELECT l.location_id, above.depth + 1
          FROM above
          JOIN mirror_stock_location l ON l.connection_id = {place}.connection_id AND l.odoo_id = above.location_id
         WHERE above.depth < 20)
      SELECT FROM above WHERE above.location_id = {top}))"""


def is_in_stock(place: str, warehouse: str) -> str:
    """Return SQL for whether an internal place is a part of its warehouse's stock, from which orders are delivered.

    Args:
        place, warehouse: the aliases of rows of ``mirror_stock_location`` and of its ``mirror_stock_warehouse``.
    """
    return f"{place}.usage = 'internal' AND ({warehouse}.lot_stock_id IS NULL OR {is_within(place, f'{warehouse}.lot_stock_id')})"


def by_warehouse(of: str) -> str:
    """Return rows of what Odoo reserves from in the stock of each warehouse: how much there is, is reserved, and is free.

    The columns are ``product_id``, ``company_id``, ``warehouse_id``, ``quantity``, ``reserved`` and ``free``, in the product's own
    unit; what is free is below zero where more was taken than was there.

    Args:
        of: SQL condition over quant ``q`` and its warehouse ``w``.
    """
    return f"""
SELECT lot.product_id, lot.company_id, lot.warehouse_id, sum(lot.quantity) AS quantity, sum(lot.reserved) AS reserved,
       {OF_LOTS} AS free
  FROM (
    SELECT q.product_id, q.company_id, place.warehouse_id, q.lot_id, sum(q.quantity) AS quantity,
           sum(COALESCE(q.reserved_quantity, 0)) AS reserved, sum({UNRESERVED}) AS free
      FROM mirror_stock_quant q
      JOIN mirror_stock_location place ON place.connection_id = q.connection_id AND place.odoo_id = q.location_id
       AND place.warehouse_id IS NOT NULL
      LEFT JOIN mirror_stock_warehouse w ON w.connection_id = place.connection_id AND w.odoo_id = place.warehouse_id
     WHERE q.connection_id = %(connection)s AND q.deleted_at IS NULL AND {FRESH} AND {of} AND {is_in_stock("place", "w")}
     GROUP BY q.product_id, q.company_id, place.warehouse_id, q.lot_id) AS lot
 GROUP BY lot.product_id, lot.company_id, lot.warehouse_id
"""


def at_place(product: str, place: str) -> str:
    """Return one row of what is free of a product for a move that takes from a place: ``quantity``.

    Args:
        product, place: SQL of their ids.
    """
    return f"""
SELECT COALESCE({OF_LOTS}, 0) AS quantity
  FROM (
    SELECT q.lot_id, sum({UNRESERVED}) AS free
      FROM mirror_stock_quant q
      JOIN mirror_stock_location place ON place.connection_id = q.connection_id AND place.odoo_id = q.location_id
       AND place.usage = 'internal'
     WHERE q.connection_id = %(connection)s AND q.product_id = {product} AND q.deleted_at IS NULL AND {FRESH}
       AND {is_within("place", place)}
     GROUP BY q.lot_id) AS lot
"""


def by_place(product: str) -> str:
    """Return rows of what is free of a product at each place by itself: ``location_id``, ``free``.

    Args:
        product: SQL of its id.
    """
    return f"""
SELECT lot.location_id, {OF_LOTS} AS free
  FROM (
    SELECT q.location_id, q.lot_id, sum({UNRESERVED}) AS free
      FROM mirror_stock_quant q
     WHERE q.connection_id = %(connection)s AND q.product_id = {product} AND q.deleted_at IS NULL AND {FRESH}
     GROUP BY q.location_id, q.lot_id) AS lot
 GROUP BY lot.location_id
"""

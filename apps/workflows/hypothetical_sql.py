"""The statements with which :mod:`apps.workflows.hypothetical` writes a change into the mirror.

Every one takes ``%(connection)s``; lists of one statement belong together place by place.
"""

from collections.abc import Mapping, Sequence

from apps.core import statements
from apps.workflows import kits, operation_types, reservable, units

# lines, dates
NEW_DATES = """
UPDATE mirror_purchase_order_line l SET date_planned = c.at
  FROM unnest(%(lines)s::bigint[], %(dates)s::timestamptz[]) AS c(line_id, at)
 WHERE l.connection_id = %(connection)s AND l.odoo_id = c.line_id
"""

# lines, dates. Odoo makes it the deadline of what is still to be received: by that those are reached who wait for a component.
NEW_DATES_OF_MOVES = """
UPDATE mirror_stock_move m SET date_deadline = c.at
  FROM unnest(%(lines)s::bigint[], %(dates)s::timestamptz[]) AS c(line_id, at)
 WHERE m.connection_id = %(connection)s AND m.purchase_line_id = c.line_id AND m.deleted_at IS NULL
   AND m.state NOT IN ('done', 'cancel')
RETURNING m.odoo_id
"""

# lines
RECEIVED = """
SELECT l.odoo_id, l.qty_received FROM mirror_purchase_order_line l
 WHERE l.connection_id = %(connection)s AND l.odoo_id = ANY(%(lines)s)
"""

# lines
TO_RECEIVE = """
SELECT l.odoo_id, l.product_qty - l.qty_received, l.date_planned FROM mirror_purchase_order_line l
 WHERE l.connection_id = %(connection)s AND l.odoo_id = ANY(%(lines)s) AND l.product_qty > l.qty_received
"""

# lines, quantities (NULL: what was received). The line as it is, and ``wanted``.
CHANGED_LINES = """
SELECT l.*, COALESCE(c.quantity, l.qty_received) AS wanted
  FROM unnest(%(lines)s::bigint[], %(quantities)s::numeric[]) AS c(line_id, quantity)
  JOIN mirror_purchase_order_line l ON l.connection_id = %(connection)s AND l.odoo_id = c.line_id
"""

# lines, quantities
NEW_QUANTITIES = """
UPDATE mirror_purchase_order_line l SET product_qty = COALESCE(c.quantity, l.qty_received)
  FROM unnest(%(lines)s::bigint[], %(quantities)s::numeric[]) AS c(line_id, quantity)
 WHERE l.connection_id = %(connection)s AND l.odoo_id = c.line_id
"""

# lines, quantities. Odoo takes from the open moves what the line is less now, and cancels a move of which nothing is left. Of a
# kit the components go in proportion.
NEW_QUANTITIES_OF_MOVES = statements.load(
    __file__,
    "smaller_receipts",
    changed_lines=CHANGED_LINES,
    moved=units.own("m.product_uom_qty", "m", units.MOVE),
    is_kit=kits.is_kit("line", "m.product_id"),
    wanted=kits.wanted("line", "m.product_id", quantity="product_qty", line_id="purchase_line_id"),
    stays=units.own("line.wanted - line.qty_received", "line"),
)

# lines, quantities. Lines that are to bring more and have no receipt that is open.
LINES_WITHOUT_RECEIPT = f"""
SELECT line.odoo_id
  FROM ({CHANGED_LINES}) AS line
 WHERE line.wanted > line.qty_received
   AND EXISTS (SELECT FROM mirror_stock_move m WHERE m.connection_id = line.connection_id
                  AND m.purchase_line_id = line.odoo_id AND m.deleted_at IS NULL)
   AND NOT EXISTS (SELECT FROM mirror_stock_move m WHERE m.connection_id = line.connection_id
                      AND m.purchase_line_id = line.odoo_id AND m.deleted_at IS NULL AND m.state NOT IN ('done', 'cancel'))
"""

# moves: cancelled ones. What they were to feed is on its own again where nothing else is still to feed it.
DETACH = """
UPDATE mirror_stock_move d
   SET move_orig_ids = ARRAY(SELECT o.id FROM unnest(d.move_orig_ids) AS o(id) WHERE o.id <> ALL(%(moves)s))
 WHERE d.connection_id = %(connection)s AND d.move_orig_ids && %(moves)s::bigint[] AND d.deleted_at IS NULL
   AND d.state NOT IN ('done', 'cancel')
   AND NOT EXISTS (SELECT FROM mirror_stock_move o
                    WHERE o.connection_id = d.connection_id AND o.odoo_id = ANY(d.move_orig_ids)
                      AND o.odoo_id <> ALL(%(moves)s) AND o.state NOT IN ('done', 'cancel'))
RETURNING d.odoo_id
"""

# moves: cancelled ones
CANCEL_EMPTY_TRANSFERS = """
UPDATE mirror_stock_picking p SET state = 'cancel'
 WHERE p.connection_id = %(connection)s AND p.odoo_id IN (
         SELECT m.picking_id FROM mirror_stock_move m WHERE m.connection_id = %(connection)s AND m.odoo_id = ANY(%(moves)s))
   AND NOT EXISTS (SELECT FROM mirror_stock_move left_over
                    WHERE left_over.connection_id = p.connection_id AND left_over.picking_id = p.odoo_id
                      AND left_over.state <> 'cancel' AND left_over.deleted_at IS NULL)
RETURNING p.odoo_id
"""


def _copied(columns: Sequence[str], other: Mapping[str, str]) -> tuple[str, str]:
    """Return the columns of an INSERT, and what a copy of row ``x`` has in them."""
    return ", ".join(columns), ", ".join(other.get(name, f"x.{name}") for name in columns)


def further_lines(columns: Sequence[str]) -> str:
    """Return the statement that adds lines like others: lines, new (ids), quantities, dates."""
    names, values = _copied(
        columns, {"product_qty": "c.quantity", "qty_received": "0", "qty_invoiced": "0", "date_planned": "c.at"}
    )
    return f"""
INSERT INTO mirror_purchase_order_line (odoo_id, {names})
SELECT c.new_id, {values}
  FROM unnest(%(lines)s::bigint[], %(new)s::bigint[], %(quantities)s::numeric[], %(dates)s::timestamptz[])
       AS c(line_id, new_id, quantity, at)
  JOIN mirror_purchase_order_line x ON x.connection_id = %(connection)s AND x.odoo_id = c.line_id
"""


def receipts(columns: Sequence[str]) -> str:
    """Return the statement that makes receipts like those of other lines, and returns their ids.

    A kit has a move for each of its components. It takes: lines (like whose the receipts are), new (the lines that they are of),
    quantities (in the line's unit), dates, and first (the first id that is free).
    """
    names, values = _copied(
        columns,
        {
            "purchase_line_id": "s.new_id",
            "state": "'assigned'",
            "quantity": "0",
            "date": "s.at",
            "date_deadline": "s.at",
            "move_orig_ids": "'{}'",
            "product_uom_qty": "s.moved",
            "product_uom": "s.unit",
        },
    )
    return statements.load(
        __file__,
        "further_receipts",
        is_kit=kits.is_kit("l", "m.product_id"),
        wanted=kits.wanted("l", "m.product_id", quantity="product_qty", line_id="purchase_line_id"),
        names=names,
        copied=values,
    )


# warehouse
KIND_OF_TRANSFER = {kind: f"SELECT {operation_types.of_warehouse(kind, '%(warehouse)s')}" for kind in operation_types.COLUMNS}

# warehouse
STOCK_OF_WAREHOUSE = """
SELECT w.lot_stock_id, w.company_id FROM mirror_stock_warehouse w
 WHERE w.connection_id = %(connection)s AND w.odoo_id = %(warehouse)s AND w.deleted_at IS NULL
"""

# new (id), product, place, company, quantity
RESERVE = """
INSERT INTO mirror_stock_quant (connection_id, odoo_id, read_at, product_id, location_id, company_id, quantity, reserved_quantity)
VALUES (%(connection)s, %(new)s, %(now)s, %(product)s, %(place)s, %(company)s, 0, %(quantity)s)
"""

# orders
CONFIRM = """
UPDATE mirror_sale_order o SET state = 'sale', delivery_status = 'pending', x_ct_hold = ''
 WHERE o.connection_id = %(connection)s AND o.odoo_id = ANY(%(orders)s)
"""

# What lies free of a product in the warehouse of order o.
FREE_OF_LINE = f"""
SELECT sum(f.free) AS quantity
  FROM ({reservable.by_warehouse("q.product_id = l.product_id AND place.warehouse_id = o.warehouse_id")}) AS f
"""

# Whether Odoo keeps stock of what line l sells, as far as anything tells: some lies somewhere, is to come, or is waited for.
IS_KEPT = """(
  EXISTS (SELECT FROM mirror_stock_quant q WHERE q.connection_id = l.connection_id AND q.product_id = l.product_id)
  OR EXISTS (SELECT FROM mirror_purchase_order_line pl
              WHERE pl.connection_id = l.connection_id AND pl.product_id = l.product_id AND pl.qty_received < pl.product_qty)
  OR EXISTS (SELECT FROM mirror_stock_move m
              WHERE m.connection_id = l.connection_id AND m.product_id = l.product_id
                AND m.state IN ('waiting', 'confirmed', 'partially_available')))"""

# orders, first (added to the id of the order and of the line). Odoo reserves at confirmation what lies free, line by line.
DELIVERIES = statements.load(
    __file__,
    "confirmed_deliveries",
    outgoing=operation_types.of_warehouse("outgoing", "min(t.warehouse_id)"),
    wanted=units.own("l.product_uom_qty", "l"),
    is_kept=IS_KEPT,
    free_of_line=FREE_OF_LINE,
)

# orders, dates
NEW_PROMISES = """
UPDATE mirror_sale_order o SET commitment_date = c.at
  FROM unnest(%(orders)s::bigint[], %(dates)s::timestamptz[]) AS c(order_id, at)
 WHERE o.connection_id = %(connection)s AND o.odoo_id = c.order_id
"""

# orders, dates. Odoo makes it the deadline of what goes to the customer.
NEW_PROMISES_OF_MOVES = """
UPDATE mirror_stock_move m SET date_deadline = c.at
  FROM unnest(%(orders)s::bigint[], %(dates)s::timestamptz[]) AS c(order_id, at)
  JOIN mirror_sale_order_line l ON l.connection_id = %(connection)s AND l.order_id = c.order_id AND l.deleted_at IS NULL
 WHERE m.connection_id = %(connection)s AND m.sale_line_id = l.odoo_id AND m.deleted_at IS NULL
   AND m.state NOT IN ('done', 'cancel')
RETURNING m.odoo_id
"""

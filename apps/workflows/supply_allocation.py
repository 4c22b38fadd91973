"""What is short and what is to cover it, as SQL that facts and pages share.

Where Odoo links a sales order's move to what feeds it (``move_orig_ids``) and that is still to come, the link tells. Everything
else is worked out by product, company and warehouse, as a planner would on paper: the moves that are short stand in a row, the
earliest promise first, and what lies free in their warehouse fills them from the front, then the purchases that are to come, the
earliest date first. What is reserved is covered already. The row reaches as far as what is open, never into history. Quantities
are in the product's own unit, whatever the orders, purchases and moves count in.
"""

from apps.core import statements
from apps.workflows import days, kits, reservable, units
from apps.workflows.declare import Unwatched
from apps.workflows.rules import money

# Of the transfers behind supply and demand.
TYPES = Unwatched(
    model="stock.picking.type",
    columns=["code", "warehouse_id"],
    because="Which way a type of operation goes, and for which warehouse, is settled as the warehouse is set up.",
)

PUT_AWAY = Unwatched(
    model="stock.picking",
    columns=["location_dest_id", "location_id", "name", "picking_type_code", "picking_type_id", "return_id", "sale_id"],
    because="What a transfer is, and for which order, is settled as it is made; its moves, which are watched, say the rest.",
)

BETWEEN_WAREHOUSES = Unwatched(
    model="stock.location",
    columns=["location_id", "usage", "warehouse_id"],
    because="Odoo refuses another usage for a place that holds stock; where it lies is settled as it is made.",
)

STOCK_OF_WAREHOUSES = Unwatched(
    model="stock.warehouse",
    columns=["lot_stock_id"],
    because="Which place is a warehouse's stock is settled as the warehouse is set up.",
)

SHORT_STATES = "('waiting', 'confirmed', 'partially_available')"


def from_today(moment: str, company: str) -> str:
    """Return SQL of ``moment``, or of the beginning of today as the company counts days, whichever is later.

    Nothing comes before today: what is overdue, and what has no date, is expected today at the earliest. By the day, so that
    looking again within a day says the same.

    Args:
        moment, company: SQL expressions; the company's id may be NULL, which is the connection's first company.
    """
    today = f"date_trunc('day', %(now)s::timestamptz, company_zone(%(connection)s, {company}))"
    return f"CASE WHEN {moment} >= %(now)s::timestamptz THEN {moment} ELSE GREATEST({moment}, {today}) END"


def is_fed(move: str) -> str:
    """Return SQL for whether something that Odoo links to a move, over however many steps, is still to come.

    What came short and was closed feeds nothing any more: the move then stands in the row like any other. What the tower has
    not read yet is to come: an order is often read before what Odoo makes for it.

    Args:
        move: the alias of a row with ``move_orig_ids``.
    """
    return f"""COALESCE({move}.move_orig_ids, '{{}}') <> '{{}}' AND EXISTS (
  WITH RECURSIVE feeding(move_id, depth, is_awaited) AS (
    SELECT unnest({move}.move_orig_ids), 1, TRUE
     UNION
    SELECT unnest(f.move_orig_ids), feeding.depth + 1, f.state NOT IN ('done', 'cancel')
      FROM feeding JOIN mirror_stock_move f ON f.connection_id = %(connection)s AND f.odoo_id = feeding.move_id
     WHERE feeding.depth < 10
  )
  SELECT FROM feeding
    LEFT JOIN mirror_stock_move f ON f.connection_id = %(connection)s AND f.odoo_id = feeding.move_id
   WHERE f.odoo_id IS NULL AND feeding.is_awaited OR f.state NOT IN ('done', 'cancel') AND f.deleted_at IS NULL)"""


def is_made_to_order(move: str) -> str:
    """Return SQL for whether Odoo waits for something to be brought for a move alone, which nobody has confirmed yet.

    Such a move takes nothing that lies there, and nothing that comes for others.

    Args:
        move: the alias of a row with ``state`` and ``move_orig_ids``.
    """
    return f"({move}.state = 'waiting' AND COALESCE({move}.move_orig_ids, '{{}}') = '{{}}')"


def demand(of: str) -> str:
    """Moves of sales orders that are short, that nothing feeds any more that Odoo links to them, and that take what is there.

    A move that only waits for an earlier move of its own line is told by that one.

    Args:
        of: SQL condition over the move ``d``.
    """
    return f"""
SELECT d.odoo_id AS move_id, d.sale_line_id, d.product_id, d.company_id, COALESCE(d.warehouse_id, 0) AS warehouse_id,
       COALESCE(d.date_deadline, d.date) AS promised_at,
       {units.own("d.product_uom_qty - COALESCE(d.quantity, 0)", "d", units.MOVE)} AS missing
  FROM mirror_stock_move d
 WHERE d.connection_id = %(connection)s AND d.state IN {SHORT_STATES} AND d.sale_line_id IS NOT NULL
   AND d.deleted_at IS NULL AND d.product_uom_qty > COALESCE(d.quantity, 0) AND {of} AND NOT ({is_fed("d")})
   AND NOT {is_made_to_order("d")}
"""


# What Odoo has promised to certain orders of what move mv brings.
FED = f"""
SELECT sum({units.own("f.product_uom_qty - COALESCE(f.quantity, 0)", "f", units.MOVE)}) AS missing
  FROM mirror_stock_move f
 WHERE f.connection_id = mv.connection_id AND f.product_id = mv.product_id AND f.move_orig_ids @> ARRAY[mv.odoo_id]
   AND f.deleted_at IS NULL AND f.state IN {SHORT_STATES} AND f.sale_line_id IS NOT NULL
"""


# The warehouse into which move {move} brings what another one has.
ACROSS = """
SELECT there.warehouse_id
  FROM mirror_stock_location here
  JOIN mirror_stock_location there ON there.connection_id = here.connection_id AND there.odoo_id = {move}.location_dest_id
   AND there.usage = 'internal' AND there.warehouse_id <> here.warehouse_id
 WHERE here.connection_id = {move}.connection_id AND here.odoo_id = {move}.location_id AND here.usage = 'internal'
"""


def supply(of: str) -> str:
    """Lines of confirmed purchases that are still to come, less what Odoo has promised to certain orders (``free``).

    A line of a kit brings its components, each by its own move. A line whose receipts are all done or cancelled brings nothing any
    more, whatever is missing. Where goods are received in more than one step, what is in the house and still to be put away is to
    come as well, and so is what is reserved to be moved here from another warehouse: such a row has the name of the transfer, and
    no order.

    Args:
        of: SQL condition over ``{row}``, a purchase line or a move.
    """
    return statements.load(
        __file__,
        "supplies_to_come",
        purchase_expected_at=from_today("pl.date_planned", "pl.company_id"),
        still_to_come=units.own("pl.product_qty - pl.qty_received", "pl"),
        fed=FED,
        of_line=of.format(row="pl"),
        component_expected_at=from_today("pl.date_planned", "mv.company_id"),
        moved=units.own("mv.product_uom_qty", "mv", units.MOVE),
        of_move=of.format(row="mv"),
        transfer_expected_at=from_today("mv.date", "mv.company_id"),
        across=ACROSS.format(move="mv"),
    )


def covering(of: str) -> str:
    """What covers demand: what lies free in the warehouse, before all that is to come.

    Args:
        of: SQL condition over ``{row}``, a purchase line, a move or a quant.
    """
    stock = statements.load(
        __file__,
        "free_stock",
        expected_at=from_today("'-infinity'::timestamptz", "s.company_id"),
        free=reservable.by_warehouse(of.format(row="q")),
    )
    return f"{supply(of)}\nUNION ALL\n{stock}"


# Whether a row of what covers demand is free stock.
IS_STOCK = "{row}.line_id = 0"

# Whether move {move} waits for an earlier step of its own order line, that is not done.
EARLIER_STEP = """
SELECT FROM mirror_stock_move step
 WHERE step.connection_id = {move}.connection_id AND step.odoo_id = ANY({move}.move_orig_ids)
   AND step.sale_line_id = {move}.sale_line_id AND step.state NOT IN ('done', 'cancel')
"""

PRODUCTS_OF_LINES = """{row}.product_id IN (
      SELECT lp.product_id FROM line JOIN mirror_purchase_order_line lp
          ON lp.connection_id = %(connection)s AND lp.odoo_id = line.line_id
       UNION
      SELECT lm.product_id FROM line JOIN mirror_stock_move lm
          ON lm.connection_id = %(connection)s AND lm.purchase_line_id = line.line_id AND lm.deleted_at IS NULL)"""


REVENUE = "sum(w.price_subtotal * LEAST(w.quantity / NULLIF(w.ordered, 0), 1) / COALESCE(NULLIF(o.currency_rate, 0), 1))"


def _waiting(*, lines: str, starts: str) -> str:
    """From moves that bring goods to the sales orders that wait for them: one row an order.

    Args:
        lines: SELECT of the purchase lines (``line_id``).
        starts: SELECT of the moves with which the chain begins (``move_id``, ``expected_at``, ``company_id``).
    """
    return statements.load(
        __file__,
        "waiting_orders",
        lines=lines,
        starts=starts,
        starts_at=from_today("expected_at", "company_id"),
        supplies=covering(PRODUCTS_OF_LINES),
        demands=demand("d.product_id IN (SELECT product_id FROM row_of_supplies)"),
        still_needed=units.own(
            f"m.product_uom_qty - CASE WHEN m.state IN {SHORT_STATES} THEN COALESCE(m.quantity, 0) ELSE 0 END", "m", units.MOVE
        ),
        earlier_step=EARLIER_STEP.format(move="m"),
        ordered=units.own("l.product_uom_qty", "l"),
        sets=kits.sets("max(p.share)", units.own("l.product_uom_qty", "l")),
        is_kit=kits.is_kit("pl", "part.product_id"),
        wanted=kits.wanted("pl", "part.product_id"),
        expected_day=days.day("max(w.expected_at)", at=days.zone("o")),
        promised_day=days.day("max(promise.promised_at)", at=days.zone("o")),
        revenue=money.rounded(REVENUE, money.smallest("o")),
    )


MOVES_OF_LINES = """
  SELECT m.odoo_id AS move_id, pl.date_planned AS expected_at, m.company_id
    FROM line
    JOIN mirror_purchase_order_line pl ON pl.connection_id = %(connection)s AND pl.odoo_id = line.line_id
    JOIN mirror_stock_move m ON m.connection_id = pl.connection_id AND m.purchase_line_id = pl.odoo_id
     AND m.state NOT IN ('done', 'cancel') AND m.deleted_at IS NULL
"""


def waiting_for_purchases(orders: str) -> str:
    """The sales orders that wait for what is still to come on purchase orders.

    Args:
        orders: SQL that yields the odoo_ids of purchase orders; those that are not confirmed bring nothing.
    """
    lines = f"""
  SELECT pl.odoo_id AS line_id
    FROM mirror_purchase_order_line pl
    JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
     AND po.state IN ('purchase', 'done') AND po.deleted_at IS NULL
   WHERE pl.connection_id = %(connection)s AND pl.order_id IN ({orders}) AND pl.qty_received < pl.product_qty
     AND pl.deleted_at IS NULL
"""
    return _waiting(lines=lines, starts=MOVES_OF_LINES)


# What a transfer brings, or takes to a customer itself. Of a receipt, the vendor's date counts too.
WAITING_FOR_TRANSFER = _waiting(
    lines="""
  SELECT DISTINCT m.purchase_line_id AS line_id
    FROM mirror_stock_move m
   WHERE m.connection_id = %(connection)s AND m.picking_id = %(record)s AND m.purchase_line_id IS NOT NULL
     AND m.state NOT IN ('done', 'cancel') AND m.deleted_at IS NULL
""",
    starts="""
  SELECT m.odoo_id AS move_id, GREATEST(p.scheduled_date, pl.date_planned) AS expected_at, m.company_id
    FROM mirror_stock_picking p
    JOIN mirror_stock_move m ON m.connection_id = p.connection_id AND m.picking_id = p.odoo_id
     AND m.state NOT IN ('done', 'cancel') AND m.deleted_at IS NULL
    LEFT JOIN mirror_purchase_order_line pl ON pl.connection_id = m.connection_id AND pl.odoo_id = m.purchase_line_id
   WHERE p.connection_id = %(connection)s AND p.odoo_id = %(record)s AND p.deleted_at IS NULL
""",
)


# Whose row changes when a record does: the products that it moves, and who stands in a row for those.
PRODUCTS_OF_MOVES = f"""
  SELECT m.product_id FROM mirror_stock_move m WHERE m.connection_id = %(connection)s AND m.odoo_id = ANY(%(ids)s)
     AND (m.sale_line_id IS NOT NULL OR m.purchase_line_id IS NOT NULL OR m.move_orig_ids <> '{{}}'
          OR EXISTS ({ACROSS.format(move="m")}))
"""
PRODUCTS_OF_QUANTS = """
  SELECT q.product_id FROM mirror_stock_quant q WHERE q.connection_id = %(connection)s AND q.odoo_id = ANY(%(ids)s)
"""
PRODUCTS_OF_SALE_LINES = """
  SELECT l.product_id FROM mirror_sale_order_line l
   WHERE l.connection_id = %(connection)s AND l.odoo_id = ANY(%(ids)s) AND l.qty_delivered < l.product_uom_qty
"""
PRODUCTS_OF_SALES = """
  SELECT l.product_id
    FROM mirror_sale_order o
    JOIN mirror_sale_order_line l ON l.connection_id = o.connection_id AND l.order_id = o.odoo_id AND l.deleted_at IS NULL
     AND l.qty_delivered < l.product_uom_qty
   WHERE o.connection_id = %(connection)s AND o.odoo_id = ANY(%(ids)s) AND o.state NOT IN ('draft', 'sent')
"""
PRODUCTS_OF_PURCHASE_LINES = """
  SELECT l.product_id FROM mirror_purchase_order_line l
   WHERE l.connection_id = %(connection)s AND l.odoo_id = ANY(%(ids)s)
"""
PRODUCTS_OF_PURCHASES = """
  SELECT l.product_id FROM mirror_purchase_order_line l
   WHERE l.connection_id = %(connection)s AND l.order_id = ANY(%(ids)s)
"""
# The products that are kept in a unit.
KEPT_IN_UNITS = """
  SELECT p.odoo_id
    FROM mirror_product_template t
    JOIN mirror_product_product p ON p.connection_id = t.connection_id AND p.product_tmpl_id = t.odoo_id
   WHERE t.connection_id = %(connection)s AND t.uom_id = ANY(%(ids)s)
"""
# Units whose ratio changed: what is counted in them, and the products that are kept in them.
PRODUCTS_OF_UNITS = f"""
  SELECT m.product_id FROM mirror_stock_move m
   WHERE m.connection_id = %(connection)s AND m.state IN {SHORT_STATES} AND m.product_uom = ANY(%(ids)s) AND m.deleted_at IS NULL
   UNION
  SELECT l.product_id FROM mirror_purchase_order_line l
   WHERE l.connection_id = %(connection)s AND l.qty_received < l.product_qty AND l.product_uom_id = ANY(%(ids)s)
     AND l.deleted_at IS NULL
   UNION {KEPT_IN_UNITS}
"""
# The open transfers that move something counted, kept, sold or bought in them. Units rarely change: no index is kept for it.
TRANSFERS_OF_UNITS = f"""
  SELECT DISTINCT m.picking_id
    FROM mirror_stock_move m
   WHERE m.connection_id = %(connection)s AND m.state IN ('waiting', 'confirmed', 'partially_available', 'assigned')
     AND m.picking_id IS NOT NULL AND m.deleted_at IS NULL
     AND (m.product_uom = ANY(%(ids)s) OR m.product_id IN ({KEPT_IN_UNITS})
          OR EXISTS (SELECT FROM mirror_sale_order_line sold WHERE sold.connection_id = m.connection_id
                        AND sold.odoo_id = m.sale_line_id AND sold.product_uom_id = ANY(%(ids)s))
          OR EXISTS (SELECT FROM mirror_purchase_order_line bought WHERE bought.connection_id = m.connection_id
                        AND bought.odoo_id = m.purchase_line_id AND bought.product_uom_id = ANY(%(ids)s)))
"""
# Products that may have another unit of their own now.
PRODUCTS_OF_TEMPLATES = """
  SELECT p.odoo_id FROM mirror_product_product p
   WHERE p.connection_id = %(connection)s AND p.product_tmpl_id = ANY(%(ids)s)
"""


def purchases_of(products: str) -> str:
    """The confirmed purchase orders that are still to bring any of the products that the SQL ``products`` yields."""
    return f"""
SELECT DISTINCT po.odoo_id
  FROM mirror_purchase_order_line pl
  JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
   AND po.state IN ('purchase', 'done') AND po.deleted_at IS NULL
 WHERE pl.connection_id = %(connection)s AND pl.product_id IN ({products}) AND pl.qty_received < pl.product_qty
   AND pl.deleted_at IS NULL
"""


def sales_of(products: str) -> str:
    """The sales orders that are short of any of the products that the SQL ``products`` yields."""
    return f"""
SELECT DISTINCT l.order_id
  FROM mirror_stock_move d
  JOIN mirror_sale_order_line l ON l.connection_id = d.connection_id AND l.odoo_id = d.sale_line_id
 WHERE d.connection_id = %(connection)s AND d.product_id IN ({products}) AND d.state IN {SHORT_STATES}
   AND d.sale_line_id IS NOT NULL AND d.deleted_at IS NULL
"""

"""Facts of the figures that count order lines: what was promised to customers and by vendors, and what came by then.

Orders are in one unit (dozen) and transfers in another (pieces), kits are one line and several moves, and a delivery may be split:
so a line is compared with all of its moves, in the product's own unit, as of the end of the promised day of its company.
"""

from apps.core import statements
from apps.workflows import days, returned, units

SOLD_LINES = statements.load(
    __file__,
    "sold_lines",
    seen="{seen}",
    of_line="{of_line}",
    commitment=days.real("r.commitment_date"),
    deadline=days.real("d.date_deadline"),
    ordered=units.own("l.product_uom_qty", "l"),
    delivered=units.own("l.qty_delivered", "l"),
    moved=units.own("m.quantity", "m", units.MOVE),
    goes_back=returned.goes_back("d").strip(),
).strip()


def _bought(when: str) -> str:
    return statements.load(
        __file__,
        "bought_lines",
        seen="{seen}",
        of_line="{of_line}",
        when=when,
        planned=days.real("l.date_planned"),
        ordered=units.own("l.product_qty", "l"),
        received=units.own("l.qty_received", "l"),
        moved=units.own("m.quantity", "m", units.MOVE),
        goes_back=returned.goes_back("d").strip(),
    ).strip()


# A day more than the window, whose ends are moments and not days.
PLANNED = "l.date_planned > %(since)s::timestamptz - interval '1 day' AND l.date_planned <= %(now)s"
# Some of it was received in the window.
RECEIVED_LATELY = """EXISTS (
  SELECT FROM mirror_stock_move lately
   WHERE lately.connection_id = l.connection_id AND lately.purchase_line_id = l.odoo_id AND lately.state = 'done'
     AND lately.deleted_at IS NULL AND lately.date > %(since)s)"""

# What a line s, sold or bought, has met. On time: nothing of what came in all came after the day.
IS_OTIF = "s.in_time >= s.ordered"
IS_ON_TIME = "s.in_time > 0 AND s.in_time >= LEAST(s.ordered, s.in_all)"
IS_IN_FULL = "s.in_all >= s.ordered"

# Of the shared rows SOLD_LINES.
SOLD = """
SELECT 'order_to_cash' AS workflow, s.connection_id, 'sale.order' AS model, s.order_id AS odoo_id, s.at, {is_met}
  FROM shared AS s"""
OTIF = SOLD.replace("{is_met}", f"{IS_OTIF} AS is_met")
ON_TIME = SOLD.replace("{is_met}", f"{IS_ON_TIME} AS is_met")
IN_FULL = SOLD.replace("{is_met}", f"{IS_IN_FULL} AS is_met")
FILL_RATE = SOLD.replace("{is_met}", "LEAST(s.in_time / s.ordered, 1) AS part")
BOUGHT = "'procure_to_pay' AS workflow, s.connection_id, 'purchase.order' AS model, s.order_id AS odoo_id"
BOUGHT_LINES = _bought(PLANNED)
SUPPLIER_OTIF = f"SELECT {BOUGHT}, s.at, {IS_OTIF} AS is_met FROM ({BOUGHT_LINES}) AS s"
SUPPLIER_LEAD_TIME = f"""
SELECT {BOUGHT}, s.last_at AS at, greatest(extract(epoch FROM s.last_at - s.ordered_at), 0) AS seconds
  FROM ({_bought(RECEIVED_LATELY)}) AS s
 WHERE s.in_all >= s.ordered AND s.ordered_at IS NOT NULL"""
# What came back, and what was credited, does not make an order perfect.
PERFECT_ORDER = f"""
SELECT 'order_to_cash' AS workflow, o.connection_id, 'sale.order' AS model, o.order_id AS odoo_id, o.at, o.is_met AND NOT EXISTS (
         SELECT FROM mirror_stock_picking d
          WHERE d.connection_id = o.connection_id AND d.sale_id = o.order_id AND d.state = 'done' AND d.deleted_at IS NULL
            AND {returned.goes_back("d").strip()})
       AND NOT EXISTS (
         SELECT FROM mirror_sale_order_line sold
           JOIN mirror_account_move_line credited ON credited.connection_id = sold.connection_id
            AND credited.sale_line_ids @> ARRAY[sold.odoo_id] AND credited.deleted_at IS NULL
           JOIN mirror_account_move note ON note.connection_id = credited.connection_id AND note.odoo_id = credited.move_id
            AND note.move_type = 'out_refund' AND note.state = 'posted' AND note.deleted_at IS NULL
          WHERE sold.connection_id = o.connection_id AND sold.order_id = o.order_id AND sold.deleted_at IS NULL) AS is_met
  FROM (SELECT s.connection_id, s.order_id, s.at, bool_and(s.in_time >= s.ordered) AS is_met
          FROM shared AS s GROUP BY s.connection_id, s.order_id, s.at) AS o"""

"""What a change would do, before it is made: previews over a whole history, of one line and of a thousand records.

The company is that of :mod:`bench.whole_catalogue`, ``BENCH_ORDERS`` orders large, a million where nothing is said. Its open
purchases get receipts into the warehouses, so that they reach the orders that wait; and a thousand orders wait for one product.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from statistics import quantiles
from typing import Any

from bench import ground
from bench.row import Row
from bench.whole_catalogue import ORDERS, company, say

# What a preview may take, p95.
MILLISECONDS = 300
ROUNDS = 40
# So many sales orders the largest changes reach.
REACHED = 1_000

# The orders that wait: the newest fiftieth, of which every fourth is short. What is to come, comes to where it is waited for.
RECEIPTS = """
INSERT INTO mirror_stock_picking (connection_id, odoo_id, read_at, create_date, write_date, name, state, picking_type_id,
                                  picking_type_code, company_id, scheduled_date)
SELECT %(c)s, 900000000 + l.odoo_id, now(), now(), now(), 'IN/' || l.odoo_id, 'assigned', 10 + at.warehouse_id, 'incoming', 1,
       l.date_planned
  FROM mirror_purchase_order_line l
 CROSS JOIN LATERAL (SELECT COALESCE(min(m.warehouse_id), 1) AS warehouse_id FROM mirror_stock_move m
                      WHERE m.connection_id = l.connection_id AND m.product_id = l.product_id AND m.state = 'confirmed') AS at
 WHERE l.connection_id = %(c)s AND l.qty_received < l.product_qty;
INSERT INTO mirror_stock_move (connection_id, odoo_id, read_at, create_date, write_date, product_id, product_uom_qty, quantity,
                               state, picking_id, picking_type_id, purchase_line_id, company_id, date, move_orig_ids)
SELECT %(c)s, 900000000 + l.odoo_id, now(), now(), now(), l.product_id, l.product_qty, 0, 'assigned', p.odoo_id, p.picking_type_id,
       l.odoo_id, 1, l.date_planned, '{}'
  FROM mirror_purchase_order_line l
  JOIN mirror_stock_picking p ON p.connection_id = l.connection_id AND p.odoo_id = 900000000 + l.odoo_id
 WHERE l.connection_id = %(c)s AND l.qty_received < l.product_qty
"""
# A thousand orders wait in one warehouse for what a few purchases bring.
ONE_PRODUCT = """
WITH chosen AS (
  SELECT DISTINCT ON (m.picking_id) m.odoo_id, m.sale_line_id FROM mirror_stock_move m
   WHERE m.connection_id = %(c)s AND m.state = 'confirmed' AND m.sale_line_id IS NOT NULL
   ORDER BY m.picking_id DESC, m.odoo_id LIMIT %(reached)s
), moved AS (
  UPDATE mirror_stock_move m SET product_id = 1000000, warehouse_id = 1 FROM chosen
   WHERE m.connection_id = %(c)s AND m.odoo_id = chosen.odoo_id
)
UPDATE mirror_sale_order_line l SET product_id = 1000000 FROM chosen
 WHERE l.connection_id = %(c)s AND l.odoo_id = chosen.sale_line_id;
WITH chosen AS (
  SELECT l.odoo_id FROM mirror_purchase_order_line l
   WHERE l.connection_id = %(c)s AND l.qty_received < l.product_qty ORDER BY l.odoo_id LIMIT 6
), bought AS (
  UPDATE mirror_purchase_order_line l SET product_id = 1000000, product_qty = 900 FROM chosen
   WHERE l.connection_id = %(c)s AND l.odoo_id = chosen.odoo_id
), received AS (
  UPDATE mirror_stock_move m SET product_id = 1000000, product_uom_qty = 900 FROM chosen
   WHERE m.connection_id = %(c)s AND m.purchase_line_id = chosen.odoo_id
)
UPDATE mirror_stock_picking p SET picking_type_id = 11 FROM chosen
 WHERE p.connection_id = %(c)s AND p.odoo_id = 900000000 + chosen.odoo_id
"""


def _prepare(connection_id: int) -> tuple[list[int], list[int]]:
    """Let purchases reach orders; the lines that orders wait for, and those of the product that a thousand wait for."""
    from django.db import connection as database

    with database.cursor() as cursor:
        for statement in f"{RECEIPTS};\n{ONE_PRODUCT}".split(";\n"):
            cursor.execute(statement, {"c": connection_id, "reached": REACHED})
        cursor.execute("VACUUM ANALYZE")
        cursor.execute(
            "SELECT l.product_id = 1000000, array_agg(l.odoo_id ORDER BY l.odoo_id DESC) FROM mirror_purchase_order_line l"
            " WHERE l.connection_id = %s AND l.qty_received < l.product_qty AND EXISTS ("
            "SELECT FROM mirror_stock_move m WHERE m.connection_id = l.connection_id AND m.product_id = l.product_id"
            " AND m.state = 'confirmed' AND m.sale_line_id IS NOT NULL) GROUP BY 1 ORDER BY 1",
            [connection_id],
        )
        (_, lines), (_, same) = cursor.fetchall()
    return lines, same


def run() -> list[Row]:
    """Fill the company, and preview changes of one line, of lines that reach a thousand orders, and of what a thousand wait for."""
    ground.tower()
    from apps.accounts import access
    from apps.core import clock
    from apps.workflows import changes, what_if

    number = company("whole", ORDERS)
    lines, same = _prepare(number)

    def shown(*some: Any) -> what_if.Preview:
        return what_if.preview(number, some, now=clock.now(), access_scope=access.EVERYTHING)

    def later(some: list[int], by: int = 30) -> list[Any]:
        return [changes.NewDate(line_id=line, at=clock.now() + timedelta(days=by)) for line in some]

    many = len(lines)
    while many > 1 and shown(*later(lines[: many * 9 // 10])).evaluated > REACHED:
        many = many * 9 // 10
    kinds: dict[str, Callable[[int], list[Any]]] = {
        "a later date of one line": lambda turn: later([lines[turn % len(lines)]]),
        "a cancelled line": lambda turn: [changes.CancelledLine(line_id=lines[turn % len(lines)])],
        f"later dates of {many} lines": lambda _: later(lines[:many]),
        "a later date of what a thousand orders wait for": lambda turn: later([same[turn % len(same)]]),
        "what a thousand orders wait for is cancelled": lambda turn: [changes.CancelledLine(line_id=same[turn % len(same)])],
    }
    rows: list[Row] = []
    for kind, make in kinds.items():
        spent = []
        for turn in range(ROUNDS):
            some = make(turn)
            begun = time.perf_counter()
            found = shown(*some)
            spent.append((time.perf_counter() - begun) * 1000)
        p95 = quantiles(spent, n=20)[-1]
        say(f"{kind}: {found.evaluated:,} orders evaluated, {found.orders_count:,} change; {found.sentence}")
        rows.append(
            Row(
                name=f"{kind}, p95, {ORDERS:,} orders",
                value=p95,
                peer=MILLISECONDS,
                ratio=p95 / MILLISECONDS,
                goal=1,
                unit="ms",
                lower_is_better=True,
            )
        )
    return rows

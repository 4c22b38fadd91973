"""What is missing, short and reserved, by Odoo's own moves and units."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from apps.core import clock
from apps.mirror import registry as mirror
from apps.workflows import engine
from apps.workflows import registry as workflows
from tests.walk.oracle.positions import positions

if TYPE_CHECKING:
    from tests.walk.walk import Walk

TO_COME = {"unacknowledged", "on_time", "late", "partly_received"}


def purchases_miss_what_odoo_says(walk: "Walk") -> list[str]:
    """What is still to come of each ordered purchase, in the product's own unit, is what its open moves say."""
    made, found = walk.made.get("purchase.order", []), []
    orders = walk.rows("purchase.order", [("id", "in", made), ("state", "=", "purchase")], ["name"])
    lines = walk.rows(
        "purchase.order.line",
        [("order_id", "in", [one["id"] for one in orders]), ("product_id", "!=", False)],
        ["order_id", "product_qty", "qty_received", "product_uom_id"],
    )
    factor = {row["id"]: row["factor"] for row in walk.rows("uom.uom", [("active", "in", [True, False])], ["factor"])}
    missing: dict[int, float] = defaultdict(float)
    for line in lines:
        missing[line["order_id"]] += max(line["product_qty"] - line["qty_received"], 0) * factor[line["product_uom_id"]]
    stands = positions(walk, "procure_to_pay")
    workflow = workflows.workflows()["procure_to_pay"]
    here = engine.look(workflow, connection_id=walk.tower.connection.pk, odoo_ids=[one["id"] for one in orders], now=clock.now())
    for order in orders:
        row, stage = here.get(order["id"]), stands[order["id"]].stage if order["id"] in stands else "no stage"
        if row is None:
            found.append(f"P{order['id']} is not mirrored")
        elif stage in TO_COME and abs(float(row["missing_quantity"]) - missing[order["id"]]) > 0.01:
            found.append(f"P{order['id']} misses {row['missing_quantity']}; Odoo says {missing[order['id']]:g}")
        if stage in ("request", "awaiting_approval", "cancelled"):
            found.append(f"P{order['id']} stands in {stage}, and is ordered in Odoo")
    return found


def orders_lack_what_odoo_has_not_reserved(walk: "Walk") -> list[str]:
    """What a confirmed order is short of is what the first open moves of its lines want and have not reserved, in Odoo's unit."""
    found = []
    orders = walk.rows("sale.order", [("id", "in", walk.made.get("sale.order", [])), ("state", "=", "sale")], ["name"])
    ids = [one["id"] for one in orders]
    if not ids:
        return []
    lines = walk.rows("sale.order.line", [("order_id", "in", ids)], ["order_id", "product_id"])
    of_line = {line["id"]: line for line in lines}
    moves = walk.rows(
        "stock.move",
        [("sale_line_id", "in", list(of_line)), ("state", "not in", ["draft", "done", "cancel"])],
        ["sale_line_id", "product_id", "product_qty", "product_uom_qty", "quantity", "state", "move_orig_ids"],
    )
    by_id = {move["id"]: move for move in moves}
    lacking: dict[int, float] = defaultdict(float)
    has_kit = {line["order_id"] for line in lines if line["product_id"] == walk.business.goods.kit}
    for move in moves:
        waits = [by_id[one] for one in move["move_orig_ids"] if one in by_id]
        if any(one["sale_line_id"] == move["sale_line_id"] for one in waits) or move["state"] == "assigned":
            continue
        # ``product_qty`` is Odoo's own conversion of what is wanted to the product's unit; what is reserved goes by the same.
        share = 1 - move["quantity"] / move["product_uom_qty"] if move["product_uom_qty"] else 0
        lacking[of_line[move["sale_line_id"]]["order_id"]] += max(move["product_qty"] * share, 0)
    workflow = workflows.workflows()["order_to_cash"]
    here = engine.look(workflow, connection_id=walk.tower.connection.pk, odoo_ids=ids, now=clock.now())
    for order in orders:
        row = here.get(order["id"])
        # Of a kit the sets are counted, which Odoo has no field for.
        if row is not None and order["id"] not in has_kit and abs(float(row["short_quantity"]) - lacking[order["id"]]) > 0.01:
            found.append(f"S{order['id']} is short of {row['short_quantity']}; Odoo has not reserved {lacking[order['id']]:g}")
    return found


MIRRORED: dict[str, tuple[str, Sequence[str]]] = {
    "sale.order": ("id", ["state", "invoice_status", "delivery_status", "amount_total", "amount_untaxed"]),
    "sale.order.line": ("order_id", ["product_uom_qty", "qty_delivered", "qty_invoiced", "qty_to_invoice", "price_subtotal"]),
    "purchase.order": ("id", ["state", "amount_total", "invoice_status"]),
    "purchase.order.line": ("order_id", ["product_qty", "qty_received", "qty_invoiced"]),
    "account.move": ("id", ["state", "payment_state", "amount_residual", "amount_total"]),
    "stock.move": ("picking_id", ["state", "product_uom_qty", "quantity"]),
}


PARENT = {"sale.order.line": "sale.order", "purchase.order.line": "purchase.order"}


def the_mirror_has_what_odoo_computes(walk: "Walk") -> list[str]:
    """Delivered, invoiced, reserved, open: Odoo's computed fields stand in the mirror as they are in Odoo."""
    found = []
    for model, (key, fields) in MIRRORED.items():
        ids = walk.transfers([]) if model == "stock.move" else walk.made.get(PARENT.get(model, model), [])
        if not ids:
            continue
        rows = walk.rows(model, [(key, "in", ids)], fields)
        here = mirror.models()[model].objects.filter(connection=walk.tower.connection, odoo_id__in=[row["id"] for row in rows])
        mirrored = {one["odoo_id"]: one for one in here.values("odoo_id", *fields)}
        for row in rows:
            if row["id"] not in mirrored:
                found.append(f"{model} {row['id']} is not mirrored")
                continue
            for name in fields:
                there, own = row[name], mirrored[row["id"]][name]
                same = abs(float(own or 0) - float(there)) < 0.005 if isinstance(there, float) else (own or "") == (there or "")
                if not same:
                    found.append(f"{model} {row['id']}: {name} is {own} in the mirror; Odoo says {there}")
    return found

"""What is missing, short and reserved, by Odoo's own moves and units."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from apps.core import clock
from apps.mirror import registry as mirror
from apps.workflows import engine
from apps.workflows import registry as workflows
from tests.walk.oracle.positions import positions

if TYPE_CHECKING:
    from tests.walk.walk import Walk

# Days are the company's, and moments are not kept to the hour.
DAY = timedelta(days=1, hours=14)
TO_COME = {"unacknowledged", "on_time", "late", "partly_received"}


def purchases_miss_what_odoo_says(walk: "Walk") -> list[str]:
    """What is still to come of each ordered purchase, in the product's own unit, is what its open moves say."""
    made, found = walk.ids("purchase.order"), []
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
    orders = walk.rows("sale.order", [("id", "in", walk.ids("sale.order")), ("state", "=", "sale")], ["name"])
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
    "stock.picking": ("id", ["state", "picking_type_code"]),
    "stock.move": ("picking_id", ["state", "product_uom_qty", "quantity"]),
    "stock.quant": ("id", ["quantity", "reserved_quantity"]),
}
PARENT = {"sale.order.line": "sale.order", "purchase.order.line": "purchase.order"}


def _to_compare(walk: "Walk", model: str) -> list[int]:
    if model in ("stock.move", "stock.picking"):
        return walk.transfers([])
    if model == "stock.quant" and not walk.knows_all:
        goods = [("product_id", "in", list(walk.business.goods.storable)), ("location_id.usage", "=", "internal")]
        return list(walk.business.odoo.search(model, goods))
    return walk.ids(PARENT.get(model, model))


def the_mirror_has_what_odoo_computes(walk: "Walk") -> list[str]:
    """Delivered, invoiced, reserved, open: Odoo's computed fields stand in the mirror as they are in Odoo."""
    found = []
    for model, (key, fields) in MIRRORED.items():
        ids = _to_compare(walk, model)
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


def orders_are_forecast_when_odoo_expects_the_goods(walk: "Walk") -> list[str]:
    """Where one order alone waits for its goods, its forecast is no earlier than Odoo's own ``forecast_expected_date``.

    Nor is it later, unless a step of its own is planned for later. Where several wait, Odoo and the tower may serve them in
    another order.
    """
    found = []
    waiting = [("state", "in", ["waiting", "confirmed", "partially_available"]), ("picking_code", "in", ["outgoing", "internal"])]
    fields = ["sale_line_id", "product_id", "forecast_expected_date", "forecast_availability", "product_qty", "date"]
    moves = walk.rows("stock.move", waiting, fields)
    of_line = {
        row["id"]: row["order_id"]
        for row in walk.rows("sale.order.line", [("id", "in", [move["sale_line_id"] for move in moves])], ["order_id"])
    }
    who_waits: dict[int, set[int]] = defaultdict(set)
    of_order: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for move in moves:
        order = of_line.get(move["sale_line_id"], 0)
        who_waits[move["product_id"]].add(order)
        of_order[order].append(move)
    mine = set(walk.ids("sale.order"))
    alone = [
        order
        for order, its in of_order.items()
        if order in mine and all(move["forecast_expected_date"] and who_waits[move["product_id"]] == {order} for move in its)
    ]
    workflow = workflows.workflows()["order_to_cash"]
    here = engine.look(workflow, connection_id=walk.tower.connection.pk, odoo_ids=alone, now=clock.now())
    for order in alone:
        expected = max(_moment(move["forecast_expected_date"]) for move in of_order[order])
        latest = max([expected, clock.now(), *(_moment(move["date"]) for move in of_order[order])])
        forecast = here[order]["forecast_at"] if order in here else None
        if forecast is None or forecast < expected - DAY or forecast > latest + DAY:
            found.append(f"S{order} is forecast for {forecast}; Odoo expects its goods on {expected}")
    return found


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)

"""What the warehouse does: move, take back, count, scrap."""

from random import Random
from typing import TYPE_CHECKING, Any

from tests.walk.acts.drawing import act, some

if TYPE_CHECKING:
    from tests.walk.walk import Walk


@act(14)
def move_goods(walk: "Walk", random: Random) -> str:
    """Carry out a transfer, in full or in part, with or without a back order."""
    picking = some(random, walk.transfers([("state", "in", ["assigned", "confirmed"])]))
    if not picking:
        return ""
    walk.do("picker", "stock.picking", "action_assign", [picking])
    moves = walk.rows(
        "stock.move", [("picking_id", "=", picking), ("state", "not in", ["done", "cancel"])], ["product_uom_qty", "quantity"]
    )
    context: dict[str, Any] = {"skip_backorder": True, "skip_sms": True, "skip_expired": True}
    how = random.choice(["all", "all", "all", "part", "part, no rest"])
    if how != "all":
        for one in moves:
            walk.do("picker", "stock.move", "write", [one["id"]], {"quantity": one["quantity"] // 2, "picked": True})
        if how == "part, no rest":
            context["picking_ids_not_to_backorder"] = [picking]
    walk.do("picker", "stock.picking", "button_validate", [picking], context=context)
    return f"transfer {picking}: {how}"


@act(3)
def withdraw(walk: "Walk", random: Random) -> str:
    picking = some(random, walk.transfers([("state", "=", "done"), ("picking_type_code", "=", "outgoing")]))
    if not picking:
        return ""
    context = {"active_model": "stock.picking", "active_ids": [picking], "active_id": picking}
    wizard = walk.do("picker", "stock.return.picking", "create", {"picking_id": picking}, context=context)
    lines = walk.rows("stock.return.picking.line", [("wizard_id", "=", wizard)], ["move_quantity"])
    for line in lines:
        back = max(line["move_quantity"] // random.choice([1, 2]), 1)
        walk.do("picker", "stock.return.picking.line", "write", [line["id"]], {"quantity": back})
    made = walk.do("picker", "stock.return.picking", "action_create_returns", [wizard])
    walk.note("stock.picking", made["res_id"])
    return f"transfer {picking} comes back as {made['res_id']}"


@act(2)
def call_off_a_transfer(walk: "Walk", random: Random) -> str:
    picking = some(random, walk.transfers([("state", "not in", ["done", "cancel"])]))
    if not picking:
        return ""
    walk.do("picker", "stock.picking", "action_cancel", [picking])
    return f"transfer {picking} cancelled"


@act(3)
def count(walk: "Walk", random: Random) -> str:
    product = random.choice([walk.business.goods.plain, walk.business.goods.storable[1]])
    shelf = walk.shelf("one step")
    values = {"product_id": product, "location_id": shelf, "inventory_quantity": random.choice([0, 3, 20, 55, 80])}
    made = walk.do("picker", "stock.quant", "create", values, context={"inventory_mode": True})
    quant = made[0] if isinstance(made, list) else made
    walk.note("stock.quant", quant)
    walk.do("picker", "stock.quant", "action_apply_inventory", [quant])
    return f"product {product} counted: {values['inventory_quantity']}"


@act(1)
def scrap(walk: "Walk", random: Random) -> str:
    values = {"product_id": walk.business.goods.plain, "scrap_qty": random.choice([1, 10]), "location_id": walk.shelf("one step")}
    made = walk.do("picker", "stock.scrap", "create", values)
    walk.do("picker", "stock.scrap", "action_validate", [made[0] if isinstance(made, list) else made])
    return f"{values['scrap_qty']} scrapped"

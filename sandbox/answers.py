"""What buyers do with purchase orders that vendors have answered."""

from typing import Any

from sandbox import writing
from sandbox.records import Records, method

# What a copy of a line takes from it; the rest follows.
COPIED = ("order_id", "product_id", "name", "product_uom_id", "product_qty", "price_unit", "date_planned")


@method("purchase.order")
def action_acknowledge(orders: Records) -> bool:
    """Note that the vendor has the orders."""
    writing.write(orders, {"acknowledged": True})
    return True


@method("purchase.order.line")
def copy_data(lines: Records, default: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """What copies of the lines would be made of."""
    table = lines.env.engine.store.table("purchase.order.line")
    return [{name: table.rows[line.id].get(name) for name in COPIED} | (default or {}) for line in lines]

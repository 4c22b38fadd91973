"""Counts of what is in stock, and what becomes of them."""

from typing import Any

from sandbox import writing
from sandbox.records import Records, method

Row = dict[str, Any]
LOST_AND_FOUND = 3
CLEARED: Row = {
    "inventory_quantity": 0.0,
    "inventory_diff_quantity": 0.0,
    "inventory_quantity_set": False,
    "user_id": False,
}


@method("stock.quant")
def action_apply_inventory(quants: Records, date: Any = None) -> None:
    """What was counted is what there is, by a move from or to the place of what was lost and found.

    As in Odoo, a count that agrees with the system makes a move of nothing.
    """
    for quant in quants.sudo():
        now, difference = quants.env.cr.now[:19], quant.inventory_diff_quantity
        ends = (LOST_AND_FOUND, quant.location_id.id) if difference > 0 else (quant.location_id.id, LOST_AND_FOUND)
        quant.env["stock.move"].create(
            {
                "product_id": quant.product_id.id,
                "product_uom_qty": abs(difference),
                "quantity": abs(difference),
                "location_id": ends[0],
                "location_dest_id": ends[1],
                "state": "done",
                "picked": True,
                "date": now,
                "is_inventory": True,
                "reference": f"Product Quantity {'Updated' if difference else 'Confirmed'}",
            }
        )
        quantity = round(quant.quantity + difference, 2)
        writing.write(quant, {**CLEARED, "quantity": quantity, "last_count_date": now[:10]})


@method("stock.quant")
def action_clear_inventory_quantity(quants: Records) -> None:
    """Forget what was counted."""
    writing.write(quants.sudo(), CLEARED)

"""What an option of a suggested action comes down to once carried through, from its columns: the previewed changes."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.workflows.changes import Change, NewDate, NewPromise, OtherVendor, Transfer


def of_transfer(option: Mapping[str, Any]) -> Sequence[Change]:
    """Return the transfer, once it is confirmed and reserved; none where a place belongs to no warehouse."""
    if not option["from_warehouse"] or not option["to_warehouse"]:
        return []
    return [
        Transfer(
            product_id=option["product_id"],
            from_warehouse=option["from_warehouse"],
            to_warehouse=option["to_warehouse"],
            quantity=option["quantity"],
            at=option["arrives_at"],
        )
    ]


def of_purchase(option: Mapping[str, Any]) -> Sequence[Change]:
    """Return the purchase, once it is confirmed; none where the place belongs to no warehouse."""
    if not option["to_warehouse"]:
        return []
    return [
        OtherVendor(
            product_id=option["product_id"],
            vendor_id=option["partner_id"],
            quantity=option["own_quantity"],
            at=option["arrives_at"],
            warehouse_id=option["to_warehouse"],
            company_id=option["company_id"],
        )
    ]


def of_promise(option: Mapping[str, Any]) -> Sequence[Change]:
    """Return the order's new promise."""
    return [NewPromise(order_id=option["order_id"], at=option["new_at"])]


def of_date(option: Mapping[str, Any]) -> Sequence[Change]:
    """Return the line's new date."""
    return [NewDate(line_id=option["line_id"], at=option["new_at"])]

"""Changes that somebody thinks of: what :mod:`apps.workflows.what_if` previews. Nothing here reads or writes anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class NewDate:
    """The vendor delivers a purchase line at another time, earlier or later."""

    line_id: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class NewQuantity:
    """A purchase line is for another quantity, in the line's own unit; what was received counts in it.

    Its date stays. Odoo 19 works the date out anew from the vendor's lead time where the quantity is written alone, and may then
    make a return in place of a smaller receipt: who carries the change out writes both at once, the quantity and the date as it
    was; of a kit the quantity first, since what its components come has no deadline yet.
    """

    line_id: int
    quantity: Decimal


@dataclass(frozen=True, kw_only=True)
class CancelledLine:
    """What a purchase line has still to bring does not come. In Odoo, its quantity is then what was received."""

    line_id: int


@dataclass(frozen=True, kw_only=True)
class Part:
    """One delivery of a line that is split, in the line's own unit."""

    quantity: Decimal
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Split:
    """What a purchase line has still to bring comes in several deliveries; a part that is named by none does not come."""

    line_id: int
    parts: Sequence[Part]


@dataclass(frozen=True, kw_only=True)
class OtherVendor:
    """A product is bought from another vendor, and the order confirmed.

    Attributes:
        quantity: in the product's own unit.
        at: when it arrives.
        warehouse_id: where it arrives.
        instead_of: a purchase line of which the rest is cancelled, or None.
    """

    product_id: int
    vendor_id: int
    quantity: Decimal
    at: datetime
    warehouse_id: int
    company_id: int | None
    instead_of: int | None = None


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """Free stock of one warehouse is reserved for a transfer to another one, in the product's own unit."""

    product_id: int
    from_warehouse: int
    to_warehouse: int
    quantity: Decimal
    at: datetime


@dataclass(frozen=True, kw_only=True)
class ReleasedHold:
    """A sales order that is held is released and confirmed."""

    order_id: int


@dataclass(frozen=True, kw_only=True)
class NewPromise:
    """A customer is promised a sales order for another time."""

    order_id: int
    at: datetime


type Change = NewDate | NewQuantity | CancelledLine | Split | OtherVendor | Transfer | ReleasedHold | NewPromise

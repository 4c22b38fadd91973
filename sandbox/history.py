"""The long past of a large company: closed orders that are computed from their id whenever they are read.

A million orders with their lines, deliveries and moves would fill gigabytes; as formulas they take nothing, every read
gives the same, and dates grow with the id, so that a window of time is a range of ids.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sandbox.store import Row, Store

SPAN = timedelta(days=3 * 365)
# The company's recent business begins here; history ends before.
RECENT_DAYS = 100
CLOSED_AFTER = timedelta(days=20)
LINES = 2
TAX = 0.15
PRODUCTS = 66
SELLERS = (6, 7)
CUSTOMER_PLACE = 2
WAREHOUSE, STOCK, OUTGOING = 1, 8, 2


def attach(store: Store, *, length: int, seed: int) -> None:
    """Put ``length`` orders under the tables of ``store``. The day that they end at is kept with the store."""
    today = datetime.now(UTC).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    end = datetime.fromisoformat(store.note("history ends", (today - timedelta(days=RECENT_DAYS)).isoformat()))
    past = Past(store, length=length, seed=seed, end=end)
    for model, layer in past.layers().items():
        table = store.table(model)
        table.history = layer
        table.next_id = max(table.next_id, layer.last + 1)


class Layer:
    """The rows of one model; ``per_order`` of them belong to each order."""

    def __init__(
        self,
        past: "Past",
        per_order: int,
        row: Callable[[int], Row],
        links: dict[str, Callable[[Any], Iterable[int]]],
        constants: Row,
    ) -> None:
        self.past, self.per_order, self.links, self.constants = past, per_order, links, constants
        self.last = past.length * per_order
        self.row = lru_cache(maxsize=8192)(row)

    def ids_with(self, field: str, value: Any) -> Iterable[int] | None:
        """See :class:`sandbox.store.History`."""
        if field in self.links:
            return [one for one in self.links[field](value) if 0 < one <= self.last]
        if field in self.constants and self.constants[field] != value:
            return ()
        return None

    def constant(self, field: str) -> tuple[bool, Any]:
        """See :class:`sandbox.store.History`."""
        return field in self.constants, self.constants.get(field)

    def first_at(self, moment: str) -> int:
        """See :class:`sandbox.store.History`."""
        order = bisect_left(range(self.past.length), moment, key=lambda index: self.past.written(index + 1)) + 1
        return (order - 1) * self.per_order + 1


class Past:
    """The formulas."""

    def __init__(self, store: Store, *, length: int, seed: int, end: datetime) -> None:
        self.store, self.length, self.seed = store, length, seed
        self.step = SPAN / length
        self.begin = end - SPAN - CLOSED_AFTER
        self._customers: list[tuple[int, int]] = []

    def layers(self) -> dict[str, Layer]:
        """One layer a model."""
        closed: Row = {"company_id": 1, "currency_id": 1}
        return {
            "sale.order": Layer(
                self,
                1,
                self._order,
                {"name": self._by_name, "partner_id": self._by_partner},
                {
                    **closed,
                    "state": "sale",
                    "invoice_status": "invoiced",
                    "delivery_status": "full",
                    "x_ct_hold": False,
                },
            ),
            "sale.order.line": Layer(self, LINES, self._line, {"order_id": self._children}, {**closed, "state": "sale"}),
            "stock.picking": Layer(
                self,
                1,
                self._picking,
                {"sale_id": lambda one: [one]},
                {
                    "company_id": 1,
                    "state": "done",
                    "backorder_id": False,
                },
            ),
            "stock.move": Layer(
                self,
                LINES,
                self._move,
                {
                    "picking_id": self._children,
                    "sale_line_id": lambda one: [one],
                    "purchase_line_id": lambda one: (),
                    "move_orig_ids": lambda one: (),
                },
                {"company_id": 1, "state": "done", "purchase_line_id": False, "move_orig_ids": False},
            ),
        }

    def _ordered(self, order: int) -> datetime:
        return (self.begin + order * self.step).replace(microsecond=0)

    def written(self, order: int) -> str:
        """When order ``order``, and all that belongs to it, was last written."""
        return (self._ordered(order) + CLOSED_AFTER).isoformat(" ") + ".000001"

    def _dice(self, *parts: int) -> int:
        value = self.seed * 1_000_003
        for part in parts:
            value = ((value ^ part) * 2_654_435_761 + 0x9E3779B9) & 0xFFFFFFFF
            value ^= value >> 15
        return value

    def _customer(self, order: int) -> int:
        return self._all_customers()[(order + self.seed) % len(self._all_customers())][0]

    def _all_customers(self) -> list[tuple[int, int]]:
        if not self._customers:
            rows = self.store.table("res.partner").rows
            self._customers = sorted((one, 0) for one, row in rows.items() if str(row.get("ref") or "").startswith("C0"))[:40]
        return self._customers

    def _by_partner(self, partner: Any) -> Iterable[int]:
        known = [one for one, _ in self._all_customers()]
        if partner not in known:
            return ()
        first = (known.index(partner) - self.seed) % len(known)
        return range(first or len(known), self.length + 1, len(known))

    def _by_name(self, name: Any) -> Iterable[int]:
        digits = str(name)[1:]
        return [int(digits)] if str(name).startswith("S") and digits.isdigit() and f"S{int(digits):05d}" == name else ()

    def _children(self, parent: Any) -> Iterable[int]:
        return range((parent - 1) * LINES + 1, parent * LINES + 1) if isinstance(parent, int) else ()

    def _stamp(self, order: int) -> Row:
        seller = SELLERS[self._dice(order, 1) % 2]
        created = self._ordered(order).isoformat(" ") + ".000001"
        return {"create_date": created, "write_date": self.written(order), "create_uid": seller, "write_uid": seller}

    def _figures(self, line: int) -> tuple[int, float, float, float]:
        dice = self._dice(line, 2)
        quantity, price = float(1 + dice % 9), float(20 + dice // 16 % 400)
        subtotal = round(quantity * price, 2)
        return 1 + dice // 8192 % PRODUCTS, quantity, price, subtotal

    def _order(self, order: int) -> Row:
        lines = [self._figures(line) for line in self._children(order)]
        untaxed = round(sum(subtotal for *_, subtotal in lines), 2)
        tax = round(sum(round(subtotal * TAX, 2) for *_, subtotal in lines), 2)
        partner, stamp = self._customer(order), self._stamp(order)
        return {
            "id": order,
            **stamp,
            "name": f"S{order:05d}",
            "state": "sale",
            "partner_id": partner,
            "partner_invoice_id": partner,
            "partner_shipping_id": partner,
            "user_id": stamp["create_uid"],
            "team_id": 1,
            "company_id": 1,
            "warehouse_id": WAREHOUSE,
            "currency_id": 1,
            "currency_rate": 1.0,
            "date_order": stamp["create_date"][:19],
            "client_order_ref": f"PO-{1000 + self._dice(order, 3) % 9000}",
            "amount_untaxed": untaxed,
            "amount_tax": tax,
            "amount_total": round(untaxed + tax, 2),
            "invoice_status": "invoiced",
            "delivery_status": "full",
            "margin": round(untaxed * 0.38, 2),
            "margin_percent": 0.38,
            "locked": False,
        }

    def _line(self, line: int) -> Row:
        order = (line - 1) // LINES + 1
        product, quantity, price, subtotal = self._figures(line)
        tax = round(subtotal * TAX, 2)
        return {
            "id": line,
            **self._stamp(order),
            "order_id": order,
            "product_id": product,
            "name": f"Product {product}",
            "sequence": 10,
            "product_uom_qty": quantity,
            "qty_delivered": quantity,
            "qty_invoiced": quantity,
            "qty_delivered_method": "stock_move",
            "qty_to_invoice": 0.0,
            "price_unit": price,
            "discount": 0.0,
            "price_subtotal": subtotal,
            "price_tax": tax,
            "purchase_price": round(price * 0.62, 2),
            "margin": round(subtotal * 0.38, 2),
            "price_total": round(subtotal + tax, 2),
            "untaxed_amount_invoiced": subtotal,
            "untaxed_amount_to_invoice": 0.0,
            "state": "sale",
            "company_id": 1,
            "currency_id": 1,
        }

    def _picking(self, order: int) -> Row:
        delivered = (self._ordered(order) + timedelta(days=3)).isoformat(" ")
        return {
            "id": order,
            **self._stamp(order),
            "name": f"WH/OUT/{order:05d}",
            "state": "done",
            "origin": f"S{order:05d}",
            "partner_id": self._customer(order),
            "picking_type_id": OUTGOING,
            "location_id": STOCK,
            "location_dest_id": CUSTOMER_PLACE,
            "scheduled_date": delivered,
            "date_deadline": delivered,
            "date_done": delivered,
            "sale_id": order,
            "priority": "0",
            "company_id": 1,
        }

    def _move(self, move: int) -> Row:
        order = (move - 1) // LINES + 1
        product, quantity, *_ = self._figures(move)
        delivered = (self._ordered(order) + timedelta(days=3)).isoformat(" ")
        return {
            "id": move,
            **self._stamp(order),
            "product_id": product,
            "product_uom_qty": quantity,
            "quantity": quantity,
            "picked": True,
            "state": "done",
            "picking_id": order,
            "sale_line_id": move,
            "location_id": STOCK,
            "location_dest_id": CUSTOMER_PLACE,
            "date": delivered,
            "date_deadline": delivered,
            "origin": f"S{order:05d}",
            "company_id": 1,
            "warehouse_id": WAREHOUSE,
            "reference": f"WH/OUT/{order:05d}",
            "move_orig_ids": [],
        }

"""A shop in a real Odoo: what is sold, bought and received there, as its people do it, and what the tower then says."""

from datetime import timedelta
from typing import Any

from apps.core import clock
from apps.exceptions.models import ExceptionCase, Status
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection
from apps.pipeline import first_sync
from apps.pipeline.upkeep import polling
from tests.odoo import changed, read_once


class Shop:
    """A product that is not in stock, a vendor and customers in a real Odoo, and the tower's view of them."""

    def __init__(self, odoo: OdooClient, connection: Connection) -> None:
        self.odoo, self.connection = odoo, connection
        self.made: list[tuple[str, int]] = []
        self.began = in_days(0)
        self.looked_at = clock.now()
        read_once.probe(odoo, connection)
        if read_once.read(odoo, connection, lambda: list(first_sync.first_read(connection, clock=clock.now))):
            first_sync.evaluate_all(connection, clock=clock.now)
            list(first_sync.read_past(connection, clock=clock.now))
        self.vendor = self.make("res.partner", {"name": "Tower test vendor"})
        self.customer = self.make("res.partner", {"name": "Tower test customer"})
        self.product = self.storable()

    def make(self, model: str, values: dict[str, Any]) -> int:
        made = self.odoo.create(model, values)
        self.made.append((model, made))
        return made

    def storable(self, **more: Any) -> int:
        values = {
            "name": "Tower test desk",
            "is_storable": True,
            "type": "consu",
            "list_price": 100,
            "seller_ids": [(0, 0, {"partner_id": self.vendor, "price": 60, "delay": 2})],
        }
        return self.make("product.product", values | more)

    def sell(self, quantity: float, *, promised_in: float | None = None, product: int = 0, **more: Any) -> int:
        """A confirmed sales order of one line at 100 each."""
        line = {"product_id": product or self.product, "product_uom_qty": quantity, "price_unit": 100, "tax_ids": [(5, 0, 0)]}
        values = {"partner_id": self.customer, "order_line": [(0, 0, line)]}
        if promised_in is not None:
            values["commitment_date"] = in_days(promised_in)
        order = self.make("sale.order", values | more)
        self.odoo.call("sale.order", "action_confirm", [order])
        return order

    def buy(self, quantity: float, *, expected_in: float = 3, price: float = 60) -> tuple[int, int]:
        """A confirmed purchase order of one line; the order and the line."""
        line = {"product_id": self.product, "product_qty": quantity, "price_unit": price, "date_planned": in_days(expected_in)}
        order = self.make("purchase.order", {"partner_id": self.vendor, "order_line": [(0, 0, line)]})
        self.odoo.call("purchase.order", "button_confirm", [order])
        return order, self.odoo.search("purchase.order.line", [("order_id", "=", order)])[0]

    def receive(self, order: int, quantity: float | None = None) -> None:
        """What was ordered is put on the shelf, or ``quantity`` of it; the rest is not to come any more."""
        (picking,) = self.odoo.search("stock.picking", [("purchase_id", "=", order), ("state", "not in", ["done", "cancel"])])
        if quantity is not None:
            moves = self.odoo.search("stock.move", [("picking_id", "=", picking)])
            self.odoo.write("stock.move", moves, {"quantity": quantity, "picked": True})
        self.odoo.call(
            "stock.picking",
            "button_validate",
            [picking],
            context={"skip_backorder": True, "picking_ids_not_to_backorder": [picking]},
        )
        assert self.odoo.read("stock.picking", [picking], ["state"])[0]["state"] == "done"

    def shelves(self) -> tuple[int, int]:
        """The stock of the first warehouse, from which orders are delivered, and of another of its company."""
        (first,) = self.odoo.search_read("stock.warehouse", [], ["lot_stock_id", "company_id"], limit=1, order="id")
        of_company = [("company_id", "=", first["company_id"]), ("id", "!=", first["id"])]
        others = self.odoo.search_read("stock.warehouse", of_company, ["lot_stock_id"], limit=1, order="id")
        if not others:
            values = {"name": "Tower test annex", "code": "TTA", "company_id": first["company_id"]}
            others = self.odoo.read("stock.warehouse", [self.make("stock.warehouse", values)], ["lot_stock_id"])
        return first["lot_stock_id"], others[0]["lot_stock_id"]

    def lay_in(self, product: int, quantity: float, shelf: int) -> None:
        """So much of it lies there now, as a count says."""
        values = {"product_id": product, "location_id": shelf, "inventory_quantity": quantity}
        made = self.odoo.call("stock.quant", "create", vals_list=[values], context={"inventory_mode": True})
        self.odoo.call("stock.quant", "action_apply_inventory", made)

    def look(self) -> None:
        """The tower polls what has been written since the look before."""
        begun, present = clock.now(), {model.odoo_model: model for model in first_sync.present(self.connection)}
        written = changed.since(self.odoo, present, self.looked_at)
        self.looked_at = begun
        if written:
            polling.poll(self.connection, clock=clock.now, models=[model for name, model in present.items() if name in written])

    def cases(self, model: str, record: int) -> dict[str, ExceptionCase]:
        self.look()
        found = ExceptionCase.objects.filter(model=model, odoo_id=record).exclude(status=Status.RESOLVED)
        return {case.type: case for case in found}


def in_days(number: float) -> str:
    """So many days from now, as Odoo writes it."""
    return (clock.now() + timedelta(days=number)).strftime("%Y-%m-%d %H:%M:%S")

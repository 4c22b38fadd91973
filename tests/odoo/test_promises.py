"""Shortages, promises and who waits for a vendor, opened and closed by what people do in a real Odoo."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.core import clock
from apps.exceptions.models import ExceptionCase, Status
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection
from apps.pipeline import upkeep
from apps.workflows import impact

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]

SHORTAGE, PROMISE, DUPLICATE, DELAY = (
    "order.stock_shortage", "order.promise_at_risk", "order.possible_duplicate", "purchase.supplier_delay"
)  # fmt: skip


class Shop:
    """A product that is not in stock, a vendor and customers in a real Odoo, and the tower's view of them."""

    def __init__(self, odoo: OdooClient, connection: Connection) -> None:
        self.odoo, self.connection = odoo, connection
        self.made: list[tuple[str, int]] = []
        upkeep.probe(connection, now=clock.now())
        list(upkeep.first_read(connection, clock=clock.now))
        self.vendor = self.make("res.partner", {"name": "Tower test vendor"})
        self.customer = self.make("res.partner", {"name": "Tower test customer"})
        self.product = self.storable()

    def make(self, model: str, values: dict[str, Any]) -> int:
        made = self.odoo.create(model, values)
        self.made.append((model, made))
        return made

    def storable(self, **more: Any) -> int:
        values = {
            "name": "Tower test desk", "is_storable": True, "type": "consu", "list_price": 100,
            "seller_ids": [(0, 0, {"partner_id": self.vendor, "price": 60, "delay": 2})],
        }  # fmt: skip
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

    def buy(self, quantity: float, *, expected_in: float) -> tuple[int, int]:
        """A confirmed purchase order of one line; the order and the line."""
        line = {"product_id": self.product, "product_qty": quantity, "price_unit": 60, "date_planned": in_days(expected_in)}
        order = self.make("purchase.order", {"partner_id": self.vendor, "order_line": [(0, 0, line)]})
        self.odoo.call("purchase.order", "button_confirm", [order])
        return order, self.odoo.search("purchase.order.line", [("order_id", "=", order)])[0]

    def receive(self, order: int) -> None:
        """What was ordered is put on the shelf."""
        (picking,) = self.odoo.search("stock.picking", [("purchase_id", "=", order), ("state", "not in", ["done", "cancel"])])
        self.odoo.call("stock.picking", "button_validate", [picking])
        assert self.odoo.read("stock.picking", [picking], ["state"])[0]["state"] == "done"

    def look(self) -> None:
        """The tower polls."""
        upkeep.poll(self.connection, clock=clock.now)

    def cases(self, model: str, record: int) -> dict[str, ExceptionCase]:
        self.look()
        found = ExceptionCase.objects.filter(model=model, odoo_id=record).exclude(status=Status.RESOLVED)
        return {case.type: case for case in found}



def in_days(number: float) -> str:
    return (clock.now() + timedelta(days=number)).strftime("%Y-%m-%d %H:%M:%S")


@pytest.fixture
def shop(odoo: OdooClient, real: Connection) -> Iterator[Shop]:
    made = Shop(odoo, real)
    yield made
    for record in [record for kind, record in made.made if kind == "product.product"]:
        odoo.write("product.product", [record], {"active": False})


def test_from_a_shortage_over_a_vendors_new_date_to_the_goods_on_the_shelf(shop: Shop) -> None:
    order = shop.sell(10, promised_in=6)
    case = shop.cases("sale.order", order)[SHORTAGE]
    assert {"short_quantity": "10", "uncovered_quantity": "10", "next_supply": None}.items() <= case.evidence.items()
    assert case.amount == Decimal("1000.00")

    purchase, line = shop.buy(12, expected_in=3)
    assert SHORTAGE not in shop.cases("sale.order", order)
    assert DELAY not in shop.cases("purchase.order", purchase)

    shop.odoo.write("purchase.order.line", [line], {"date_planned": in_days(13)})
    found = shop.cases("sale.order", order)
    assert {SHORTAGE, PROMISE} <= set(found)
    name = shop.odoo.read("purchase.order", [purchase], ["name"])[0]["name"]
    assert found[PROMISE].evidence["caused_by"] == f"{name}, Tower test vendor"
    assert found[PROMISE].evidence["promise_late_days"] == 7
    delay = shop.cases("purchase.order", purchase)[DELAY]
    told = {"orders_at_risk_count": 1, "customers_at_risk_count": 1, "revenue_at_risk": "1000.00"}
    assert told.items() <= delay.evidence.items()
    (waiting,) = impact.of(shop.connection.pk, "purchase.order", purchase, now=clock.now()).orders
    assert (waiting.odoo_id, waiting.is_at_risk, waiting.is_linked, waiting.late_days) == (order, True, False, 7)

    # Sales agrees on a later day with the customer.
    shop.odoo.write("sale.order", [order], {"commitment_date": in_days(14)})
    assert not {SHORTAGE, PROMISE} & set(shop.cases("sale.order", order))
    assert DELAY not in shop.cases("purchase.order", purchase)

    shop.odoo.write("purchase.order.line", [line], {"date_planned": in_days(20)})
    assert PROMISE in shop.cases("sale.order", order)
    shop.receive(purchase)
    picking = shop.odoo.search("stock.picking", [("sale_id", "=", order)])
    shop.odoo.call("stock.picking", "action_assign", picking)
    assert not {SHORTAGE, PROMISE} & set(shop.cases("sale.order", order))
    assert DELAY not in shop.cases("purchase.order", purchase)


def test_what_odoo_makes_to_order_is_followed_over_its_own_link(shop: Shop) -> None:
    (mto,) = shop.odoo.search("stock.route", [("name", "ilike", "MTO"), ("active", "in", [True, False])])
    (buy,) = shop.odoo.search("stock.route", [("name", "=", "Buy")])
    shop.odoo.write("stock.route", [mto], {"active": True})
    try:
        product = shop.storable(route_ids=[(6, 0, [mto, buy])])
        order = shop.sell(4, promised_in=6, product=product)
        (line,) = shop.odoo.search("purchase.order.line", [("product_id", "=", product)])
        purchase = shop.odoo.read("purchase.order.line", [line], ["order_id"])[0]["order_id"]
        shop.odoo.call("purchase.order", "button_confirm", [purchase])
        shop.odoo.write("purchase.order.line", [line], {"date_planned": in_days(9)})
        shop.look()
        (waiting,) = impact.of(shop.connection.pk, "purchase.order", purchase, now=clock.now()).orders
        assert (waiting.odoo_id, waiting.is_linked, waiting.late_days, waiting.revenue) == (order, True, 3, Decimal("400.00"))
        receipt = shop.odoo.search("stock.picking", [("purchase_id", "=", purchase)])[0]
        by_transfer = impact.of(shop.connection.pk, "stock.picking", receipt, now=clock.now())
        assert [one.odoo_id for one in by_transfer.orders] == [order]
        assert PROMISE in shop.cases("sale.order", order)
        shop.receive(purchase)
        assert not {SHORTAGE, PROMISE} & set(shop.cases("sale.order", order))
    finally:
        shop.odoo.write("stock.route", [mto], {"active": False})


def test_an_order_entered_twice_is_named_until_one_of_the_two_is_cancelled(shop: Shop) -> None:
    first = shop.sell(3, client_order_ref="TOWER-77")
    assert DUPLICATE not in shop.cases("sale.order", first)
    second = shop.sell(3, client_order_ref="TOWER-77")
    case = shop.cases("sale.order", second)[DUPLICATE]
    assert (case.cause, case.evidence["duplicate_why"]) == (str(first), "the same customer reference")
    shop.odoo.call("sale.order", "action_cancel", [first])
    assert DUPLICATE not in shop.cases("sale.order", second)

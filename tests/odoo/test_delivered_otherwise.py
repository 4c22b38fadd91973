"""What customers owe of goods that left beyond their orders, in other units, currencies and ways, in a real Odoo."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from apps.odoo.client import OdooClient
from tests.odoo.seen import Seen, Worker, refusal
from tests.odoo.test_after_done import shelf
from tests.odoo.test_guards import desk, other_currency, pending, quoted
from tests.odoo.test_over_delivery import ACCOUNTANT, ADDS, Delivery, stocked
from tests.odoo.test_returns import bill, receive, return_of
from tests.odoo.test_ways_round import COUNTING

__all__ = ["desk"]
pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]


def owed(seen: Seen, desks: Delivery) -> float:
    """What the customer would owe with one desk more, at 100: guard and tower count the same."""
    seen.odoo.write("res.partner", [desks.customer], {"credit_limit": 1})
    following = quoted(desks.seller, desks.customer, desks.desk, 1)
    said = refusal(desks.seller, "sale.order", "action_confirm", following)
    (counted,) = re.findall(r"to ([0-9.]+) USD", said)
    seen.look()
    context = pending(following, "credit_override").context
    assert (context["exposure"], bool(context.get("odoo_counted"))) == (counted, False)
    return float(counted)


def test_goods_added_in_dozens_and_more_of_what_was_ordered(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    desks, chair = Delivery(odoo, hired, desk, limit=9_000, picks=ADDS), stocked(odoo, hired)
    dozen = odoo.search("uom.uom", [("name", "=", "Dozens")])[0]
    desks.add(chair, 2, product_uom=dozen)
    desks.add(desk, 5)
    assert desks.ship(8) == ""
    (line,) = odoo.search_read(
        "sale.order.line", [("order_id", "=", desks.order), ("product_id", "=", chair)], ["qty_delivered", "price_unit"]
    )
    more = odoo.search_read("sale.order.line", [("order_id", "=", desks.order), ("product_id", "=", desk)], ["qty_delivered"])
    delivered = sum(one["qty_delivered"] for one in more)
    assert owed(guarded, desks) == 100 * delivered + line["qty_delivered"] * line["price_unit"] + 100
    bill(hired(*ACCOUNTANT), desks.order)
    assert owed(guarded, desks) == 100 * delivered + line["qty_delivered"] * line["price_unit"] + 100


def test_goods_added_in_another_currency(guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int) -> None:
    pricelist = odoo.create("product.pricelist", {"name": "Tower test", "currency_id": other_currency(odoo)})
    who = {"property_product_pricelist": pricelist}
    desks = Delivery(odoo, hired, desk, limit=9_000, picks=ADDS, who=who, ordered=7)
    desks.add(stocked(odoo, hired, list_price=33.33), 3)
    assert desks.ship(7) == ""
    (line,) = odoo.search_read("sale.order.line", [("order_id", "=", desks.order), ("product_uom_qty", "=", 0)], ["price_unit"])
    (order,) = odoo.read("sale.order", [desks.order], ["currency_rate"])
    assert order["currency_rate"] != 1
    assert abs(owed(guarded, desks) - (700 + 3 * line["price_unit"] + 100) / order["currency_rate"]) < 0.006


def test_goods_by_the_lot_are_added_and_what_was_too_much_comes_back(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    values = {"name": "Tower test paint", "type": "consu", "is_storable": True, "tracking": "lot", "list_price": 20.0}
    paint = odoo.create("product.product", values | {"taxes_id": [(5,)], "invoice_policy": "delivery"})
    lot = odoo.create("stock.lot", {"name": "Tower test lot", "product_id": paint})
    count = {"product_id": paint, "location_id": shelf(odoo), "lot_id": lot, "inventory_quantity": 50}
    quant = odoo.call("stock.quant", "create", vals_list=[count], context=COUNTING)
    odoo.write("stock.quant", quant, {"x_ct_released_value": 9_999.0})
    odoo.call("stock.quant", "action_apply_inventory", quant)
    desks = Delivery(odoo, hired, desk, limit=9_000, picks=ADDS)
    desks.add(paint, 10)
    assert desks.ship(12) == ""
    assert owed(guarded, desks) == 1_200 + 200 + 100
    (delivery,) = odoo.search("stock.picking", [("sale_id", "=", desks.order)])
    receive(desks.picker, return_of(desks.picker, delivery, 4))
    found: list[dict[str, Any]] = odoo.search_read(
        "sale.order.line", [("order_id", "=", desks.order)], ["qty_to_invoice", "price_unit"]
    )
    left = sum(line["qty_to_invoice"] * line["price_unit"] for line in found)
    assert owed(guarded, desks) == max(left, 800) + 100, found

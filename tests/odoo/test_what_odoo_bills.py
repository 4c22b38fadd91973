"""What is offered to be billed, counted or exchanged is what a real Odoo then does, and nothing that nobody has agreed to."""

from typing import Any

import pytest

from tests.odoo.shop import Shop
from tests.odoo.test_actions import SHORT, apply, drafts_go, open_case
from tests.odoo.test_what_odoo_reserves import offered
from tests.odoo.test_what_remains import deliver

__all__ = ["drafts_go"]
pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]
INVOICED = "invoice.delivered_not_invoiced"


def added(shop: Shop, picking: int, product: int, quantity: float) -> None:
    """A picker puts more on the transfer than was ordered."""
    (at,) = shop.odoo.read("stock.picking", [picking], ["location_id", "location_dest_id"])
    goods = {"product_id": product, "product_uom_qty": quantity, "quantity": quantity, "picked": True, "picking_id": picking}
    places = {"location_id": at["location_id"], "location_dest_id": at["location_dest_id"]}
    shop.odoo.create("stock.move", goods | places)


def invoices(shop: Shop, order: int) -> list[dict[str, Any]]:
    of_order = [("line_ids.sale_line_ids.order_id", "=", order)]
    return shop.odoo.search_read("account.move", of_order, ["state", "move_type", "amount_untaxed"], order="id")


def down_payment(shop: Shop, order: int, percent: float) -> None:
    values = {"advance_payment_method": "percentage", "amount": percent, "sale_order_ids": [(6, 0, [order])]}
    wizard = shop.odoo.create("sale.advance.payment.inv", values)
    shop.odoo.call("sale.advance.payment.inv", "create_invoices", [wizard])
    (made,) = shop.odoo.read("sale.order", [order], ["invoice_ids"])[0]["invoice_ids"]
    shop.odoo.call("account.move", "action_post", [made])


def test_a_down_payment_and_what_a_picker_added_are_in_the_sum_that_is_agreed_to(shop: Shop) -> None:
    order = shop.sell(10, product=shop.storable(invoice_policy="delivery"))
    down_payment(shop, order, 30)
    (picking,) = shop.odoo.search("stock.picking", [("sale_id", "=", order)])
    extra = shop.storable(invoice_policy="delivery", list_price=50, taxes_id=[(5, 0, 0)])
    added(shop, picking, extra, 2)
    deliver(shop, order)
    shop.look()
    case = open_case(shop, INVOICED, "sale.order", order)
    # A thousand, less 300 that are paid, and two at 50 that were added.
    apply(shop, case, "invoice", "800")
    assert [(made["state"], made["amount_untaxed"]) for made in invoices(shop, order)] == [("posted", 300), ("posted", 800)]


def test_what_is_delivered_since_is_drafted_and_not_posted(shop: Shop) -> None:
    order = shop.sell(3, product=shop.storable(invoice_policy="delivery"))
    deliver(shop, order)
    shop.look()
    case = open_case(shop, INVOICED, "sale.order", order)
    (line,) = shop.odoo.search("sale.order.line", [("order_id", "=", order)])
    shop.odoo.write("sale.order.line", [line], {"product_uom_qty": 9})
    deliver(shop, order)
    with pytest.raises(AssertionError, match="Post the invoice"):
        apply(shop, case, "invoice", "300")
    assert [(made["state"], made["amount_untaxed"]) for made in invoices(shop, order)] == [("draft", 900)]


def test_a_count_is_not_applied_once_goods_have_left_since(shop: Shop) -> None:
    here, _ = shop.shelves()
    shop.lay_in(shop.product, 10, here)
    (quant,) = shop.odoo.search("stock.quant", [("product_id", "=", shop.product), ("location_id", "=", here)])
    shop.odoo.call("stock.quant", "write", [quant], vals={"inventory_quantity": 9}, context={"inventory_mode": True})
    shop.look()
    case = open_case(shop, "inventory_control.stuck", "stock.quant", quant, cause="counted")
    assert "apply_count" in offered(shop, case)
    deliver(shop, shop.sell(4))
    assert {"apply_count", "clear_count"} & offered(shop, case) == {"clear_count"}


def test_a_customer_who_orders_more_meanwhile_is_given_no_substitute_for_less(shop: Shop) -> None:
    here, _ = shop.shelves()
    category = shop.make("product.category", {"name": "Tower test furniture"})
    shop.odoo.write("product.product", [shop.product], {"categ_id": category})
    bench = shop.storable(name="Tower test bench", list_price=105, categ_id=category)
    shop.lay_in(shop.product, 4, here)
    shop.lay_in(bench, 20, here)
    order = shop.sell(10)
    (delivery,) = shop.odoo.search("stock.picking", [("sale_id", "=", order)])
    case = shop.cases("stock.picking", delivery)[SHORT]
    (line,) = shop.odoo.search("sale.order.line", [("order_id", "=", order)])
    shop.odoo.write("sale.order.line", [line], {"product_uom_qty": 16})
    with pytest.raises(AssertionError, match="Substitute"):
        apply(shop, case, "substitute")
    (kept,) = shop.odoo.search_read("sale.order.line", [("order_id", "=", order)], ["product_uom_qty"])
    assert kept["product_uom_qty"] == 16

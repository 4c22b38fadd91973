"""Where an order of a real Odoo stands, when its services are not rendered, its delivery is cancelled or its goods come back."""

from typing import Any

import pytest

from apps.core import clock
from apps.workflows.models import Position
from tests.odoo.shop import Shop

pytestmark = pytest.mark.odoo


def stage(shop: Shop, order: int, workflow: str = "order_to_cash") -> str:
    shop.look()
    return Position.objects.get(workflow=workflow, odoo_id=order).stage


def bill(shop: Shop, order: int, **more: Any) -> int:
    """The posted invoice of what was delivered; ``more`` is written on its draft."""
    values = {"advance_payment_method": "delivered", "sale_order_ids": [(6, 0, [order])]}
    wizard = shop.odoo.create("sale.advance.payment.inv", values)
    shop.odoo.call("sale.advance.payment.inv", "create_invoices", [wizard])
    move = max(shop.odoo.read("sale.order", [order], ["invoice_ids"])[0]["invoice_ids"])
    if more:
        shop.odoo.write("account.move", [move], more)
    shop.odoo.call("account.move", "action_post", [move])
    return move


def deliver(shop: Shop, order: int) -> int:
    (picking,) = shop.odoo.search("stock.picking", [("sale_id", "=", order), ("state", "not in", ["done", "cancel"])])
    for move in shop.odoo.search("stock.move", [("picking_id", "=", picking)]):
        wanted = shop.odoo.read("stock.move", [move], ["product_uom_qty"])[0]["product_uom_qty"]
        shop.odoo.write("stock.move", [move], {"quantity": wanted, "picked": True})
    shop.odoo.call("stock.picking", "button_validate", [picking])
    return picking


def bring_back(shop: Shop, picking: int) -> int:
    wizard = shop.odoo.create("stock.return.picking", {"picking_id": picking})
    lines = shop.odoo.search("stock.return.picking.line", [("wizard_id", "=", wizard)])
    for line in shop.odoo.read("stock.return.picking.line", lines, ["move_quantity"]):
        shop.odoo.write("stock.return.picking.line", [line["id"]], {"quantity": line["move_quantity"], "to_refund": True})
    shop.odoo.call("stock.return.picking", "action_create_returns", [wizard])
    (back,) = shop.odoo.search("stock.picking", [("return_id", "=", picking)])
    for move in shop.odoo.search("stock.move", [("picking_id", "=", back)]):
        wanted = shop.odoo.read("stock.move", [move], ["product_uom_qty"])[0]["product_uom_qty"]
        shop.odoo.write("stock.move", [move], {"quantity": wanted, "picked": True})
    shop.odoo.call("stock.picking", "button_validate", [back])
    return back


def test_a_service_waits_to_be_rendered_and_not_to_be_invoiced(shop: Shop) -> None:
    service = shop.make("product.product", {"name": "Tower test advice", "type": "service", "invoice_policy": "delivery"})
    order = shop.sell(3, product=service)
    assert stage(shop, order) == "to_deliver"
    (line,) = shop.odoo.search("sale.order.line", [("order_id", "=", order)])
    shop.odoo.write("sale.order.line", [line], {"qty_delivered": 3})
    assert stage(shop, order) == "to_invoice"
    bill(shop, order)
    assert stage(shop, order) == "unpaid"


@pytest.mark.parametrize("policy", ["order", "delivery"])
def test_a_cancelled_delivery_is_not_delivered(shop: Shop, policy: str) -> None:
    order = shop.sell(3, product=shop.storable(invoice_policy=policy))
    shop.odoo.call("stock.picking", "action_cancel", shop.odoo.search("stock.picking", [("sale_id", "=", order)]))
    assert stage(shop, order) == "to_deliver"


@pytest.mark.parametrize("policy", ["order", "delivery"])
def test_what_came_back_is_credited_and_then_closed(shop: Shop, policy: str) -> None:
    order = shop.sell(3, product=shop.storable(invoice_policy=policy))
    picking = deliver(shop, order)
    invoice = bill(shop, order)
    assert stage(shop, order) == "unpaid"
    bring_back(shop, picking)
    assert stage(shop, order) == "to_credit"
    journal = shop.odoo.read("account.move", [invoice], ["journal_id"])[0]["journal_id"]
    values: dict[str, Any] = {"reason": "Came back", "journal_id": journal}
    context = {"active_model": "account.move", "active_ids": [invoice]}
    wizard = shop.odoo.call("account.move.reversal", "create", vals_list=[values], context=context)
    wizard = wizard[0] if isinstance(wizard, list) else wizard
    shop.odoo.call("account.move.reversal", "refund_moves", [wizard], context=context)
    note = max(shop.odoo.read("sale.order", [order], ["invoice_ids"])[0]["invoice_ids"])
    shop.odoo.call("account.move", "action_post", [note])
    assert stage(shop, order) == "closed"


def test_what_came_back_unbilled_is_closed(shop: Shop) -> None:
    order = shop.sell(3, product=shop.storable(invoice_policy="order"))
    bring_back(shop, deliver(shop, order))
    assert stage(shop, order) == "closed"


def test_a_bought_service_is_done_once_billed(shop: Shop) -> None:
    service = shop.make("product.product", {"name": "Tower test freight", "type": "service", "purchase_method": "purchase"})
    order = shop.make(
        "purchase.order",
        {"partner_id": shop.vendor, "order_line": [(0, 0, {"product_id": service, "product_qty": 1, "price_unit": 80})]},
    )
    shop.odoo.call("purchase.order", "button_confirm", [order])
    assert stage(shop, order, "procure_to_pay") in ("unacknowledged", "on_time", "late")
    shop.odoo.call("purchase.order", "action_create_invoice", [order])
    (move,) = shop.odoo.read("purchase.order", [order], ["invoice_ids"])[0]["invoice_ids"]
    shop.odoo.write("account.move", [move], {"invoice_date": clock.now().strftime("%Y-%m-%d")})
    assert stage(shop, order, "procure_to_pay") in ("unacknowledged", "on_time", "late", "to_bill")
    shop.odoo.call("account.move", "action_post", [move])
    assert stage(shop, order, "procure_to_pay") == "closed"

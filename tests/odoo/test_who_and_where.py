"""Who is billed, at which rate, and where goods are said to have gone: what guards in a real Odoo watch beside the amount."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from apps.accounts.models import User
from apps.odoo.client import OdooClient
from tests.odoo.seen import Seen, Worker, carried_out, refusal
from tests.odoo.test_guards import (
    BUYER,
    SELLER,
    asked,
    changed,
    company,
    customer,
    decide,
    desk,
    line_changed,
    other_currency,
    pending,
    quoted,
    state,
)

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]
__all__ = ["desk"]


def test_who_is_billed_is_who_owes(guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int) -> None:
    seller = hired(*SELLER)
    buys, pays = customer(odoo, 5_000, name="Buys"), customer(odoo, 1_000, name="Pays")
    office = odoo.create("res.partner", {"name": "Pays, accounts", "parent_id": pays, "type": "invoice"})

    def billed(partner: int, to: int, quantity: float) -> int:
        order = quoted(seller, partner, desk, quantity)
        seller.do("sale.order", "write", [order], {"partner_invoice_id": to})
        return order

    first = billed(buys, office, 6)
    assert refusal(seller, "sale.order", "action_confirm", first) == ""
    # Its own order of 500 is too much with what it pays for others.
    own = quoted(seller, pays, desk, 5)
    said = refusal(seller, "sale.order", "action_confirm", own)
    assert "would take Pays to 1100.00 USD, above its credit limit of 1000.00" in said
    second = billed(buys, office, 5)
    said = refusal(seller, "sale.order", "action_confirm", second)
    assert "would take Pays to 1100.00 USD, above its credit limit of 1000.00" in said
    guarded.look()
    for order in (own, second):
        request = pending(order, "credit_override")
        assert (request.context["exposure"], request.context["commercial_name"]) == ("1100.00", "Pays")
        assert not request.context.get("odoo_counted")
    # What others pay for is nothing that it owes itself.
    assert refusal(seller, "sale.order", "action_confirm", quoted(seller, buys, desk, 49)) == ""

    decide(guarded, second, "credit_override", mia, yes=True)
    assert state(odoo, second) == "sale"
    third = billed(buys, office, 5)
    refusal(seller, "sale.order", "action_confirm", third)
    guarded.look()
    odoo.write("sale.order", [third], {"x_ct_released_amount": 500.0})
    poorer = customer(odoo, 100, name="Poorer")
    # Billed to somebody else it is not what was released; confirmed it stays as it is until somebody agrees.
    seller.do("sale.order", "write", [third], {"partner_invoice_id": poorer})
    assert odoo.read("sale.order", [third], ["x_ct_released_amount"])[0]["x_ct_released_amount"] == 0
    assert "would take Poorer" in refusal(seller, "sale.order", "action_confirm", third)
    assert "would take Poorer" in changed(seller, "sale.order", first, {"partner_invoice_id": poorer})
    guarded.look()
    assert pending(first, "credit_override").amount == 600


def test_a_purchase_that_another_date_makes_worth_more_is_asked_about(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    buyer, currency = hired(*BUYER), other_currency(odoo)
    for day, rate in (("2021-03-01", 1.0), ("2021-04-01", 0.1)):
        values = {"name": day, "rate": rate, "currency_id": currency, "company_id": company(odoo)}
        if not odoo.search("res.currency.rate", [("name", "=", day), ("currency_id", "=", currency)]):
            odoo.create("res.currency.rate", values)
    vendor = odoo.create("res.partner", {"name": "Tower test vendor"})
    line = {"product_id": desk, "product_qty": 1, "price_unit": 4_000.0, "tax_ids": [(5, 0, 0)]}
    values = {"partner_id": vendor, "currency_id": currency, "date_order": "2021-03-10 12:00:00", "order_line": [(0, 0, line)]}
    order = buyer.do("purchase.order", "create", values)
    order = order[0] if isinstance(order, list) else order
    assert refusal(buyer, "purchase.order", "button_confirm", order) == ""
    assert "is worth 40000.00 USD" in changed(buyer, "purchase.order", order, {"date_order": "2021-04-10 12:00:00"})
    guarded.look()
    assert pending(order, "procurement_threshold").amount == Decimal(40_000)
    assert asked(odoo, order, "procurement_threshold")[0]["x_state"] == "open"
    # Another day at the same rate is nobody's matter.
    assert changed(buyer, "purchase.order", order, {"date_order": "2021-03-11 12:00:00"}) == ""
    decide(guarded, order, "procurement_threshold", mia, yes=True)
    assert changed(buyer, "purchase.order", order, {"date_order": "2021-04-10 12:00:00"}) == ""
    # What was released as a draft is worth what it was then.
    line["price_unit"] = 12_000.0
    order = buyer.do("purchase.order", "create", {**values, "order_line": [(0, 0, line)]})
    order = order[0] if isinstance(order, list) else order
    odoo.write("purchase.order", [order], {"x_ct_released_amount": 12_000.0})
    assert changed(buyer, "purchase.order", order, {"date_order": "2021-04-10 12:00:00"}) == ""
    assert "is worth 120000.00 USD" in refusal(buyer, "purchase.order", "button_confirm", order)
    assert changed(buyer, "purchase.order", order, {"date_order": "2021-03-10 12:00:00"}) == ""
    assert refusal(buyer, "purchase.order", "button_confirm", order) == ""


def test_goods_that_are_said_to_have_gone_elsewhere_after_all_are_refused(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    manager = hired("stock.group_stock_manager")
    stock = odoo.search_read("stock.warehouse", [], ["lot_stock_id", "int_type_id"], limit=1, order="id")[0]
    supplier = odoo.search("stock.location", [("usage", "=", "supplier")], limit=1)[0]
    loss = odoo.search("stock.location", [("usage", "=", "inventory"), ("company_id", "=", company(odoo))], limit=1)[0]
    shelf = odoo.create("stock.location", {"name": "Tower test shelf", "location_id": stock["lot_stock_id"]})
    incoming = odoo.search("stock.picking.type", [("code", "=", "incoming")], limit=1, order="id")[0]
    places = {"location_id": supplier, "location_dest_id": stock["lot_stock_id"]}
    move = {"product_id": desk, "product_uom_qty": 20, **places}
    receipt = odoo.create("stock.picking", {"picking_type_id": incoming, "move_ids": [(0, 0, move)], **places})
    odoo.call("stock.picking", "action_confirm", [receipt])
    moves = odoo.search("stock.move", [("picking_id", "=", receipt)])
    odoo.write("stock.move", moves, {"quantity": 20, "picked": True})
    assert refusal(manager, "stock.picking", "button_validate", receipt) == ""
    lines = odoo.search("stock.move.line", [("move_id", "in", moves)])
    # From one shelf to another it is the same stock; to a loss, or never come from outside, it is not.
    assert refusal(manager, "stock.move.line", "write", lines[0], vals={"location_dest_id": shelf}) == ""
    said = refusal(manager, "stock.move.line", "write", lines[0], vals={"location_dest_id": loss})
    assert "changes the stock by 800.00 USD" in said
    said = refusal(manager, "stock.move.line", "write", lines[0], vals={"location_dest_id": supplier})
    assert "changes the stock by 800.00 USD" in said
    # A transfer from shelf to shelf whose line says that the goods went into a loss is one.
    inside = {"location_id": shelf, "location_dest_id": stock["lot_stock_id"]}
    move = {"product_id": desk, "product_uom_qty": 10, **inside}
    transfer = odoo.create("stock.picking", {"picking_type_id": stock["int_type_id"], "move_ids": [(0, 0, move)], **inside})
    odoo.call("stock.picking", "action_confirm", [transfer])
    odoo.call("stock.picking", "action_assign", [transfer])
    lines = odoo.search("stock.move.line", [("picking_id", "=", transfer)])
    odoo.write("stock.move.line", lines, {"location_dest_id": loss, "picked": True})
    assert "changes the stock by 400.00 USD" in refusal(manager, "stock.picking", "button_validate", transfer)
    carried_out(guarded)


def test_what_is_raised_before_the_tower_reads_the_ask_is_decided_as_it_stands(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    seller = hired(*SELLER)
    order = quoted(seller, customer(odoo, 1_000), desk, 18)
    assert "above its credit limit" in refusal(seller, "sale.order", "action_confirm", order)
    asked_at = odoo.search_read("x_ct_request", [("x_res_id", "=", order)], ["write_date"])[0]["write_date"]
    quantity = 40
    # Odoo's dates go by seconds: what was written within that of the asking is no change after it.
    while odoo.read("sale.order", [order], ["write_date"])[0]["write_date"] <= asked_at:
        quantity += 1
        assert line_changed(seller, odoo, order, {"product_uom_qty": quantity}) == ""
    guarded.look()
    request = pending(order, "credit_override")
    assert request.amount == quantity * 100
    assert "odoo_counted" not in request.context
    decide(guarded, order, "credit_override", mia, yes=True)
    assert state(odoo, order) == "sale"

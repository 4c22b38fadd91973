"""What is done, and changed afterwards, in a real Odoo: transfers that are unlocked, counts, scraps, and what was released."""

from collections.abc import Callable

import pytest

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.odoo.client import OdooClient
from tests.odoo.seen import Seen, Worker, refusal
from tests.odoo.test_guards import SELLER, asked, customer, decide, desk, quoted, state
from tests.odoo.test_returns import receive, return_of

__all__ = ["desk"]
pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]


def shelf(odoo: OdooClient) -> int:
    return int(odoo.search_read("stock.warehouse", [], ["lot_stock_id"], limit=1, order="id")[0]["lot_stock_id"])


def in_stock(picker: Worker, odoo: OdooClient, desk: int, quantity: float) -> int:
    """So much is counted and applied; the move that did it. Cheap enough to need nobody."""
    odoo.write("product.product", [desk], {"standard_price": 1.0})
    values = {"product_id": desk, "location_id": shelf(odoo), "inventory_quantity": quantity}
    quant = picker.do("stock.quant", "create", values, context={"inventory_mode": True})
    picker.do("stock.quant", "action_apply_inventory", [quant])
    return odoo.search("stock.move", [("product_id", "=", desk), ("is_inventory", "=", True)])[0]


def delivered(picker: Worker, odoo: OdooClient, desk: int, quantity: float) -> int:
    in_stock(picker, odoo, desk, quantity)
    line = {"product_id": desk, "product_uom_qty": quantity, "price_unit": 100.0, "tax_ids": [(5, 0, 0)]}
    partner = odoo.create("res.partner", {"name": "Tower test customer"})
    order = odoo.create("sale.order", {"partner_id": partner, "order_line": [(0, 0, line)]})
    odoo.call("sale.order", "action_confirm", [order])
    delivery = odoo.search("stock.picking", [("sale_id", "=", order)])[0]
    receive(picker, delivery)
    return delivery


def test_a_return_is_worth_what_is_received_and_is_not_raised_afterwards(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    picker = hired("stock.group_stock_manager")
    delivery = delivered(picker, odoo, desk, 30)
    back = return_of(picker, delivery, 1)
    move = odoo.search("stock.move", [("picking_id", "=", back)])[0]
    # One is to come, fifteen are entered as received.
    picker.do("stock.move", "write", [move], {"quantity": 15, "picked": True})
    assert "is worth 1500.00" in refusal(picker, "stock.picking", "button_validate", back, context={"skip_backorder": True})
    guarded.look()
    request = Request.objects.get(odoo_id=back, status="pending")
    assert (request.amount, float(request.context["returned_quantity"])) == (1_500, 15)
    picker.do("stock.move", "write", [move], {"quantity": 1, "picked": True})
    guarded.look()
    odoo.write("stock.picking", [back], {"x_ct_hold": False})
    receive(picker, back)

    before = odoo.search_count("x_ct_request", [])
    picker.do("stock.picking", "action_toggle_is_locked", [back])
    line = odoo.search("stock.move.line", [("move_id", "=", move)])[0]
    location = odoo.read("stock.move", [move], ["location_id"])[0]["location_id"]
    extra = {
        "move_id": move,
        "picking_id": back,
        "product_id": desk,
        "quantity": 9,
        "location_id": location,
        "location_dest_id": shelf(odoo),
    }
    for model, record, values in (
        ("stock.move", move, {"quantity": 15}),
        ("stock.move.line", line, {"quantity": 15}),
        ("stock.picking", back, {"move_ids": [(1, move, {"quantity": 15})]}),
        ("stock.picking", back, {"move_line_ids": [(0, 0, extra)]}),
    ):
        assert "Make another return for the rest" in refusal(picker, model, "write", record, vals=values), values
    assert odoo.read("stock.move", [move], ["quantity"])[0]["quantity"] == 1
    assert odoo.search_count("x_ct_request", []) == before
    # Below the limit it is nobody's business, and less never is.
    assert refusal(picker, "stock.move", "write", move, vals={"quantity": 4}) == ""
    assert refusal(picker, "stock.move", "write", move, vals={"quantity": 2}) == ""


def test_what_was_authorised_to_come_back_is_no_more_after_it_came(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    picker = hired("stock.group_stock_manager")
    back = return_of(picker, delivered(picker, odoo, desk, 30), 7)
    decide(guarded, back, "return_authorisation", mia, yes=True)
    receive(picker, back)
    move = odoo.search("stock.move", [("picking_id", "=", back)])[0]
    picker.do("stock.picking", "action_toggle_is_locked", [back])
    assert "Make another return" in refusal(picker, "stock.move", "write", move, vals={"quantity": 8})
    assert refusal(picker, "stock.move", "write", move, vals={"quantity": 6}) == ""
    assert refusal(picker, "stock.move", "write", move, vals={"quantity": 7}) == ""


def test_a_count_and_a_scrap_are_not_raised_after_they_were_done(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    picker = hired("stock.group_stock_manager")
    counted = in_stock(picker, odoo, desk, 40)
    scrap = picker.do("stock.scrap", "create", {"product_id": desk, "scrap_qty": 1})
    picker.do("stock.scrap", "action_validate", [scrap])
    scrapped = odoo.search("stock.move", [("scrap_id", "=", scrap)])[0]
    for move in (counted, scrapped):
        lines = odoo.search("stock.move.line", [("move_id", "=", move)])
        said = refusal(picker, "stock.move", "write", move, vals={"quantity": 900})
        assert "Enter it under Physical Inventory first" in said
        assert "Enter it under Physical Inventory first" in refusal(
            picker, "stock.move.line", "write", lines[0], vals={"quantity": 900}
        )
        assert refusal(picker, "stock.move", "write", move, vals={"quantity": 38}) == ""


def test_a_customer_who_pays_meets_the_guard_and_the_order_goes_on_after_a_yes(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    order = quoted(hired(*SELLER), customer(odoo, 1_000), desk, 18)
    odoo.write("sale.order", [order], {"require_payment": True, "require_signature": False, "state": "sent"})
    code = f"""
order = env['sale.order'].browse({order})
paid = env['payment.transaction'].search([('reference', '=', 'tower-{order}')])
if not paid:
    paid = paid.create({{
        'provider_id': env['payment.provider'].search([], limit=1).id,
        'payment_method_id': env['payment.method'].with_context(active_test=False).search([], limit=1).id,
        'amount': order.amount_total, 'currency_id': order.currency_id.id, 'partner_id': order.partner_id.id,
        'sale_order_ids': [(6, 0, order.ids)], 'reference': 'tower-{order}'}})
    paid._set_done()
else:
    paid.with_user(1)._post_process()
"""
    model = odoo.search("ir.model", [("model", "=", "sale.order")])[0]
    action = odoo.create("ir.actions.server", {"name": "Tower test", "model_id": model, "state": "code", "code": code})
    odoo.call("ir.actions.server", "run", [action])
    with pytest.raises(Exception, match="we will contact you"):
        odoo.call("ir.actions.server", "run", [action])
    (ask,) = asked(odoo, order)
    assert (state(odoo, order), ask["x_state"], ask["x_by_customer"]) == ("sent", "open", True)
    decide(guarded, order, "credit_override", mia, yes=True)
    assert state(odoo, order) == "sale"
    odoo.call("ir.actions.server", "unlink", [action])


def test_a_credit_note_and_a_bill_that_were_released_are_not_raised_before_they_are_posted(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    accountant = hired("account.group_account_invoice", "purchase.group_purchase_user")
    partner = odoo.create("res.partner", {"name": "Tower test partner"})
    line = {"product_id": desk, "name": "Goodwill", "quantity": 1, "price_unit": 900.0, "tax_ids": [(5, 0, 0)]}
    values = {"move_type": "out_refund", "partner_id": partner, "invoice_line_ids": [(0, 0, line)]}
    credit = accountant.do("account.move", "create", values)
    bought = {"product_id": desk, "product_qty": 10, "price_unit": 40.0, "tax_ids": [(5, 0, 0)]}
    order = accountant.do("purchase.order", "create", {"partner_id": partner, "order_line": [(0, 0, bought)]})
    accountant.do("purchase.order", "button_confirm", [order])
    odoo.write("product.product", [desk], {"purchase_method": "purchase"})
    agreed = odoo.search("purchase.order.line", [("order_id", "=", order)])[0]
    billed = {"product_id": desk, "quantity": 10, "price_unit": 60.0, "purchase_line_id": agreed, "tax_ids": [(5, 0, 0)]}
    bill = accountant.do(
        "account.move",
        "create",
        {"move_type": "in_invoice", "partner_id": partner, "invoice_date": "2026-11-20", "invoice_line_ids": [(0, 0, billed)]},
    )
    for move, field, released in ((credit, "x_ct_released_credit", 900.0), (bill, "x_ct_released_difference", 5_000.0)):
        odoo.write("account.move", [move], {field: released})
        own = odoo.search("account.move.line", [("move_id", "=", move), ("display_type", "=", "product")])[0]
        for change in ({"price_unit": 950.0}, {"quantity": 40}, {"discount": -50.0}):
            accountant.do("account.move", "write", [move], {"invoice_line_ids": [(1, own, change)]})
            assert "needs" in refusal(accountant, "account.move", "action_post", move), (field, change)
            before = {"price_unit": 900.0 if move == credit else 60.0, "quantity": 1 if move == credit else 10, "discount": 0}
            accountant.do("account.move", "write", [move], {"invoice_line_ids": [(1, own, before)]})
        odoo.write("account.move", [move], {"x_ct_hold": False, "x_ct_hold_reason": False})
        assert refusal(accountant, "account.move", "action_post", move) == "", field

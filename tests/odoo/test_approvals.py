"""Counts, returns and invoices that need a decision: from what people do in a real Odoo to what is done there by it."""

from collections.abc import Callable
from datetime import timedelta

import odoorpc
import pytest

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.approvals.requests import moves
from apps.core import clock
from apps.exceptions.models import ExceptionCase
from apps.odoo.client import OdooClient
from tests.odoo.seen import Seen, Worker, carried_out, refusal
from tests.odoo.test_returns import delivered, drafted, receive, return_of, sold

# Committed, as the tower's processes commit it: what Odoo is told is carried out outside any transaction.
pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]
HELD = ["state", "x_ct_hold", "x_ct_hold_reason", "x_ct_released_difference"]


def counted(picker: Worker, odoo: OdooClient, product: int, quantity: float) -> int:
    shelf = odoo.search_read("stock.warehouse", [], ["lot_stock_id"], limit=1, order="id")[0]["lot_stock_id"]
    values = {"product_id": product, "location_id": shelf, "inventory_quantity": quantity}
    return int(picker.do("stock.quant", "create", values, context={"inventory_mode": True}))


def test_a_count_beyond_the_limit_is_applied_on_a_yes_and_cleared_on_a_no(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User
) -> None:
    picker = hired("stock.group_stock_user")
    desk = odoo.create("product.product", {"name": "Tower test desk", "is_storable": True, "standard_price": 40.0})
    quant = counted(picker, odoo, desk, 5)
    assert guarded.stage("inventory_control", quant) == "counted"
    assert refusal(picker, "stock.quant", "action_apply_inventory", quant) == ""
    assert guarded.stage("inventory_control", quant) == "applied"

    # Somebody who is quicker than the tower is refused by Odoo itself.
    assert counted(picker, odoo, desk, 25) == quant
    assert "from 250 on a count needs an approval" in refusal(picker, "stock.quant", "action_apply_inventory", quant)
    assert guarded.stage("inventory_control", quant) == "awaiting_approval"
    request = Request.objects.get(odoo_id=quant)
    assert (request.amount, request.requested_by) == (800, picker.login)
    carried_out(guarded)
    # A held count may be counted again; only what it is held for is not the picker's.
    assert counted(picker, odoo, desk, 25) == quant
    assert "needs an approval" in refusal(picker, "stock.quant", "action_apply_inventory", quant)
    assert Request.objects.get(odoo_id=quant) == request

    moves.approve(request.pk, by=mia, reason="Found behind the door", now=clock.now())
    carried_out(guarded)
    shown = odoo.read("stock.quant", [quant], ["quantity", "inventory_quantity_set", "x_ct_hold", "x_ct_released_value"])[0]
    assert (shown["quantity"], shown["inventory_quantity_set"], shown["x_ct_hold"], shown["x_ct_released_value"]) == (
        25,
        False,
        False,
        0,
    )
    assert guarded.stage("inventory_control", quant) == "applied"
    notes = odoo.search_read("mail.message", [("model", "=", "product.product"), ("res_id", "=", desk)], ["body"])
    assert sum("Found behind the door" in note["body"] for note in notes) == 1

    counted(picker, odoo, desk, 2)
    assert guarded.stage("inventory_control", quant) == "awaiting_approval"
    carried_out(guarded)
    moves.reject(Request.objects.get(odoo_id=quant, status="pending").pk, by=mia, reason="Count again", now=clock.now())
    carried_out(guarded)
    shown = odoo.read("stock.quant", [quant], ["quantity", "inventory_quantity_set", "x_ct_hold"])[0]
    assert (shown["quantity"], shown["inventory_quantity_set"], shown["x_ct_hold"]) == (25, False, False)
    assert guarded.stage("inventory_control", quant) == "rejected"

    counted(picker, odoo, desk, 24)
    assert guarded.stage("inventory_control", quant) == "counted"
    assert refusal(picker, "stock.quant", "action_apply_inventory", quant) == ""
    assert guarded.stage("inventory_control", quant) == "applied"


def test_what_was_never_counted_is_not_set_beyond_the_limit(guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker]) -> None:
    keeper = hired("stock.group_stock_manager")
    desk = odoo.create("product.product", {"name": "Tower test desk", "is_storable": True, "standard_price": 40.0})
    shelf = odoo.search_read("stock.warehouse", [], ["lot_stock_id"], limit=1, order="id")[0]["lot_stock_id"]
    values = {"product_id": desk, "location_id": shelf, "inventory_quantity_auto_apply": 20}
    with pytest.raises(odoorpc.error.RPCError, match="Enter it under Physical Inventory first"):
        keeper.do("stock.quant", "create", values, context={"inventory_mode": True})
    keeper.do("stock.quant", "create", values | {"inventory_quantity_auto_apply": 6}, context={"inventory_mode": True})
    assert odoo.read("product.product", [desk], ["qty_available"])[0]["qty_available"] == 6


def test_a_large_return_is_received_on_a_yes_and_cancelled_on_a_no(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User
) -> None:
    picker = hired("stock.group_stock_user")
    accountant = hired("account.group_account_invoice", "sales_team.group_sale_salesman_all_leads")
    # Six at 40 each are below the count limit: their own count goes through.
    desks = sold(odoo, picker, accountant, 6)
    back = return_of(picker, desks.delivery, 5)
    quick = refusal(picker, "stock.picking", "button_validate", back, context={"skip_backorder": True})
    assert "from 500 on a return needs an authorisation" in quick
    assert guarded.stage("returns", back) == "awaiting_authorisation"
    request = Request.objects.get(odoo_id=back, kind="return_authorisation")
    assert (request.amount, request.partner_name) == (500, "Tower test customer")
    carried_out(guarded)
    assert odoo.read("stock.picking", [back], ["x_ct_hold"])[0]["x_ct_hold"] == "return_authorisation"

    moves.approve(request.pk, by=mia, reason="Wrong colour", now=clock.now())
    carried_out(guarded)
    assert guarded.stage("returns", back) == "awaiting_goods"
    receive(picker, back)
    assert guarded.stage("returns", back) == "to_credit"
    assert odoo.read("stock.picking", [back], ["state"])[0]["state"] == "done"

    second = sold(odoo, picker, accountant, 6)
    other = return_of(picker, second.delivery, 6)
    assert guarded.stage("returns", other) == "awaiting_authorisation"
    carried_out(guarded)
    asked = Request.objects.get(odoo_id=other, kind="return_authorisation")
    moves.reject(asked.pk, by=mia, reason="Used for a year", now=clock.now())
    carried_out(guarded)
    assert odoo.read("stock.picking", [other], ["state"])[0]["state"] == "cancel"
    assert guarded.stage("returns", other) == "refused"
    notes = odoo.search_read("mail.message", [("model", "=", "stock.picking"), ("res_id", "=", other)], ["body"])
    assert sum("Used for a year" in note["body"] for note in notes) == 1


def at_price(accountant: Worker, invoice: int, price: float) -> None:
    """Accounting writes another price on the draft."""
    (line,) = accountant.do("account.move", "read", [invoice], ["invoice_line_ids"])[0]["invoice_line_ids"]
    accountant.do("account.move", "write", [invoice], {"invoice_line_ids": [(1, line, {"price_unit": price})]})


def pending(invoice: int) -> Request:
    return Request.objects.get(model="account.move", odoo_id=invoice, status="pending")


def due_later(accountant: Worker, invoice: int) -> None:
    """Near midnight the company's day is another than that of who posts, and what is due on the one is late on the other."""
    due = str(clock.now().date() + timedelta(days=30))
    accountant.do("account.move", "write", [invoice], {"invoice_payment_term_id": False, "invoice_date_due": due})


def test_an_invoice_that_differs_is_held_on_a_no_and_posted_on_a_yes(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User
) -> None:
    picker = hired("stock.group_stock_user")
    accountant = hired("account.group_account_invoice", "sales_team.group_sale_salesman_all_leads")
    views = odoo.call("account.move", "get_views", views=[(False, "form")])["views"]
    assert "Waits for a decision in Control Tower" in views["form"]["arch"]
    order, _ = delivered(odoo, picker, 5)
    invoice = drafted(accountant, order)
    due_later(accountant, invoice)
    at_price(accountant, invoice, 130)
    said = refusal(accountant, "account.move", "action_post", invoice)
    assert "150.00" in said
    assert "from 100 on that needs a decision" in said
    assert f"/account.move/{invoice}/" in said
    assert guarded.stage("invoicing", invoice) == "disputed"
    request = pending(invoice)
    assert (request.kind, request.amount, request.requested_by) == ("invoice_mismatch", 150, accountant.login)
    carried_out(guarded)
    assert odoo.read("account.move", [invoice], HELD)[0]["x_ct_hold"] == "invoice_mismatch"

    moves.reject(request.pk, by=mia, reason="Agreed at 100", now=clock.now())
    carried_out(guarded)
    assert "Agreed at 100" in odoo.read("account.move", [invoice], HELD)[0]["x_ct_hold_reason"]
    domain = [("res_model", "=", "account.move"), ("res_id", "=", invoice), ("summary", "ilike", "Put the invoice right")]
    assert odoo.search_count("mail.activity", domain) == 1
    assert "Agreed at 100" in refusal(accountant, "account.move", "action_post", invoice)
    guarded.look()
    assert not Request.objects.filter(odoo_id=invoice, status="pending").exists()
    # Put right, there is nothing to decide any more.
    at_price(accountant, invoice, 100)
    assert refusal(accountant, "account.move", "action_post", invoice) == ""
    standing = odoo.read("account.move", [invoice], HELD)[0]
    assert (standing["state"], standing["x_ct_hold"], standing["x_ct_hold_reason"]) == ("posted", False, False)
    assert guarded.stage("invoicing", invoice) == "not_due"

    second, _ = delivered(odoo, picker, 5)
    other = drafted(accountant, second)
    due_later(accountant, other)
    at_price(accountant, other, 130)
    assert "needs a decision" in refusal(accountant, "account.move", "action_post", other)
    guarded.look()
    assert guarded.case("invoice.differs", other) is not None
    moves.approve(pending(other).pk, by=mia, reason="Oak instead of pine", now=clock.now())
    carried_out(guarded)
    standing = odoo.read("account.move", [other], HELD)[0]
    assert (standing["state"], standing["x_ct_hold"], standing["x_ct_released_difference"]) == ("posted", False, 150)
    assert guarded.stage("invoicing", other) == "not_due"
    assert ExceptionCase.objects.get(odoo_id=other, type="invoice.differs").status == "resolved"


def credit_note(accountant: Worker, partner: int, amount: float) -> int:
    """Accounting drafts a credit note for no goods that came back."""
    line = {"name": "Goodwill", "quantity": 1, "price_unit": amount, "tax_ids": [(5, 0, 0)]}
    values = {"move_type": "out_refund", "partner_id": partner, "invoice_line_ids": [(0, 0, line)]}
    return int(accountant.do("account.move", "create", values))


def test_a_credit_for_nothing_that_came_back_is_posted_on_a_yes_and_cancelled_on_a_no(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User
) -> None:
    accountant = hired("account.group_account_invoice")
    customer = odoo.create("res.partner", {"name": "Tower test customer", "is_company": True})
    credit, other = credit_note(accountant, customer, 640), credit_note(accountant, customer, 900)
    # The one is tried at once, the other only drafted: both are asked about.
    assert "640.00" in refusal(accountant, "account.move", "action_post", credit)
    guarded.look()
    request = pending(credit)
    assert (request.kind, request.amount, request.requested_by) == ("return_authorisation", 640, accountant.login)
    moves.approve(request.pk, by=mia, reason="Broken on the way", now=clock.now())
    moves.reject(pending(other).pk, by=mia, reason="Nothing came back", now=clock.now())
    carried_out(guarded)
    standing = odoo.read("account.move", [credit, other], ["state", "x_ct_hold", "x_ct_hold_reason", "x_ct_released_credit"])
    shown = {row["id"]: (row["state"], row["x_ct_hold"], row["x_ct_released_credit"]) for row in standing}
    assert shown == {credit: ("posted", False, 640), other: ("cancel", "return_authorisation", 0)}

    # Set back to draft, it is refused for what it was rejected for.
    accountant.do("account.move", "button_draft", [other])
    assert "Nothing came back" in refusal(accountant, "account.move", "action_post", other)
    # A draft left here would be asked about again by the next tower that looks.
    accountant.do("account.move", "button_cancel", [other])

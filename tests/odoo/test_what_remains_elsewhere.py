"""Where returns, invoices, counts and transfers of a real Odoo stand, when people end them by other ways than the usual one."""

from typing import Any

import pytest

from apps.workflows.models import Position
from tests.odoo.shop import Shop
from tests.odoo.test_what_remains import bill, bring_back, deliver

pytestmark = pytest.mark.odoo


def stage(shop: Shop, record: int, workflow: str) -> str | None:
    shop.look()
    return Position.objects.filter(workflow=workflow, odoo_id=record).values_list("stage", flat=True).first()


def wizard(shop: Shop, model: str, values: dict[str, Any], **context: Any) -> int:
    made = shop.odoo.call(model, "create", vals_list=[values], context=context)
    return int(made[0] if isinstance(made, list) else made)


def return_of(shop: Shop, picking: int, quantity: float, *, exchanged: bool = False) -> int:
    """A return that is planned, and not received yet."""
    made = wizard(shop, "stock.return.picking", {"picking_id": picking})
    lines = shop.odoo.search("stock.return.picking.line", [("wizard_id", "=", made)])
    shop.odoo.write("stock.return.picking.line", lines, {"quantity": quantity, "to_refund": True})
    method = "action_create_exchanges" if exchanged else "action_create_returns"
    return int(shop.odoo.call("stock.return.picking", method, [made])["res_id"])


def take_in(shop: Shop, picking: int, quantity: float | None = None, *, backorder: bool = False) -> None:
    """Validate a transfer of one move; the rest is given up, or waits on a backorder."""
    (move,) = shop.odoo.search_read("stock.move", [("picking_id", "=", picking)], ["product_uom_qty"])
    shop.odoo.write("stock.move", [move["id"]], {"quantity": quantity or move["product_uom_qty"], "picked": True})
    context: dict[str, Any] = {"skip_backorder": True}
    if not backorder:
        context["picking_ids_not_to_backorder"] = [picking]
    shop.odoo.call("stock.picking", "button_validate", [picking], context=context)
    assert shop.odoo.read("stock.picking", [picking], ["state"])[0]["state"] == "done"


def credit(shop: Shop, invoice: int, *, method: str = "refund_moves") -> int:
    """The credit note of the whole invoice, drafted or posted and reconciled (``modify_moves``)."""
    journal = shop.odoo.read("account.move", [invoice], ["journal_id"])[0]["journal_id"]
    context = {"active_model": "account.move", "active_ids": [invoice]}
    made = wizard(shop, "account.move.reversal", {"reason": "Came back", "journal_id": journal}, **context)
    shop.odoo.call("account.move.reversal", method, [made], context=context)
    return max(shop.odoo.search("account.move", [("reversed_entry_id", "=", invoice)]))


def pay(shop: Shop, invoice: int, amount: float | None = None) -> None:
    context = {"active_model": "account.move", "active_ids": [invoice]}
    values = {} if amount is None else {"amount": amount}
    made = wizard(shop, "account.payment.register", values, **context)
    shop.odoo.call("account.payment.register", "action_create_payments", [made], context=context)


def sold(shop: Shop, quantity: float = 5) -> tuple[int, int, int]:
    """An order that is delivered and billed, its delivery, and its invoice."""
    product = shop.storable(invoice_policy="delivery")
    shelf, _ = shop.shelves()
    shop.lay_in(product, 100, shelf)
    order = shop.sell(quantity, product=product)
    delivery = deliver(shop, order)
    return order, delivery, bill(shop, order)


def test_what_of_a_return_is_given_up_is_not_credited(shop: Shop) -> None:
    _, delivery, invoice = sold(shop)
    back = return_of(shop, delivery, 4)
    take_in(shop, back, 1)
    assert stage(shop, back, "returns") == "to_credit"
    note = credit(shop, invoice)
    (line,) = shop.odoo.search("account.move.line", [("move_id", "=", note), ("display_type", "=", "product")])
    shop.odoo.write("account.move", [note], {"invoice_line_ids": [(1, line, {"quantity": 1})]})
    shop.odoo.call("account.move", "action_post", [note])
    assert stage(shop, back, "returns") == "credited"


def test_the_rest_of_a_return_stays_a_return(shop: Shop) -> None:
    order, delivery, _ = sold(shop)
    back = return_of(shop, delivery, 4)
    take_in(shop, back, 1, backorder=True)
    (rest,) = shop.odoo.search("stock.picking", [("backorder_id", "=", back)])
    print(shop.odoo.read("stock.picking", [rest], ["return_id", "sale_id", "state", "location_id"]))
    assert stage(shop, rest, "returns") == "awaiting_goods"
    assert stage(shop, rest, "fulfilment") is None
    assert stage(shop, order, "order_to_cash") == "to_credit"
    shop.odoo.call("stock.picking", "action_cancel", [rest])
    assert stage(shop, rest, "returns") == "refused"
    assert stage(shop, back, "returns") == "to_credit"


def test_what_is_exchanged_needs_no_credit(shop: Shop) -> None:
    order, delivery, _ = sold(shop)
    back = return_of(shop, delivery, 2, exchanged=True)
    take_in(shop, back)
    print(shop.odoo.read("sale.order", [order], ["delivery_status", "invoice_status"]))
    assert stage(shop, back, "returns") == "credited"
    print(stage(shop, order, "order_to_cash"))
    (again,) = shop.odoo.search("stock.picking", [("sale_id", "=", order), ("state", "not in", ["done", "cancel"])])
    assert stage(shop, again, "fulfilment") is not None
    shop.odoo.call("stock.picking", "action_cancel", [again])
    assert stage(shop, back, "returns") == "to_credit"


def test_what_a_vendor_exchanges_is_no_customers_return(shop: Shop) -> None:
    order, _ = shop.buy(4)
    (receipt,) = shop.odoo.search("stock.picking", [("purchase_id", "=", order)])
    shop.receive(order)
    back = return_of(shop, receipt, 2, exchanged=True)
    (again,) = shop.odoo.search("stock.picking", [("return_id", "=", back)])
    assert stage(shop, again, "returns") is None
    assert stage(shop, again, "fulfilment") is not None
    assert stage(shop, back, "returns") is None


def test_a_credit_note_that_names_the_invoice_alone_credits_the_return(shop: Shop) -> None:
    _, delivery, invoice = sold(shop)
    back = bring_back(shop, delivery)
    assert stage(shop, back, "returns") == "to_credit"
    note = credit(shop, invoice)
    (line,) = shop.odoo.search_read("account.move.line", [("move_id", "=", note), ("display_type", "=", "product")], ["product_id"])
    again = (0, 0, {"product_id": line["product_id"], "quantity": 5, "price_unit": 100, "tax_ids": [(5,)]})
    shop.odoo.write("account.move", [note], {"invoice_line_ids": [(2, line["id"], 0), again]})
    shop.odoo.call("account.move", "action_post", [note])
    assert stage(shop, back, "returns") == "credited"


def test_invoices_end_by_payment_credit_and_both(shop: Shop) -> None:
    _, _, invoice = sold(shop)
    note = credit(shop, invoice)
    assert stage(shop, note, "invoicing") == "draft"
    shop.odoo.call("account.move", "action_post", [note])
    assert (stage(shop, invoice, "invoicing"), stage(shop, note, "invoicing")) == ("reversed", "paid")

    order, _, invoice = sold(shop)
    pay(shop, invoice, 200)
    assert stage(shop, invoice, "invoicing") == "not_due"
    note = credit(shop, invoice)
    shop.odoo.call("account.move", "action_post", [note])
    print(shop.odoo.read("account.move", [invoice, note], ["payment_state", "amount_residual"]))
    assert stage(shop, invoice, "invoicing") == "paid"
    print(stage(shop, note, "invoicing"), stage(shop, order, "order_to_cash"))

    _, _, invoice = sold(shop)
    pay(shop, invoice)
    print(shop.odoo.read("account.move", [invoice], ["payment_state", "amount_residual"]))
    assert stage(shop, invoice, "invoicing") == "paid"


def test_an_invoice_of_nothing(shop: Shop) -> None:
    line = {"product_id": shop.product, "quantity": 1, "price_unit": 0, "tax_ids": [(5,)]}
    values = {"move_type": "out_invoice", "partner_id": shop.customer, "invoice_line_ids": [(0, 0, line)]}
    invoice = shop.make("account.move", values)
    assert stage(shop, invoice, "invoicing") == "draft"
    shop.odoo.call("account.move", "action_post", [invoice])
    assert stage(shop, invoice, "invoicing") == "paid"
    shop.odoo.call("account.move", "button_draft", [invoice])
    shop.odoo.call("account.move", "button_cancel", [invoice])
    assert stage(shop, invoice, "invoicing") == "cancelled"


def count(shop: Shop, quant: int, **values: Any) -> None:
    shop.odoo.call("stock.quant", "write", [quant], vals=values, context={"inventory_mode": True})


def test_a_count_that_is_cleared_asked_for_and_gone(shop: Shop) -> None:
    product = shop.storable(standard_price=1)
    shelf, _ = shop.shelves()
    values = {"product_id": product, "location_id": shelf, "inventory_quantity": 6}
    (quant,) = shop.odoo.call("stock.quant", "create", vals_list=[values], context={"inventory_mode": True})
    assert stage(shop, quant, "inventory_control") == "counted"
    shop.odoo.call("stock.quant", "action_clear_inventory_quantity", [quant])
    assert stage(shop, quant, "inventory_control") is None
    me = shop.odoo.uid
    count(shop, quant, inventory_quantity=6, user_id=me)
    assert stage(shop, quant, "inventory_control") == "counted"
    shop.odoo.call("stock.quant", "action_apply_inventory", [quant])
    assert stage(shop, quant, "inventory_control") == "applied"
    count(shop, quant, user_id=me)
    assert stage(shop, quant, "inventory_control") == "to_count"
    shop.odoo.call("stock.quant", "action_clear_inventory_quantity", [quant])
    assert stage(shop, quant, "inventory_control") == "applied"
    # All of it goes elsewhere: Odoo drops the quant.
    count(shop, quant, inventory_quantity=0)
    shop.odoo.call("stock.quant", "action_apply_inventory", [quant])
    assert stage(shop, quant, "inventory_control") in ("applied", None)


def test_a_transfer_of_nothing_but_cancelled_moves(shop: Shop) -> None:
    product = shop.storable()
    shelf, other = shop.shelves()
    shop.lay_in(product, 5, shelf)
    of_shelf = [("code", "=", "internal"), ("warehouse_id.lot_stock_id", "=", shelf)]
    (kind,) = shop.odoo.search("stock.picking.type", [*of_shelf, ("active", "in", [True, False])], limit=1)
    move = {"product_id": product, "product_uom_qty": 5, "location_id": shelf, "location_dest_id": other}
    values = {"picking_type_id": kind, "location_id": shelf, "location_dest_id": other, "move_ids": [(0, 0, move)]}
    picking = shop.make("stock.picking", values)
    assert stage(shop, picking, "fulfilment") == "draft"
    shop.odoo.call("stock.picking", "action_confirm", [picking])
    shop.odoo.call("stock.picking", "action_assign", [picking])
    assert stage(shop, picking, "fulfilment") == "ready"
    if shop.odoo.search_count("ir.model", [("model", "=", "stock.picking.batch")]):
        batch = shop.make("stock.picking.batch", {"picking_ids": [(4, picking)]})
        shop.odoo.call("stock.picking.batch", "action_confirm", [batch])
        assert stage(shop, picking, "fulfilment") == "ready"
    moves = shop.odoo.search("stock.move", [("picking_id", "=", picking)])
    shop.odoo.write("stock.move", moves, {"product_uom_qty": 0})
    shop.odoo.call("stock.picking", "action_cancel", [picking])
    assert stage(shop, picking, "fulfilment") == "cancelled"


def test_a_ticket_that_is_cancelled_reopened_and_archived(shop: Shop) -> None:
    if shop.connection.lacks("helpdesk.ticket"):
        pytest.skip("this Odoo has no helpdesk: its tickets were NOT tested")
    ticket = shop.make("helpdesk.ticket", {"name": "Tower test ticket", "description": "A leg is missing"})
    assert stage(shop, ticket, "service") == "new"
    for name in ("Cancelled", "Rejected", "Done"):
        found = shop.odoo.search("helpdesk.ticket.stage", [("name", "=", name)])
        if found:
            shop.odoo.write("helpdesk.ticket", [ticket], {"stage_id": found[0]})
            assert stage(shop, ticket, "service") == "closed", name
    (going,) = shop.odoo.search("helpdesk.ticket.stage", [("name", "=", "In Progress")], limit=1)
    shop.odoo.write("helpdesk.ticket", [ticket], {"stage_id": going})
    assert stage(shop, ticket, "service") == "in_progress"
    shop.odoo.write("helpdesk.ticket", [ticket], {"active": False})
    assert stage(shop, ticket, "service") is None

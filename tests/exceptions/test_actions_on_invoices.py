"""The invoice that nobody has written, and the credit for what came back."""

from typing import Any

import pytest

from apps.accounts.models import Role
from apps.exceptions.cases import applying, moves
from apps.outbox.models import Command
from tests.exceptions.actions import apply, case_of, offered
from tests.trade import DESK, company
from tests.world import World, person

KIND = "invoice.delivered_not_invoiced"


@pytest.fixture
def world(db: None) -> World:
    """An order of ten at 100 each, six of them delivered and none invoiced."""
    person("olga", Role.OPERATOR)
    made = company()
    made.connection.uid = 2
    made.connection.save()
    made.write("account.move", 600, name="INV/600", move_type="out_invoice", state="posted", company_id=1)
    sold(made, 6)
    return made


def sold(world: World, to_invoice: float, **more: Any) -> None:
    world.order(42, amount=1_000, state="sale", invoice_status="to invoice", **more)
    line = {"order_id": 42, "product_id": DESK, "product_uom_qty": 10, "price_subtotal": 1_000, "company_id": 1}
    world.write("sale.order.line", 420, qty_to_invoice=to_invoice, **line)


def test_the_invoice_is_created_by_odoo_and_posted_once_it_is_found(world: World) -> None:
    case = case_of(world, KIND, "sale.order", 42)
    assert offered(world, case)["invoice"] == {"600": "Invoice Azure Interior 600.00 EUR before tax, of S00042"}
    with pytest.raises(applying.ConfirmationNeededError, match=r"Azure Interior owes 600\.00 EUR before tax"):
        apply(world, case, "invoice", is_confirmed=False)
    draft, post, note = apply(world, case, "invoice")
    values = {"advance_payment_method": "delivered", "sale_order_ids": [[6, 0, [42]]]}
    assert (draft.model, draft.odoo_id, draft.method) == ("sale.order", 42, "create_invoices")
    assert draft.arguments == {"{wizard}": ["sale.advance.payment.inv", values]}
    assert draft.precondition == [["state", "in", ["sale", "done"]], ["invoice_status", "=", "to invoice"]]
    assert (post.model, post.odoo_id, post.method) == ("account.move", 0, "action_post")
    assert post.arguments["{found}"] == [
        ["line_ids.sale_line_ids.order_id", "=", 42],
        ["id", ">", 600],
        ["create_uid", "=", 2],
        ["move_type", "=", "out_invoice"],
        ["state", "=", "draft"],
    ]
    # Nobody agreed to another sum, apart from rounding.
    assert post.precondition == [["state", "=", "draft"], ["amount_untaxed", ">=", 597], ["amount_untaxed", "<=", 603]]
    assert (note.odoo_id, note.method) == (42, "message_post")
    assert "600.00 EUR before tax" in note.arguments["body"] or "600.0" in note.arguments["body"]


def test_a_down_payment_is_taken_off_and_what_a_picker_added_counts(world: World) -> None:
    nothing_ordered = {"order_id": 42, "product_uom_qty": 0, "price_subtotal": 0, "company_id": 1}
    world.write("sale.order.line", 421, is_downpayment=True, price_unit=300, qty_to_invoice=-1, **nothing_ordered)
    world.write("sale.order.line", 422, price_unit=50, discount=10, qty_to_invoice=2, **nothing_ordered)
    case = case_of(world, KIND, "sale.order", 42)
    assert list(offered(world, case)["invoice"]) == ["390"]


def test_a_draft_leaves_the_posting_to_finance(world: World) -> None:
    case = case_of(world, KIND, "sale.order", 42)
    draft, note = apply(world, case, "draft_invoice", is_confirmed=False)
    assert [draft.method, note.method] == ["create_invoices", "message_post"]


def test_what_was_delivered_meanwhile_is_another_invoice(world: World) -> None:
    case = case_of(world, KIND, "sale.order", 42)
    sold(world, 8)
    case = case_of(world, KIND, "sale.order", 42)
    with pytest.raises(moves.MoveRefusedError, match="no longer available"):
        apply(world, case, "invoice", "600")
    assert not Command.objects.exists()
    assert list(offered(world, case)["invoice"]) == ["800"]


@pytest.mark.parametrize("more", [{"x_ct_hold": "credit_override"}, {"state": "cancel"}, {"invoice_status": "no"}])
def test_an_order_that_is_held_or_has_nothing_to_invoice_is_left(world: World, more: dict[str, str]) -> None:
    world.write("sale.order", 42, **more)
    case = case_of(world, KIND, "sale.order", 42)
    assert {"invoice", "draft_invoice"} & offered(world, case).keys() == set()


def test_what_came_back_is_credited_as_odoo_counts_it(world: World) -> None:
    sold(world, -3)
    world.write("stock.picking", 77, name="WH/RET/77", state="done", sale_id=42, company_id=1, picking_type_code="incoming")
    case = case_of(world, "returns.not_credited", "stock.picking", 77)
    assert offered(world, case)["credit"] == {"300": "Credit Azure Interior 300.00 EUR before tax, of S00042"}
    draft, post, _ = apply(world, case, "credit")
    assert (draft.model, draft.odoo_id, draft.method) == ("sale.order", 42, "create_invoices")
    assert ["move_type", "=", "out_refund"] in post.arguments["{found}"]
    assert "invoice" not in offered(world, case_of(world, KIND, "sale.order", 42))


def test_a_draft_that_nobody_posts_is_posted_for_the_sum_that_was_seen(world: World) -> None:
    draft = {"name": "Draft 610", "move_type": "out_invoice", "state": "draft", "company_id": 1, "partner_id": 50, "currency_id": 1}
    world.write("account.move", 610, amount_total=250, create_date="2026-11-03 10:00:00", **draft)
    case = case_of(world, "invoicing.stuck", "account.move", 610, cause="draft")
    text = "Post 250.00 EUR to Azure Interior, a draft since 2026-11-03"
    assert offered(world, case)["post_invoice"] == {"250": text}
    with pytest.raises(applying.ConfirmationNeededError, match=r"Azure Interior owes 250\.00 EUR"):
        apply(world, case, "post_invoice", is_confirmed=False)
    post, note = apply(world, case, "post_invoice")
    assert (post.model, post.odoo_id, post.method) == ("account.move", 610, "action_post")
    assert post.precondition == [["state", "=", "draft"], ["amount_total", "=", 250.0]]
    assert (post.postcondition, note.method) == ([["state", "=", "posted"]], "message_post")


@pytest.mark.parametrize("more", [{"x_ct_hold": "invoice_exception"}, {"state": "posted"}, {"move_type": "in_invoice"}])
def test_what_is_held_posted_or_owed_by_us_is_not_posted_from_here(world: World, more: dict[str, str]) -> None:
    draft = {"name": "Draft 610", "move_type": "out_invoice", "state": "draft", "company_id": 1, "partner_id": 50}
    world.write("account.move", 610, amount_total=250, **draft | more)
    case = case_of(world, "invoicing.stuck", "account.move", 610, cause="draft")
    assert "post_invoice" not in offered(world, case)

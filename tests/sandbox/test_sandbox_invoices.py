"""Invoices in the sandbox company: drawn up from their lines, and refused by the guards as a real Odoo refuses them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.odoo import provision
from apps.odoo.client import OdooClient, connect
from apps.odoo.errors import RefusedError
from apps.odoo.models import Connection
from apps.workflows import blueprint


@pytest.fixture
def odoo(at: Callable[..., Connection]) -> Iterator[OdooClient]:
    """A provisioned company."""
    connection = at()
    provision.apply(connection, blueprint.of_catalogue())
    yield connect(connection)
    provision.remove(connection)


@pytest.fixture
def ada(odoo: OdooClient, at: Callable[..., Connection]) -> OdooClient:
    """The accountant."""
    return connect(at(login="ada", api_key="ada", transport="jsonrpc"))


def delivered(odoo: OdooClient) -> tuple[int, int]:
    """An order of ten at 100 that was delivered, and its line."""
    customer = odoo.create("res.partner", {"name": "Thin Ice Ltd", "is_company": True})
    product = odoo.create("product.template", {"name": "Crate", "type": "consu", "list_price": 100.0})
    (variant,) = odoo.search("product.product", [("product_tmpl_id", "=", product)])
    line = {"product_id": variant, "product_uom_qty": 10.0, "price_unit": 100.0}
    order = odoo.create("sale.order", {"partner_id": customer, "order_line": [(0, 0, line)]})
    odoo.write("sale.order", [order], {"x_ct_released_concession": 1_000_000.0})
    odoo.call("sale.order", "action_confirm", [order])
    odoo.call("stock.picking", "button_validate", odoo.search("stock.picking", [("sale_id", "=", order)]))
    return order, odoo.search("sale.order.line", [("order_id", "=", order)])[0]


def drafted(odoo: OdooClient, ada: OdooClient) -> tuple[int, int, int]:
    """Its draft invoice, that one's line, and the order's line."""
    order, sold = delivered(odoo)
    (invoice,) = ada.call("sale.order", "create_invoices", [order])
    (billed,) = odoo.read("account.move", [invoice], ["invoice_line_ids"])[0]["invoice_line_ids"]
    return invoice, billed, sold


def sums(odoo: OdooClient, invoice: int) -> tuple[Any, ...]:
    row = odoo.read("account.move", [invoice], ["amount_untaxed", "amount_tax", "amount_total", "amount_residual_signed"])[0]
    return row["amount_untaxed"], row["amount_tax"], row["amount_total"], row["amount_residual_signed"]


def billed_of(odoo: OdooClient, sold: int) -> float:
    return float(odoo.read("sale.order.line", [sold], ["qty_invoiced"])[0]["qty_invoiced"])


def test_a_draft_is_drawn_up_from_its_lines_and_counts_as_invoiced(odoo: OdooClient, ada: OdooClient) -> None:
    invoice, billed, sold = drafted(odoo, ada)
    assert (sums(odoo, invoice), billed_of(odoo, sold)) == ((1000.0, 150.0, 1150.0, 1150.0), 10.0)
    change = {"invoice_line_ids": [(1, billed, {"quantity": 12.0, "price_unit": 110.0})]}
    ada.write("account.move", [invoice], change)
    assert (sums(odoo, invoice), billed_of(odoo, sold)) == ((1320.0, 198.0, 1518.0, 1518.0), 12.0)
    customer = odoo.read("account.move", [invoice], ["partner_id"])[0]["partner_id"]
    line = {"name": "Scratched", "quantity": 2.0, "price_unit": 100.0, "sale_line_ids": [(6, 0, [sold])]}
    credit = ada.create("account.move", {"move_type": "out_refund", "partner_id": customer, "invoice_line_ids": [(0, 0, line)]})
    assert (sums(odoo, credit), billed_of(odoo, sold)) == ((200.0, 30.0, 230.0, -230.0), 10.0)
    ada.unlink("account.move", [credit])
    ada.call("account.move", "button_cancel", [invoice])
    assert billed_of(odoo, sold) == 0.0


def test_an_invoice_that_differs_is_not_posted_until_it_is_released_or_put_right(odoo: OdooClient, ada: OdooClient) -> None:
    invoice, billed, _ = drafted(odoo, ada)
    ada.write("account.move", [invoice], {"invoice_line_ids": [(1, billed, {"quantity": 12.0, "price_unit": 110.0})]})
    with pytest.raises(RefusedError) as refusal:
        ada.call("account.move", "action_post", [invoice])
    said = str(refusal.value)
    # 12 at 10 too much each, and two beyond what was delivered.
    assert "differs from the order or the delivery by 340.00 EUR" in said
    assert "120.00 EUR above the price agreed, 2 billed beyond what may be" in said
    assert f"/account.move/{invoice}/" in said
    assert odoo.read("account.move", [invoice], ["state", "name"])[0]["state"] == "draft"
    domain = [("x_res_model", "=", "account.move"), ("x_res_id", "=", invoice)]
    (ask,) = odoo.search_read("x_ct_request", domain, ["x_kind", "x_state", "x_exposure", "x_requested_uid"])
    assert (ask["x_kind"], ask["x_state"], ask["x_exposure"], ask["x_requested_uid"]) == ("invoice_mismatch", "open", 340.0, 9)

    held = {"x_ct_hold": "invoice_mismatch", "x_ct_hold_reason": "Rejected by Mia: too dear", "x_ct_rejected": True}
    odoo.write("account.move", [invoice], held)
    with pytest.raises(RefusedError, match="too dear"):
        ada.call("account.move", "action_post", [invoice])
    # Put right, there is nothing to decide any more.
    ada.write("account.move", [invoice], {"invoice_line_ids": [(1, billed, {"quantity": 10.0, "price_unit": 100.0})]})
    ada.call("account.move", "action_post", [invoice])
    row = odoo.read("account.move", [invoice], ["state", "x_ct_hold", "x_ct_hold_reason"])[0]
    assert (row["state"], row["x_ct_hold"], row["x_ct_hold_reason"]) == ("posted", False, False)


def test_an_invoice_that_was_released_is_posted_with_that_difference_and_no_other(odoo: OdooClient, ada: OdooClient) -> None:
    invoice, billed, _ = drafted(odoo, ada)
    ada.write("account.move", [invoice], {"invoice_line_ids": [(1, billed, {"price_unit": 115.0})]})
    with pytest.raises(RefusedError, match="Only Control Tower"):
        ada.write("account.move", [invoice], {"x_ct_released_difference": 150.0})
    odoo.write("account.move", [invoice], {"x_ct_released_difference": 150.0})
    ada.write("account.move", [invoice], {"invoice_line_ids": [(1, billed, {"price_unit": 116.0})]})
    with pytest.raises(RefusedError, match=r"by 160\.00 EUR: 160\.00 EUR above"):
        ada.call("account.move", "action_post", [invoice])
    ada.write("account.move", [invoice], {"invoice_line_ids": [(1, billed, {"price_unit": 115.0})]})
    ada.call("account.move", "action_post", [invoice])
    assert odoo.read("account.move", [invoice], ["state"])[0]["state"] == "posted"


def test_a_large_credit_for_nothing_that_came_back_is_not_posted_until_it_is_released(odoo: OdooClient, ada: OdooClient) -> None:
    invoice, _, sold = drafted(odoo, ada)
    ada.call("account.move", "action_post", [invoice])
    customer = odoo.read("account.move", [invoice], ["partner_id"])[0]["partner_id"]
    line = {"name": "Crate", "quantity": 6.0, "price_unit": 100.0, "sale_line_ids": [(6, 0, [sold])]}
    credit = ada.create("account.move", {"move_type": "out_refund", "partner_id": customer, "invoice_line_ids": [(0, 0, line)]})
    with pytest.raises(RefusedError, match=r"credited 600\.00 EUR beyond what came back"):
        ada.call("account.move", "action_post", [credit])
    domain = [("x_res_model", "=", "account.move"), ("x_res_id", "=", credit)]
    assert odoo.search_read("x_ct_request", domain, ["x_kind"])[0]["x_kind"] == "return_authorisation"
    odoo.write("account.move", [credit], {"x_ct_released_credit": 600.0})
    ada.call("account.move", "action_post", [credit])
    row = odoo.read("account.move", [credit], ["state", "name"])[0]
    assert (row["state"], row["name"][:5]) == ("posted", "RINV/")


def test_the_wizard_drafts_what_was_delivered_and_nothing_a_second_time(odoo: OdooClient) -> None:
    order, sold = delivered(odoo)
    values = {"advance_payment_method": "delivered", "sale_order_ids": [[6, 0, [order]]]}
    (wizard,) = odoo.call("sale.advance.payment.inv", "create", vals_list=[values])
    odoo.call("sale.advance.payment.inv", "create_invoices", [wizard])
    found = odoo.search("account.move", [("line_ids.sale_line_ids.order_id", "=", order), ("state", "=", "draft")])
    assert (len(found), billed_of(odoo, sold)) == (1, 10.0)
    (again,) = odoo.call("sale.advance.payment.inv", "create", vals_list=[values])
    with pytest.raises(RefusedError, match="nothing to invoice"):
        odoo.call("sale.advance.payment.inv", "create_invoices", [again])

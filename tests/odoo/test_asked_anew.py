"""What is asked about again as soon as it is decided, in a real Odoo, which keeps moments to the second."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.odoo.client import OdooClient
from tests.odoo.seen import Seen, Worker, refusal
from tests.odoo.test_guards import BUYER, SELLER, customer, decide, line_changed, quoted

# Committed, as the tower's processes commit it: what Odoo is told is carried out outside any transaction.
pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(odoo: OdooClient) -> int:
    values = {"name": "Tower test desk", "type": "consu", "is_storable": True, "list_price": 100.0, "standard_price": 40.0}
    return odoo.create("product.product", values)


def in_a_long_second(odoo: OdooClient, record: int) -> None:
    """Asked about at a moment that is not over when it is asked about again."""
    (ask,) = odoo.search_read("x_ct_request", [("x_res_id", "=", record), ("x_state", "=", "open")], ["x_requested_at"])
    later = datetime.fromisoformat(ask["x_requested_at"]) + timedelta(minutes=1)
    odoo.write("x_ct_request", [ask["id"]], {"x_requested_at": later.isoformat(" ")})


def test_a_purchase_that_is_raised_in_the_second_of_its_approval_is_asked_about(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    buyer = hired(*BUYER)
    vendor = odoo.create("res.partner", {"name": "Tower test vendor"})
    line = {"product_id": desk, "product_qty": 300, "price_unit": 40.0, "tax_ids": [(5, 0, 0)]}
    order = buyer.do("purchase.order", "create", {"partner_id": vendor, "order_line": [(0, 0, line)]})
    assert refusal(buyer, "purchase.order", "button_confirm", order)
    in_a_long_second(odoo, order)
    decide(guarded, order, "procurement_threshold", mia, yes=True)
    assert line_changed(buyer, odoo, order, {"product_qty": 1_000}, "purchase.order")
    guarded.look()
    first, second = Request.objects.filter(odoo_id=order).order_by("id")
    assert (second.status, second.amount) == ("pending", 40_000)
    # The moment of the asking, by which the tower tells one from the next.
    assert second.cause > first.cause


def test_an_order_that_is_asked_for_in_the_second_of_its_rejection_is_asked_about(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    seller = hired(*SELLER)
    order = quoted(seller, customer(odoo, 1_000), desk, 18)
    assert refusal(seller, "sale.order", "action_confirm", order)
    in_a_long_second(odoo, order)
    decide(guarded, order, "credit_override", mia, yes=False)
    menu = odoo.search("ir.actions.server", [("name", "=", "Ask for approval in Control Tower: credit override")])
    context = {"active_model": "sale.order", "active_ids": [order], "active_id": order}
    seller.do("ir.actions.server", "run", menu, context=context)
    guarded.look()
    first, second = Request.objects.filter(odoo_id=order).order_by("id")
    assert (first.status, second.status) == ("rejected", "pending")
    assert second.cause > first.cause

"""What counts together under a cumulative policy, in the sandbox company: its guards sum as those of a real Odoo do."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.odoo import provision
from apps.odoo.client import OdooClient, connect
from apps.odoo.errors import RefusedError
from apps.odoo.models import Connection
from apps.workflows import blueprint

KIND = "procurement_threshold"
RULE = '{"over_days": 7, "per": ["partner", "person"]}'


@pytest.fixture
def odoo(at: Callable[..., Connection]) -> Iterator[OdooClient]:
    """A provisioned company in which everything counts together that may."""
    connection = at()
    provision.apply(connection, blueprint.of_catalogue())
    found = connect(connection)
    found.write("x_ct_request", found.search("x_ct_request", [("x_res_model", "=", "policy")]), {"x_terms": RULE})
    yield found
    provision.remove(connection)


def refused(odoo: OdooClient, model: str, method: str, record: int) -> str:
    try:
        odoo.call(model, method, [record])
    except RefusedError as error:
        return str(error)
    return ""


def test_credit_notes_are_summed(odoo: OdooClient) -> None:
    customer = odoo.create("res.partner", {"name": "Thin Ice Ltd", "is_company": True})

    def credit(amount: float, **more: Any) -> str:
        line = {"name": "Goodwill", "quantity": 1, "price_unit": amount, "display_type": "product"}
        values = {"move_type": "out_refund", "partner_id": customer, "invoice_line_ids": [(0, 0, line)], **more}
        return refused(odoo, "account.move", "action_post", odoo.create("account.move", values))

    assert credit(400) == ""
    assert "90.00 EUR" not in credit(90)
    assert "20.00 EUR now; 510.00 EUR with 2 others in 7 days" in credit(20)


def test_purchases_are_summed(odoo: OdooClient) -> None:
    vendor = odoo.create("res.partner", {"name": "Mill Ltd", "is_company": True})
    (product,) = odoo.search("product.product", [], limit=1)

    def buy(amount: float) -> str:
        line = {"product_id": product, "product_qty": 1, "price_unit": amount}
        order = odoo.create("purchase.order", {"partner_id": vendor, "order_line": [(0, 0, line)]})
        return refused(odoo, "purchase.order", "button_confirm", order)

    assert buy(4_000) == ""
    assert "with 1 other in 7 days" in buy(7_000)


def test_what_was_approved_counts_though_it_was_asked_for_later(odoo: OdooClient) -> None:
    vendor = odoo.create("res.partner", {"name": "Later Ltd", "is_company": True})
    (product,) = odoo.search("product.product", [], limit=1)

    def draft(amount: float) -> int:
        line = {"product_id": product, "product_qty": 1, "price_unit": amount}
        return odoo.create("purchase.order", {"partner_id": vendor, "order_line": [(0, 0, line)]})

    first, second = draft(12_000), draft(11_000)
    assert "asked for" in refused(odoo, "purchase.order", "button_confirm", first)
    assert "with 1 other in 7 days" in refused(odoo, "purchase.order", "button_confirm", second)
    # What waits counts what waited before it, and no other.
    assert "other" not in refused(odoo, "purchase.order", "button_confirm", first)
    # Somebody said yes, and it is no longer, or not yet, ordered.
    odoo.write(
        "x_ct_request", odoo.search("x_ct_request", [("x_res_id", "=", second), ("x_kind", "=", KIND)]), {"x_state": "approved"}
    )
    assert "with 1 other in 7 days" in refused(odoo, "purchase.order", "button_confirm", first)
